"""The change on trial: was it acknowledged, does it hurt, did it help? And those that were kept: do they still?"""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.acknowledgement import acknowledged
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.core.validation.guards import guarded
from meta_orchestrator.core.validation.late import regressed
from meta_orchestrator.core.validation.periods import measure
from meta_orchestrator.core.validation.review import reviewed
from meta_orchestrator.core.validation.switchback import flip


def validate(moment: Moment) -> Verdict | None:
    """The verdict on the trial in force, or on a change that was kept, if this tick brings one."""
    trial = moment.ledger.trial
    if trial is None:
        return regressed(moment)
    if trial.periods:
        measure(moment, trial)
    verdict = acknowledged(moment, trial) or guarded(moment, trial) or reviewed(moment, trial)
    if verdict is None and trial.periods:
        flip(moment, trial)
    return verdict
