"""One bound on false alarms over all streams of a project."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def rejected(families: Sequence[NDArray[np.float64]], run_length: float) -> list[NDArray[np.bool_]]:
    """Which streams alarm, family by family: e-BH (Wang, Ramdas 2022) over all e-values at once.

    Families (the project, its agents) share the rate of false alarms evenly, so that many agents do not drown the few
    metrics of the project: an e-value weighs 1 / (families · streams of its family). The k-th greatest must reach
    run_length / k. So in stable conditions there is one false alarm in `run_length` updates of every stream, at most,
    and among many at once few are false.
    """
    present = sum(len(family) > 0 for family in families)
    shares = [family / (present * len(family)) if len(family) else family for family in families]
    greatest = np.sort(np.concatenate(shares))[::-1] if shares else np.zeros(0)
    enough = np.flatnonzero(greatest * np.arange(1, len(greatest) + 1) >= run_length)
    least = run_length / (enough[-1] + 1) if len(enough) else np.inf
    return [share >= least for share in shares]
