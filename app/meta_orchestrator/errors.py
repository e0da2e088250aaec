"""What can go wrong, split by who has to act.

MetaOrchestratorError
├── BadRecord          their record: goes to `dead-letters` with a reason and a field, nothing else changes
├── SettingsError      our settings, policy, trust or key file: the program ends (2) before it connects
├── ForeignState       a stored state that this build cannot read: the worker ends (1) and leaves it as it is
├── BrokerUnavailable  the broker cannot be reached: the program ends (4) after a bounded wait
└── Stuck              the worker cannot go on and must be started again from outside (1)
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Literal

Reason = Literal[
    "not_json",
    "not_cloudevent",
    "invalid",
    "too_large",
    "key_mismatch",
    "wrong_partition",
    "time_ahead",
    "bad_signature",
    "untrusted",
    "replayed",
    "over_limit",
]

ALIKE = 0.7
"""Names that share so much of their letters are taken for one another."""


class MetaOrchestratorError(Exception):
    """The root of all errors raised on purpose."""


class BadRecord(MetaOrchestratorError):
    """A record that cannot be counted: `reason` is one of CONTRACT's, `field` a dotted path where one is to blame."""

    def __init__(self, reason: Reason, detail: str, field: str | None = None) -> None:
        super().__init__(f"{reason}: {field + ': ' if field else ''}{detail}")
        self.reason: Reason = reason
        self.detail = detail
        self.field = field


class SettingsError(MetaOrchestratorError):
    """A wrong setting: which key, what it is, and what would be right."""

    def __init__(self, key: str, value: Any, expected: str) -> None:
        super().__init__(f"{key}: not given: {expected}" if value is None else f"{key} = {value!r}: {expected}")
        self.key, self.value, self.expected = key, value, expected


class ForeignState(MetaOrchestratorError):
    """What is stored was written by a build with another format."""


class BrokerUnavailable(MetaOrchestratorError):
    """No broker answered within the wait that was announced."""


class Stuck(MetaOrchestratorError):
    """Nothing moves any more; only a restart helps."""


def most_like(word: str, known: Iterable[str]) -> str | None:
    """The name that a word may be a slip of, None where it is like none."""
    return next(iter(get_close_matches(word, list(known), 1, ALIKE)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that nobody knows: the known one most like it, "" where none is."""
    like = most_like(word, known)
    return f" (did you mean {like}?)" if like else ""
