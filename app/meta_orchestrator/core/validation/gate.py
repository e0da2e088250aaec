"""What may be said of a trial at any tick, however often one has looked before."""

from dataclasses import dataclass

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.evidence import Estimate, z_score
from meta_orchestrator.core.validation.sequence import boundary, e_value, progress


@dataclass(frozen=True)
class Gate:
    """An effect (positive is better) as a normal score, and the `share` of the planned information behind it."""

    score: float
    share: float

    @property
    def e_value(self) -> float:
        """Evidence that it is better."""
        return e_value(self.score, self.share)

    def says_better(self, alpha: float) -> bool:
        """Wrong with probability `alpha` at most over all looks at a trial that does not help."""
        return self.share > 0 and self.score > boundary(self.share, alpha)

    def says_worse(self, alpha: float) -> bool:
        return self.share > 0 and -self.score > boundary(self.share, alpha)


def gate(effect: Estimate, before: float, during: float, planned: float) -> Gate:
    """Of an effect after `during` of the `planned` ticks (or blocks), compared with those before."""
    return Gate(z_score(effect.value, effect.error, effect.freedom), progress(before, during, planned))


def planned_ticks(moment: Moment, trial: Trial) -> float:
    """The ticks from the start of a trial to its review."""
    return max(trial.review_us - trial.started_us, 1) / moment.policy.time.tick_us
