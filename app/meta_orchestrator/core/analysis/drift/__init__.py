"""Has a metric moved for good? One detector a file, each with River's interface: `update(x)`, then `drift_detected`.

The package stands alone, so that its detectors work in any River pipeline.
"""

from meta_orchestrator.core.analysis.drift.rank_esr import RankESR
from meta_orchestrator.core.analysis.drift.spike import Spike
from meta_orchestrator.core.analysis.drift.student_esr import StudentESR

__all__ = ["RankESR", "Spike", "StudentESR"]
