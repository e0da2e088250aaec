"""What an output says, to a person: one plain sentence each."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.wording import number_text

_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+(?=Z|[+-]\d\d:\d\d)")

MOVES = frozenset({"changed", "rolled_back", "aborted"})
"""Verdicts that a version of their own goes with."""


def sentence(record: dict[str, Any]) -> str:
    """The sentence of a parsed CloudEvent; its type where this version knows no words for it."""
    if record["type"] == "control.freeze":
        return _freeze(record)
    tell = _SENTENCE.get(record["type"])
    return full_sentence(tell(record["data"])) if tell else str(record["type"])


def full_sentence(words: str) -> str:
    """With a full stop, and times to the second: nobody reads microseconds."""
    return time_text(words) + ("" if words.endswith((".", "!", "?")) else ".")


def time_text(words: str) -> str:
    """Times within some words, or one alone, without their fractions of a second."""
    return _FRACTION.sub("", words)


def value_text(value: object) -> str:
    """A number as short as it can be read; `-` for null."""
    if value is None:
        return "-"
    return number_text(value) if isinstance(value, float) else str(value)


def moves_text(changes: list[dict[str, Any]]) -> str:
    return ", ".join(f"{move['parameter']} {value_text(move['from'])} → {value_text(move['to'])}" for move in changes)


def names_text(names: list[str], most: int = 5) -> str:
    """The first few names and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _change(data: dict[str, Any]) -> str:
    return f"Version {data['version']} ({data['kind']}): {moves_text(data['changes'])}. {data['reason']}"


def _freeze(record: dict[str, Any]) -> str:
    """Until a time that has come it is the end of one."""
    data = record["data"]
    ends = parse_time_us(data["until"]) <= parse_time_us(record["time"])
    what = "ends the freeze" if ends else f"freezes all changes until {time_text(data['until'])}"
    return f'{data["owner"]} {what}: "{data["reason"]}".'


def _applied(data: dict[str, Any]) -> str:
    return f"The orchestrator put version {data['version']} in force."


def _rejected(data: dict[str, Any]) -> str:
    return f"The orchestrator rejected version {data['version']}: {data['reason']}"


def _decision(data: dict[str, Any]) -> str:
    version = f" It is version {data['version']}." if data["verdict"] in MOVES and data.get("version") else ""
    return full_sentence(f"{_words(data['verdict'])}: {data['explanation']}") + version


def _drift(data: dict[str, Any]) -> str:
    whose = f" of {data['agent']}" if data.get("agent") else ""
    shift = f"from {value_text(data['before'])} to {value_text(data['after'])}"
    return f"{data['metric']}{whose} went {data['direction']} {shift} since {data['since']}."


def _antipattern(data: dict[str, Any]) -> str:
    tasks = f", tasks {names_text(data['tasks'])}" if data.get("tasks") else ""
    return f"{_words(data['kind'])}: agents {names_text(data['agents']) or '-'}{tasks}, since {data['since']}."


def _antipattern_over(data: dict[str, Any]) -> str:
    return f"{_words(data['kind'])} is over: agents {names_text(data['agents']) or '-'}."


def _escalation(data: dict[str, Any]) -> str:
    beyond = f"{data['metric']} beyond {value_text(data['threshold'])} since {data['since']}"
    return f"Escalation {data['condition']}: {beyond}; action {data['action']}."


def _escalation_over(data: dict[str, Any]) -> str:
    return f"Escalation {data['condition']} is over."


def _team(data: dict[str, Any]) -> str:
    add, remove = (names_text([f"{n} x {name}" for name, n in Counter(data[who]).items()]) for who in ("add", "remove"))
    return f"Team: add {add or 'nobody'}, remove {remove or 'nobody'}."


def _snapshot(data: dict[str, Any]) -> str:
    return f"Metrics of {sum(data['counts'].values())} events; phase {data['phase']}, version {data['config_version']}."


def _agent(data: dict[str, Any]) -> str:
    latency, busy = value_text(data["task_latency_p95_ms"]), value_text(data["utilization"])
    return f"{data['agent']}: p95 of a task {latency} ms, utilization {busy}."


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


_SENTENCE: dict[str, Callable[[dict[str, Any]], str]] = {
    "config.change": _change,
    "config.applied": _applied,
    "config.rejected": _rejected,
    "decision": _decision,
    "drift.detected": _drift,
    "antipattern.detected": _antipattern,
    "antipattern.cleared": _antipattern_over,
    "escalation.raised": _escalation,
    "escalation.cleared": _escalation_over,
    "team.recommended": _team,
    "metrics.snapshot": _snapshot,
    "metrics.agent": _agent,
}
