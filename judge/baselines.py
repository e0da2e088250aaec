"""Two detectors of the Numenta Anomaly Benchmark, as it defines them, to be compared with."""

from bisect import bisect_left, bisect_right, insort

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
DAY_S, HOUR_S = 86_400, 3_600


def windowed_gaussian(values: Floats, window: int = 1000) -> Floats:
    """1 - the tail probability of each value under the normal law of the last 1,000 before it."""
    rows = np.arange(len(values))
    mean, spread = _moments(values, np.maximum(rows - window, 0), rows, freedom=0)
    spread = np.where(spread > 0, spread, 1e-6)
    return np.nan_to_num(ndtr(np.abs(values - mean) / spread))


def skyline(times: Floats, values: Floats) -> Floats:
    """The share of Etsy Skyline's seven rules that call a value anomalous, each by all values up to it."""
    tail = _last_three(values)
    rules = [
        _far_from_median(values),
        _far_from_yesterday(times, values, tail),
        _far_from_average(values, tail),
        _far_from_moving_average(values),
        _far_from_past(values),
        _far_from_line(times, values),
        _in_rare_bin(values, tail),
    ]
    return np.mean(rules, axis=0)


def _far_from_median(values: Floats) -> NDArray[np.bool_]:
    """Six median deviations or more from the median."""
    seen: list[float] = []
    far = np.zeros(len(values), bool)
    for place, value in enumerate(values.tolist()):
        insort(seen, value)
        median = _middle(seen)
        deviation = _middle_deviation(seen, median)
        far[place] = deviation > 0 and abs(value - median) / deviation > 6
    return far


def _middle(ordered: list[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _middle_deviation(ordered: list[float], median: float) -> float:
    """The median of distances from the median: the least d with half of the values within d, found by halving."""
    low, high, half = 0.0, max(ordered[-1] - median, median - ordered[0]), (len(ordered) + 1) // 2
    for _ in range(30):
        d = (low + high) / 2
        if bisect_right(ordered, median + d) - bisect_left(ordered, median - d) >= half:
            high = d
        else:
            low = d
    return high if high > 1e-9 * abs(ordered[-1] - ordered[0]) else 0.0


def _far_from_yesterday(times: Floats, values: Floats, tail: Floats) -> NDArray[np.bool_]:
    """Three deviations from the hour a day ago."""
    first, last = np.searchsorted(times, times - DAY_S), np.searchsorted(times, times - DAY_S + HOUR_S)
    mean, spread = _moments(values, first, last)
    return np.abs(tail - mean) > 3 * spread


def _last_three(values: Floats) -> Floats:
    """Means of a value and the two before it, where there are two."""
    means = values.copy()
    means[2:] = (values[2:] + values[1:-1] + values[:-2]) / 3
    return means


def _moments(
    values: Floats, first: NDArray[np.intp], last: NDArray[np.intp], freedom: int = 1
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of values[first:last], row by row; not a number where there are too few."""
    centre = values.mean()
    sums = np.concatenate([[0], np.cumsum(values - centre)])
    squares = np.concatenate([[0], np.cumsum((values - centre) ** 2)])
    count = (last - first).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (sums[last] - sums[first]) / count
        spread = np.sqrt(np.maximum(squares[last] - squares[first] - count * mean**2, 0) / (count - freedom))
    return mean + centre, spread


def _far_from_average(values: Floats, tail: Floats) -> NDArray[np.bool_]:
    """Three deviations from the average of all."""
    rows = np.arange(len(values))
    mean, spread = _moments(values, np.zeros_like(rows), rows + 1)
    return np.abs(tail - mean) > 3 * spread


def _far_from_moving_average(values: Floats) -> NDArray[np.bool_]:
    """Three deviations from an exponential average."""
    keep, centre = 50 / 51, values.mean()
    weight = weights = total = squares = 0.0
    far = np.zeros(len(values), bool)
    for place, value in enumerate((values - centre).tolist()):
        weight, weights = keep * weight + 1, keep * keep * weights + 1
        total, squares = keep * total + value, keep * squares + value * value
        mean = total / weight
        variance = (squares / weight - mean * mean) * weight**2 / max(weight**2 - weights, 1e-12)
        far[place] = place > 0 and (value - mean) ** 2 > 9 * max(variance, 0.0)
    return far


def _far_from_past(values: Floats) -> NDArray[np.bool_]:
    """Three deviations from the average of all before."""
    rows = np.arange(len(values))
    mean, spread = _moments(values, np.zeros_like(rows), rows)
    return np.abs(values - mean) > 3 * spread


def _far_from_line(times: Floats, values: Floats) -> NDArray[np.bool_]:
    """The last three are three deviations off the straight line through all."""
    x, y, n = (times - times[0]) / DAY_S, values - values.mean(), np.arange(1, len(values) + 1)
    sx, sy, sxx, sxy, syy = (np.cumsum(part) for part in (x, y, x * x, x * y, y * y))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.nan_to_num((n * sxy - sx * sy) / (n * sxx - sx * sx))
        offset = (sy - slope * sx) / n
        spread = np.sqrt(np.maximum(syy - offset * sy - slope * sxy, 0) / n)
    error = _last_three(y) - offset - slope * _last_three(x)
    return (np.abs(error) > 3 * spread) & (np.round(spread) != 0) & (np.round(error) != 0) & (n >= 3)


def _in_rare_bin(values: Floats, tail: Floats) -> NDArray[np.bool_]:
    """In a bin of a histogram of 15 that holds 20 values or fewer; in the lowest only if it is the least."""
    seen: list[float] = []
    rare = np.zeros(len(values), bool)
    for place, (value, end) in enumerate(zip(values.tolist(), tail.tolist(), strict=True)):
        insort(seen, value)
        low, width = seen[0], (seen[-1] - seen[0]) / 15 or 1 / 15
        number = int((end - low) // width)
        count = bisect_left(seen, low + (number + 1) * width) - bisect_left(seen, low + number * width)
        inside = end <= low if number <= 0 else number < 15
        rare[place] = inside and count <= 20
    return rare
