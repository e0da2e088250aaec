"""How a team is and how its work arrives: everything that is not configuration. Seconds at scale 1, shares 0..1."""

from dataclasses import dataclass, field, fields, replace
from typing import Self

from meta_orchestrator.messages.fields import Criticality

SKILLS = ("backend", "frontend", "data")
RISK: dict[Criticality, float] = {"minor": 0.2, "normal": 0.4, "major": 0.7, "critical": 1.0}
"""The mean risk of a change, as in CONTRACT §5."""


@dataclass(frozen=True)
class Member:
    """An agent as it is hired. `speed` 1.2 needs 1/1.2 of the time; `capacity` is tasks worked on at once."""

    name: str
    type: str
    skills: tuple[str, ...] = SKILLS
    speed: float = 1.0
    capacity: int = 1


def _coders() -> tuple[Member, ...]:
    """Five coders: each skill is there three times or more, nobody has them all."""
    backend, frontend, data = SKILLS
    skills = ((backend, frontend), (backend, data), (frontend, data), (backend, frontend), (data, backend))
    speeds = (1.15, 1.0, 0.9, 1.05, 0.9)
    return tuple(Member(f"coder-{i + 1}", "coder", skills[i], speeds[i]) for i in range(5))


ROSTER = (
    Member("planner-1", "planner"),
    *_coders(),
    *(Member(f"reviewer-{i}", "reviewer") for i in (1, 2, 3)),
    *(Member(f"tester-{i}", "tester") for i in (1, 2)),
)


@dataclass(frozen=True)
class Conditions:
    """Means and shares of the team's world. Fields that end in `_s` are durations and shrink with `scaled`."""

    roster: tuple[Member, ...] = ROSTER
    # work that arrives
    interarrival_s: float = 90
    backlog: int = 40  # changes that wait to be planned; what comes beyond is turned away
    criticalities: dict[str, float] = field(
        default_factory=lambda: {"minor": 0.45, "normal": 0.35, "major": 0.15, "critical": 0.05}
    )
    points: dict[str, float] = field(default_factory=lambda: {"1": 0.4, "2": 0.3, "3": 0.2, "5": 0.1})
    # work that is done
    plan_s: float = 36
    code_s: float = 210  # for a change of average size
    review_s: float = 45
    test_s: float = 75
    work_cv: float = 0.5  # coefficient of variation of each piece of work
    slice_s: float = 45  # an agent looks up from its work this often: votes and reviews are served first
    switch_s: float = 1.5  # to get back into a task, for each other task on the desk
    unskilled: float = 1.5  # factor on work without the skill
    # handoffs
    accept_s: float = 15  # until the receiver answers, with an empty desk
    accept_cv: float = 1.0
    accept_per_task: float = 0.15  # slower by this share for each task on its desk
    lost: float = 0.005  # never answered: only the timeout ends it
    rejected: float = 0.01
    missing_context: float = 0.01
    prepare_s: float = 18  # what a failed handoff costs its sender
    patience_s: float = 1800  # of a sender whose handoff nobody takes; then an operator is called
    orphaned: float = 0.001  # tasks whose context is lost: every handoff of them fails until an operator explains it
    # tasks that wait for one another
    tangle: float = 0.01  # for each other change that is being coded: this one cannot go on before that one is done
    stuck_s: float = 1800  # of waiting, then somebody looks whether it goes round in a circle
    # votes
    voters: tuple[str, ...] = ("coder", "reviewer")  # types of agents; none: a project without votes
    ponder_s: float = 9  # until a voter turns to the question
    vote_s: float = 12  # of its attention
    batch_share: float = 0.3  # each further item of a batch costs this share of `vote_s`
    discuss_s: float = 30  # between two rounds
    vote_deadline_s: float = 360
    quorum: float = 0.5
    abstain: float = 0.05
    insight: float = 0.3  # a voter sees a defect
    debate: float = 0.8  # a defect of a rejected change comes up in the debate
    doubt: dict[str, float] = field(
        default_factory=lambda: {"minor": 0.1, "normal": 0.12, "major": 0.15, "critical": 0.18}
    )  # a vote against a sound change
    persuaded: float = 0.7  # factor on doubt from round to round
    stubborn: dict[str, float] = field(default_factory=dict)  # agent → its own doubt, which no round changes
    # quality
    defects_per_point: float = 0.25  # at risk .5, proportional to the risk
    catch: float = 0.5  # a reviewer finds a defect
    nitpick: float = 0.03  # a reviewer asks for rework of a sound change
    rework_share: float = 0.4  # of the first effort
    new_defect: float = 0.08  # made by a rework
    muddled: float = 0.02  # changes that rework makes no better
    muddle: float = 0.8  # a new defect, made by a rework of one of those
    checks: int = 10
    check_catch: float = 0.7  # a defect fails its check
    flaky: float = 0.01  # a check fails for nothing
    regression_delay_s: float = 2700
    fix_share: float = 0.5  # effort of a fix, of the effort of its change
    # people
    operator_s: float = 540
    abandons: float = 0.5  # an operator who is called for endless rework gives the task up
    heartbeat_s: float = 300  # 0: agents send none
    rates: float = 0.4  # share of the agents that say what they think of a change of the configuration
    rate_s: float = 3600  # after they have worked with it for about this long
    mood: float = 0.3  # standard deviation of a rating for reasons of its own
    dislikes: dict[str, float] = field(default_factory=dict)  # parameter → how its change is rated, whatever it does
    liars: tuple[str, ...] = ()  # agents whose reports are made up
    lie_s: float = 120  # between two lies
    scale: float = 1.0  # of all durations

    def scaled(self, factor: float) -> Self:
        """The same team with all durations multiplied: .05 makes minutes of work into seconds for a demonstration."""
        durations = {f.name: getattr(self, f.name) * factor for f in fields(self) if f.name.endswith("_s")}
        return replace(self, **durations, scale=self.scale * factor)

    @property
    def demand(self) -> float:
        """Points a day, of the team's own days, that arrive."""
        return self.mean_points * 86_400 * self.scale / self.interarrival_s

    @property
    def mean_points(self) -> float:
        return sum(int(name) * share for name, share in self.points.items()) / sum(self.points.values())
