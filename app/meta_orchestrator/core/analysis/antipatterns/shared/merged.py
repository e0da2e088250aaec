"""What the statistics and a hard limit say at the same look is one finding."""

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_TASKS
from meta_orchestrator.messages.outputs import Antipattern


def merged(first: Antipattern | None, second: Antipattern | None) -> Antipattern | None:
    """One finding of two: all that either names, the earlier start, the greater severity."""
    if not (first and second):
        return first or second
    return first.model_copy(
        update={
            "agents": sorted({*first.agents, *second.agents}),
            "tasks": list(dict.fromkeys([*(second.tasks or []), *(first.tasks or [])]))[:NAMED_TASKS],
            "since": min(first.since, second.since),
            "severity": max(first.severity, second.severity),
            "evidence": first.evidence | second.evidence,
        }
    )
