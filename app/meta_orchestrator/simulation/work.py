"""Pieces of work, and how their nature is drawn when they arrive."""

from dataclasses import dataclass, field

from meta_orchestrator.messages.fields import Criticality
from meta_orchestrator.simulation.chance import Chance
from meta_orchestrator.simulation.conditions import RISK, SKILLS, Conditions


class Abandoned(Exception):
    """An operator gave the task up."""


@dataclass(eq=False)
class Piece:
    """What one agent at a time answers for: a task, or a step of one. `apart`: agents that have a sibling of it."""

    id: str
    skill: str | None = None
    handoffs: int = 0
    explained: bool = False  # an operator has told what it is about
    apart: set[str] | None = None


@dataclass(eq=False)
class Task(Piece):
    """A change on its way to production. `size` is 1 for an average one, `effort_s` its coding at speed 1."""

    criticality: Criticality = "normal"
    risk: float = 0.4
    points: int = 1
    size: float = 1.0
    effort_s: float = 0.0
    defects: list[int] = field(default_factory=list)
    item: str | None = None
    born: float = 0.0
    started: float | None = None
    reviews: int = 0
    rounds: int = 0
    reworks: int = 0
    next_defect: int = 0
    accepted: bool = False  # by the council
    waived: bool = False  # an operator lets it pass all gates


def new_task(number: int, now: float, chance: Chance, conditions: Conditions) -> Task:
    """The change that arrives as number `number`: its nature does not depend on when it arrives."""
    criticality: Criticality = chance.choice(conditions.criticalities, "criticality", number)  # type: ignore[assignment]
    points = int(chance.choice(conditions.points, "points", number))
    risk = min(1.0, RISK[criticality] * (0.5 + chance.uniform("risk", number)))
    size = points / conditions.mean_points
    defects = chance.count(conditions.defects_per_point * points * risk / 0.5, "defects", number)
    return Task(
        id=f"T{number}",
        skill=SKILLS[int(chance.uniform("skill", number) * len(SKILLS))],
        criticality=criticality,
        risk=round(risk, 3),
        points=points,
        size=size,
        effort_s=chance.lognormal(conditions.code_s * size, conditions.work_cv, "effort", number),
        defects=list(range(defects)),
        next_defect=defects,
        born=now,
    )


def new_fix(task: Task, defect: int, now: float, conditions: Conditions) -> Task:
    """The repair of a regression: work without points, and what was learnt leaves no new defects in it."""
    return Task(
        id=f"{task.id}-fix{defect}",
        skill=task.skill,
        criticality=task.criticality,
        risk=task.risk,
        points=0,
        size=task.size * conditions.fix_share,
        effort_s=task.effort_s * conditions.fix_share,
        item=task.id,
        born=now,
    )
