"""The four forms of `consensus.frequency`: how often changes are voted on (CONTRACT §5)."""

import re

from meta_orchestrator.messages.fields import six_digits

EVERY, CRITICAL = "every_change", "critical_changes_only"
LEAST_S, MOST_S = 60, 86_400
_BATCHES = re.compile(r"timeboxed_batches\((\d{1,9})\)", re.ASCII)
_ADAPTIVE = re.compile(r"adaptive_threshold\((\d{1,9}(?:\.\d{1,9})?)\)", re.ASCII)
FORMS = f"{EVERY}, {CRITICAL}, timeboxed_batches({LEAST_S}..{MOST_S}) or adaptive_threshold(0..1)"


def batch_s(value: str) -> int | None:
    """The seconds of `timeboxed_batches(s)`."""
    match = _BATCHES.fullmatch(value)
    return int(match[1]) if match else None


def risk(value: str) -> float | None:
    """The x of `adaptive_threshold(x)`."""
    match = _ADAPTIVE.fullmatch(value)
    return float(match[1]) if match else None


def is_frequency(value: str) -> bool:
    seconds, threshold = batch_s(value), risk(value)
    if seconds is not None:
        return LEAST_S <= seconds <= MOST_S
    return value in (EVERY, CRITICAL) or (threshold is not None and threshold <= 1)


def less_voting(value: str) -> str | None:
    """One step: every_change → adaptive_threshold(0.3) → (0.5) → critical_changes_only; a batch doubles."""
    seconds, threshold = batch_s(value), risk(value)
    if seconds is not None:
        return _batches(min(2 * seconds, MOST_S)) if seconds < MOST_S else None
    if value == CRITICAL:
        return None
    if value == EVERY or (threshold is not None and threshold < 0.3):
        return _adaptive(0.3)
    return _adaptive(0.5) if threshold is not None and threshold < 0.5 else CRITICAL


def more_voting(value: str) -> str | None:
    """The same ladder upwards; a batch halves, and below a minute each change is voted on."""
    seconds, threshold = batch_s(value), risk(value)
    if seconds is not None:
        return _batches(max(seconds // 2, LEAST_S)) if seconds > LEAST_S else EVERY
    if value == EVERY:
        return None
    if value == CRITICAL or (threshold is not None and threshold > 0.5):
        return _adaptive(0.5)
    return _adaptive(0.3) if threshold is not None and threshold > 0.3 else EVERY


def voting(value: str) -> float:
    """An order of the forms, 1 is most voting: batches leave nothing out, so they stand above thresholds."""
    seconds, threshold = batch_s(value), risk(value)
    if seconds is not None:
        return 0.95 - 0.1 * seconds / MOST_S
    if threshold is not None:
        return 0.8 - 0.7 * threshold
    return 1.0 if value == EVERY else 0.0


def _batches(seconds: int) -> str:
    return f"timeboxed_batches({seconds})"


def _adaptive(threshold: float) -> str:
    return f"adaptive_threshold({six_digits(threshold)})"
