"""What a metric is a ratio of, where velocity is counted by the time in which the team was at work."""

from meta_orchestrator.core.collection.history import RATIOS

AWAKE_S = "awake_s"
"""A column beside those of History: seconds of work since the row before."""

AWAKE_MOST_S = 600.0
"""The longest gap between rows that counts as time at work: the liveness rule of CONTRACT §4.4."""


def parts(metric: str) -> tuple[str, str]:
    """The columns whose sums make numerator and denominator of a metric of `history.RATIOS`."""
    numerator, denominator, _ = RATIOS[metric]
    return numerator, AWAKE_S if metric == "development_velocity" else denominator
