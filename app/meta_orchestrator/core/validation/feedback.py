"""What the agents say about a change: many unhappy raters make a good result inconclusive, never a bad one good."""

from dataclasses import dataclass

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial


@dataclass(frozen=True)
class Feedback:
    raters: int
    mean: float | None
    speaks_against: bool


def feedback_of(moment: Moment, trial: Trial) -> Feedback:
    """Each agent counts once, with its last rating."""
    ratings, policy = list(trial.ratings.values()), moment.policy.trial
    mean = sum(ratings) / len(ratings) if ratings else None
    against = mean is not None and len(ratings) >= policy.feedback_raters and mean < policy.feedback_floor
    return Feedback(len(ratings), mean, against)
