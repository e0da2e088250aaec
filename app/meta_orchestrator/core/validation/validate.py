"""The change on trial: was it acknowledged, does it hurt, did it help?"""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.acknowledgement import acknowledged
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.core.validation.guards import guarded
from meta_orchestrator.core.validation.review import reviewed


def validate(moment: Moment) -> Verdict | None:
    """The verdict on the trial in force, if this tick brings one."""
    trial = moment.ledger.trial
    if trial is None:
        return None
    return acknowledged(moment, trial) or guarded(moment, trial) or reviewed(moment, trial)
