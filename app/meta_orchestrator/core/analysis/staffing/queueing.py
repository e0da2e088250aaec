"""What would one agent more or less change? Queueing theory for stations with several servers."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

VARIABILITY = 4.0
"""Waiting beyond so many times that of exponential arrivals and services is not for want of hands: (ca² + cs²) / 2 of
Allen and Cunneen is hardly ever more."""
TIED = 0.3
"""Autocorrelation of neighbouring batches from which they are not taken for independent."""
_SATURATED = 0.98
"""Utilization from which the formula says nothing any more: what is measured counts."""


def erlang_c(servers: int, load: float) -> float:
    """P(an arrival has to wait) in M/M/c with `load` = arrival rate times service time < servers (Erlang 1917)."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    share = load / servers
    return blocked / (1 - share * (1 - blocked))


def queue_length(servers: int, load: float) -> float:
    """Mean number waiting in M/M/c."""
    if load <= 0:
        return 0.0
    if servers < 1 or load >= servers:
        return math.inf
    return erlang_c(servers, load) * load / (servers - load)


def left_waiting(waiting: float, load: float, servers: int, more: int) -> float:
    """What would be left of a measured queue with `more` servers. Variability multiplies both queues alike (Allen and
    Cunneen 1978), so it cancels; what no queue can explain stays.
    """
    load = min(load, _SATURATED * servers)
    now, then = queue_length(servers, load), queue_length(servers + more, load)
    explained = min(waiting, VARIABILITY * now) if load < 0.95 * servers else waiting
    return waiting - explained * (1 - then / now) if now > 0 else waiting


def p_above(values: NDArray[np.float64], bound: float = 0.0, tied: float = TIED) -> float:
    """P of a mean so far above a bound if the true one is not: batch means, one-sided t test. Where batches hang
    together, their autocorrelation being above `tied`, they count as fewer (AR(1): n (1 - r) / (1 + r)).
    """
    n, spread = len(values), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    excess = float(values.mean()) - bound if n else 0.0
    if n < 3 or spread == 0.0:
        return 0.0 if n >= 3 and excess > 0 else 1.0
    r = lag_one(values)
    few = max(2.0, n * (1 - r) / (1 + r)) if r > tied else n
    return float(stdtr(few - 1, -excess / spread * math.sqrt(few)))


def lag_one(values: NDArray[np.float64]) -> float:
    """Autocorrelation of neighbours; its bias of about -1/n in short series is added back."""
    centred = values - values.mean()
    squares = float(centred @ centred)
    return min(0.9, float(centred[1:] @ centred[:-1]) / squares + 1 / len(values)) if squares > 0 else 0.0
