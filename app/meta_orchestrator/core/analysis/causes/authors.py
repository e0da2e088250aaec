"""Whose work it was that turned out to be wrong: a regression is reported later, and by somebody else.

A task is the work of who finished it. A larger item made of steps is the work of all who did them: each step is a
chance to go wrong, and each check that a step failed is a sign that it did, so both count one. Equal ones stand in the
order of their first step: what comes later builds on what was there.
"""

import zlib
from collections import OrderedDict
from typing import Any

REMEMBERED = 500
"""Of each kind: tasks, items, steps; the oldest are forgotten first."""


class Authors:
    """CRC-32 of names instead of names: they are only compared."""

    def __init__(self) -> None:
        self.tasks: OrderedDict[int, str] = OrderedDict()
        """Finished task (no step) → who finished it last."""
        self.steps: OrderedDict[int, tuple[int, str]] = OrderedDict()
        """Started step → its item, and who does it."""
        self.items: OrderedDict[int, dict[str, int]] = OrderedDict()
        """Item → agent → its steps and the failed checks of them, in the order of first steps."""

    def started(self, data: dict[str, Any]) -> None:
        if data.get("item") is not None:
            _put(self.steps, _number(data["task"]), (_number(data["item"]), data["agent"]))

    def finished(self, task: str, agent: str, is_step: bool) -> None:
        number = _number(task)
        if not is_step:
            _put(self.tasks, number, agent)
        if number in self.steps:
            item, _ = self.steps[number]
            self.steps[number] = item, agent
            self._count(item, agent)

    def failed(self, task: str) -> None:
        """A check of a step did not pass."""
        step = self.steps.get(_number(task))
        if step:
            self._count(*step)

    def shares(self, task: str) -> dict[str, float]:
        """Agent → how much of the blame for a task or an item is its, 1 in all; nobody if that is not known."""
        number = _number(task)
        if number in self.tasks:
            return {self.tasks[number]: 1.0}
        counts = self.items.get(number, {})
        total = sum(counts.values())
        return {agent: count / total for agent, count in counts.items()}

    def _count(self, item: int, agent: str) -> None:
        counts = self.items.get(item, {})
        counts[agent] = counts.get(agent, 0) + 1
        _put(self.items, item, counts)

    def dump(self) -> dict[str, Any]:
        return {name: list(getattr(self, name).items()) for name in ("tasks", "steps", "items")}

    def load(self, dumped: dict[str, Any]) -> None:
        self.tasks = OrderedDict((number, agent) for number, agent in dumped["tasks"])
        self.steps = OrderedDict((number, (item, agent)) for number, (item, agent) in dumped["steps"])
        self.items = OrderedDict((number, dict(counts)) for number, counts in dumped["items"])


def _number(name: str) -> int:
    return zlib.crc32(name.encode())


def _put(memory: OrderedDict[int, Any], key: int, value: Any) -> None:
    """Remember the newest so many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
