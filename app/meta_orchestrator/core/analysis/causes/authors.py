"""Whose work it was that turned out to be wrong: a regression is reported later, and by somebody else.

A task is the work of who finished it. A larger item made of steps is the work of all who did them: each step is a
chance to go wrong, and each check that a step failed is a sign that it did, so both count one. Equal ones stand in the
order of their first step: what comes later builds on what was there.
"""

from collections import OrderedDict
from collections.abc import Container, Sequence
from typing import Any
from zlib import crc32

from meta_orchestrator.core.analysis.causes.names import Names, Numbering

REMEMBERED = 400
"""Finished tasks; the oldest are forgotten first."""
REMEMBERED_ITEMS = 100
"""Items, and steps of items."""


class Authors:
    """CRC-32 of names instead of names: they are only compared."""

    def __init__(self) -> None:
        self.tasks: OrderedDict[int, str] = OrderedDict()
        """Finished task (no step) → who finished it last."""
        self.steps: OrderedDict[int, tuple[int, str]] = OrderedDict()
        """Started step → its item, and who does it."""
        self.items: OrderedDict[int, dict[str, int]] = OrderedDict()
        """Item → agent → its steps and the failed checks of them, in the order of first steps."""

    def started(self, said: Sequence[dict[str, Any]]) -> None:
        """Of a tick, in their order: only the last steps are looked at, since only they are remembered."""
        steps: dict[str, dict[str, Any]] = {}
        for data in reversed(said):
            if data.get("item") is not None:
                steps.setdefault(data["task"], data)
                if len(steps) == REMEMBERED_ITEMS:
                    break
        for task, data in reversed(steps.items()):
            _put(self.steps, crc32(task.encode()), (crc32(data["item"].encode()), data["agent"]))

    def finished(self, said: Sequence[dict[str, Any]], steps: Container[str] = ()) -> None:
        """The last tasks of a tick, in their order; `steps`: those that are known to be worth nothing by themselves."""
        numbers = [crc32(data["task"].encode()) for data in said]
        tasks = self.tasks
        for number, data in zip(numbers, said, strict=True):
            if data.get("points") != 0 and data["task"] not in steps:
                tasks.pop(number, None)
                tasks[number] = data["agent"]
        while len(tasks) > REMEMBERED:
            tasks.popitem(last=False)
        for number, data in zip(numbers, said, strict=True) if self.steps else ():
            self._step(number, data["agent"])

    def _step(self, number: int, agent: str) -> None:
        """It is who finished it that did it."""
        if number in self.steps:
            item, _ = self.steps[number]
            self.steps[number] = item, agent
            self._count(item, agent)

    def failed(self, task: str) -> None:
        """A check of a step did not pass."""
        step = self.steps.get(crc32(task.encode()))
        if step:
            self._count(*step)

    def shares(self, task: str) -> dict[str, float]:
        """Agent → how much of the blame for a task or an item is its, 1 in all; nobody if that is not known."""
        number = crc32(task.encode())
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
        numbering = Numbering()
        number = numbering.of
        steps = [[step, item, *number((agent,))] for step, (item, agent) in self.steps.items()]
        items = [[item, number(counts), list(counts.values())] for item, counts in self.items.items()]
        tasks = [list(self.tasks), number(self.tasks.values())]
        return {"tasks": tasks, "steps": steps, "items": items, "names": numbering.names()}

    def load(self, dumped: dict[str, Any]) -> None:
        names = Names(dumped["names"])
        numbers, agents = dumped["tasks"]
        self.tasks = OrderedDict(zip(numbers, names.of(agents), strict=True))
        self.steps = OrderedDict((step, (item, *names.of([agent]))) for step, item, agent in dumped["steps"])
        self.items = OrderedDict(
            (item, dict(zip(names.of(agents), counts, strict=True))) for item, agents, counts in dumped["items"]
        )


def _put(memory: OrderedDict[int, Any], key: int, value: Any) -> None:
    """Remember the newest so many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED_ITEMS:
        memory.popitem(last=False)
