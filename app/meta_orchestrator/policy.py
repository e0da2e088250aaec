"""The policy: what may be changed, how far, how fast, and what counts as better. Frozen values, read from TOML.

Nothing is put in force until the owner says `enforce`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from meta_orchestrator.errors import SettingsError
from meta_orchestrator.messages.fields import SECOND, Share, Value
from meta_orchestrator.messages.outputs import Action, AntipatternKind

Mode = Literal["recommend", "enforce"]
Model = TypeVar("Model", bound=BaseModel)
Type = Literal["int", "float", "choice", "frequency"]
DriftDetector = Literal["rank_esr", "adwin"]
Metric = Literal[
    "consensus_latency_p95_ms",
    "consensus_success_rate",
    "dissent_rate",
    "agent_utilization",
    "handoff_failure_rate",
    "development_velocity",
    "quality_regression_rate",
    "coordination_failures",
    "rework_percentage",
]
Symptom = Literal[
    "regressions",
    "timeouts",
    "slow_votes",
    "no_agreement",
    "undecided",
    "overload",
    "starvation",
    "crowding",
    "rework",
    "stuck",
    "slow_and_clean",
]
"""What may look wrong, in the order in which the rules attend to it (`core/adaptation/symptoms/`)."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Parameter(Section):
    """A setting of the orchestrator that may be tuned."""

    type: Type
    low: float | None = Field(None, description="least value (int, float)")
    high: float | None = Field(None, description="greatest value (int, float)")
    step: PositiveFloat | None = Field(None, description="the size of one change (int, float)")
    choices: tuple[str, ...] | None = Field(
        None, description="the values in order, one change moves one place (choice)"
    )
    default: Value | None = None
    mode: Mode = "recommend"
    safety: bool = Field(False, description="a value looser than the baseline is always only recommended")
    looser: Literal["down", "up"] = Field("down", description="which way is looser")
    guards: tuple[Metric, ...] = Field((), description="metrics that must not get worse while a change is on trial")
    helps: dict[Symptom, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default_factory=dict, description="against which trouble one step up helps, and how much; down where negative"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type in ("int", "float") and (
            self.low is None or self.high is None or self.step is None or self.low > self.high
        ):
            raise ValueError(f"a parameter of type {self.type} needs low <= high and a step")
        if self.type == "choice" and not self.choices:
            raise ValueError("a parameter of type choice needs choices")
        return self


ESCALATING: tuple[str, ...] = (
    *Metric.__args__,  # type: ignore[attr-defined]
    "handoff_failure_causes",
    "manual_interventions",
    "late_events",
    "counts",
    *AntipatternKind.__args__,  # type: ignore[attr-defined]
)
"""What an escalation may watch."""

_GUARDS: tuple[Metric, ...] = ("quality_regression_rate", "handoff_failure_rate", "consensus_success_rate")
"""Rates, not counts: a team that does twice as much may fail twice as often."""


def _threshold(low: float, high: float, default: float, safety: bool = False) -> Parameter:
    return Parameter(type="float", low=low, high=high, step=0.05, default=default, safety=safety, guards=_GUARDS)


def _count(low: int, high: int, default: int, step: int = 1, safety: bool = False) -> Parameter:
    return Parameter(type="int", low=low, high=high, step=step, default=default, safety=safety, guards=_GUARDS)


BUILT_IN: dict[str, Parameter] = {
    "consensus.frequency": Parameter(type="frequency", default="every_change", guards=_GUARDS),
    "consensus.threshold.minor": _threshold(0.5, 0.9, 0.5),
    "consensus.threshold.normal": _threshold(0.5, 0.9, 0.6),
    "consensus.threshold.major": _threshold(0.6, 0.95, 0.67, safety=True),
    "consensus.threshold.critical": _threshold(0.66, 1, 0.75, safety=True),
    "consensus.max_rounds": _count(1, 6, 3),
    "workflow.wip_limit": _count(1, 10, 4),
    "workflow.handoff_timeout_s": _count(10, 900, 120, step=60),
    "workflow.max_rework": _count(1, 5, 3),
    "workflow.max_handoffs": _count(5, 50, 20, step=5),
    "workflow.review_depth": _count(0, 4, 2, safety=True),
    "quality.min_pass_rate": Parameter(
        type="float", low=0.7, high=1, step=0.05, default=0.9, safety=True, guards=_GUARDS
    ),
}
"""CONTRACT §5. One step is at most a fifth of the range, but for small whole numbers, where it is one."""


class Time(Section):
    pane_s: PositiveFloat = 10
    tick_s: PositiveFloat = 30
    window_s: PositiveFloat = 300
    lateness_s: Annotated[float, Field(ge=0)] = 15
    history_s: PositiveFloat = Field(
        86_400, description="how far findings and decisions look back where data is sparse"
    )

    @model_validator(mode="after")
    def _multiples(self) -> Self:
        for name, value in (("tick_s", self.tick_s), ("window_s", self.window_s)):
            if round(value * SECOND) % round(self.pane_s * SECOND):
                raise ValueError(f"{name} must be a multiple of pane_s")
        if 60 * SECOND % round(self.tick_s * SECOND):
            raise ValueError("60 s must be a multiple of tick_s")
        return self

    @property
    def pane_us(self) -> int:
        return round(self.pane_s * SECOND)

    @property
    def tick_us(self) -> int:
        return round(self.tick_s * SECOND)

    @property
    def window_us(self) -> int:
        return round(self.window_s * SECOND)

    @property
    def lateness_us(self) -> int:
        return round(self.lateness_s * SECOND)

    @property
    def history_us(self) -> int:
        return round(self.history_s * SECOND)


class Samples(Section):
    p95: PositiveInt = Field(20, description="fewer values than this and a p95 is null")
    rate: PositiveInt = Field(10, description="a smaller denominator than this and a rate is null")


class Limits(Section):
    """Caps on everything that could grow without end. What would pass one is dead-lettered as over_limit."""

    projects: PositiveInt = 1_000
    agents: PositiveInt = Field(10_000, description="a project")
    open_tasks: PositiveInt = Field(100_000, description="a project; held and not finished")
    open_rounds: PositiveInt = Field(100_000, description="a project; voted on and not closed")
    remembered: PositiveInt = Field(1_000_000, description="a project and kind; ended ids that are remembered for 24 h")
    explained_agents: PositiveInt = Field(
        100, description="a project; the busiest, told apart where the cause of a change is sought, the rest is one"
    )


class Pace(Section):
    """How fast the configuration may move."""

    warm_up_s: Annotated[float, Field(ge=0)] = Field(3600, description="watch this long before the first change")
    changes_per_hour: PositiveInt = Field(4, description="rate limit over all parameters of a project")
    cooldown_s: Annotated[float, Field(ge=0)] = Field(
        600, description="rest of a parameter after its trial; doubled by each failure, up to 8 times"
    )
    reverse_s: Annotated[float, Field(ge=0)] = Field(
        7200, description="a change that was kept is not reversed for so long: no to and fro"
    )
    decline_s: Annotated[float, Field(ge=0)] = Field(
        86_400, description="rest of a parameter after an owner declined its proposal or rolled it back"
    )
    dead_band: Share = Field(
        0.1, description="a metric closer to its target than this (relative) is left alone; HPA's 10 %"
    )
    budget_per_day: PositiveInt = Field(12, description="changes a day over all parameters of a project")
    proposal_s: PositiveFloat = Field(86_400, description="a recommendation waits this long for an answer")
    refusal_repeat_s: PositiveFloat = Field(3600, description="the same refusal is written at most this often")


class Trials(Section):
    """How a change is judged."""

    acknowledge_s: PositiveFloat = Field(
        120, description="published again after this long without config.applied, reverted after as long again"
    )
    settle_s: Annotated[float, Field(ge=0)] = Field(
        120, description="left out after the acknowledgement: work in progress belongs to the old setting"
    )
    review_s: PositiveFloat = Field(1800, description="a trial is judged this long after its change")
    baseline_s: PositiveFloat = Field(3600, description="what the trial is compared with: this long before the change")
    keep_at: Share = Field(
        0.9, description="kept if better with at least this probability; inconclusive means taken back"
    )
    believe_at: Share = Field(
        0.6,
        description="the same where the response model says so: it knows of the load, and counts its own doubt twice",
    )
    put_off_s: Annotated[float, Field(ge=0)] = Field(
        3600,
        description="a review at which the model is sure of neither is put off for so long at the most, then it must"
        " only lean to the change: without this nine of eleven wrong verdicts took back what helped (measured)",
    )
    aim_at: Share = Field(
        1 / 3, description="enough of the model where what was aimed at is better with a probability of keep_at"
    )
    measure_s: PositiveFloat = Field(
        900, description="measured at least this long before a verdict ahead of the review: a few windows"
    )
    reject_at: Share = Field(
        0.1, description="taken back ahead of the review if better with at most this probability, and clearly worse"
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="chance that a trial without effect is kept ahead of its review, looked at at every tick"
    )
    guard_at: Share = Field(0.975, description="so sure must be what is wrong before anything is changed for it")
    guard_alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="chance that a harmless trial is rolled back by any of its guards, looked at at every tick"
    )
    guard_margin: Share = Field(0.1, description="and by more than this share of its value before")
    switchback_below: Annotated[float, Field(ge=0)] = Field(
        0.03,
        description="a change that will hardly bring more than this (share of the objective) is tried to and fro where"
        " agents share work: a plain before and after cannot show so little (measured)",
    )
    switchback_pairs: PositiveInt = Field(6, description="pairs of periods, one under each value")
    period_s: PositiveFloat = Field(1200, description="of a switchback: several times as long as a task takes")
    burn_in: Share = Field(0.25, description="of a period that is left out: queues still show the other value")
    flips_per_day: Annotated[int, Field(ge=0)] = Field(24, description="of switchbacks, beside the change budget")
    watch_s: Annotated[float, Field(ge=0)] = Field(
        86_400, description="a kept change is taken back if a guard gets clearly worse within this time"
    )
    silent_after: PositiveInt = Field(2, description="trials in a row without acknowledgement that stop all changes")
    rejections: PositiveInt = Field(
        3, description="rejections by the orchestrator that put a parameter into mode recommend"
    )
    feedback_raters: PositiveInt = 5
    feedback_floor: Annotated[float, Field(ge=-1, le=1)] = Field(
        -0.5, description="a mean rating below this makes better inconclusive"
    )


class Analysis(Section):
    """When something is worth saying. Rates are false alarms in stable conditions."""

    drift_run_length: PositiveFloat = Field(
        10_000, description="batches of each stream between two false drifts of all streams of a project together"
    )
    drift_batch: PositiveInt = Field(20, description="values (events of a rate) that make one batch of a stream")
    drift_agent_batch: PositiveInt = Field(
        10, description="the same of an agent's own metrics: an agent does less than a team"
    )
    drift_agents: PositiveInt = Field(1000, description="agents of a project whose own metrics are watched, at most")
    drift_detectors: tuple[DriftDetector, ...] = Field(
        ("rank_esr",),
        description="which may speak of a project's metrics; adwin is slow, and no part of the bound on false alarms",
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01, description="false alarms of an antipattern's test in a look-back"
    )
    fdr: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="of the agents that are called dissenters, the share that may be wrongly called so"
    )
    bottleneck_wait: PositiveFloat = Field(
        1, description="tasks must wait for a bottleneck so many times as long as they are worked on there"
    )
    min_events: PositiveInt = Field(20, description="fewer events of its kind and an antipattern is not looked for")
    agent_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="of a rate that decides, an agent reports this share or twice its fair part at the most"
    )
    clear_after_s: PositiveFloat = Field(600, description="an antipattern not seen for this long is cleared")
    lookback_s: PositiveFloat = Field(1800, description="antipatterns look at this much of the past")
    cause_alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="chance that somebody is named as the cause of a change that all share evenly"
    )
    trends_per_day: Annotated[float, Field(gt=0)] = Field(
        0.03, description="false trends of a project in stable conditions: one a month"
    )


NotNegative = Annotated[float, Field(ge=0)]


class Adaptation(Section):
    """Which change is tried. Gains are shares of the objective: .01 is one percent of all that counts.

    The standard deviations are those of the response model before it has seen anything; it learns the rest.
    """

    chooser: Literal["rules", "model"] = Field(
        "model", description="rules: the first remedy of the first symptom; model: the change that promises most"
    )
    batch_s: PositiveFloat = Field(300, description="one look of the response model spans this long at the least")
    batch_tasks: PositiveInt = Field(8, description="and so many finished tasks: fewer are mostly noise")
    least_looks: PositiveInt = Field(2, description="of the response model at a trial, before it is asked about it")
    try_at: Share = Field(
        0.55, description="nothing is tried that helps with less: it would end where a trial shows nothing"
    )
    least_gain: NotNegative = Field(0.003, description="nor what promises less than this when it is drawn (measured)")
    doubt: PositiveFloat = Field(
        1.5, description="the model's standard deviations count this much more: it is wrong somewhere (measured)"
    )
    step_sd: PositiveFloat = Field(0.02, description="what one step of a parameter may do by itself")
    remedy_gain: PositiveFloat = Field(0.03, description="what one step of a remedy does where its symptom is strong")
    remedy_sd: PositiveFloat = Field(0.02, description="how unsure that is: the direction is known, the size is not")
    level_sd: PositiveFloat = Field(0.5, description="where the score of an unknown team may stand")
    level_drift_sd: NotNegative = Field(0.01, description="how far the score wanders by itself in an hour")
    disturbed_sd: PositiveFloat = Field(0.2, description="how far it may have moved where a drift was detected")
    noise_sd: PositiveFloat = Field(0.2, description="spread of the score of `batch_s` seconds, until it is known")
    noise_looks: PositiveInt = Field(30, description="looks after which their own spread counts as much as that")
    harm: PositiveFloat = Field(
        0.05, description="a guard that takes a change back tells the model of such a loss, give or take half of it"
    )
    memory_s: PositiveFloat = Field(
        604_800, description="what is not seen again is forgotten over this time: teams change within weeks"
    )


class Reset(Section):
    """Back to the golden baseline, and how fast the configuration may move away from it again."""

    every_s: PositiveFloat | None = Field(
        None, description="on schedule, so long after the last one; not while something is on trial; never by default"
    )
    ramp_s: NotNegative = Field(
        14_400, description="after a reset the rate limit grows from one change an hour back to its value over this"
    )


class Targets(Section):
    """What the rules steer towards."""

    consensus_latency_p95_ms: PositiveFloat = 120_000
    consensus_success_rate: Share = 0.8
    handoff_failure_rate: Share = 0.1
    quality_regression_rate: Share = 0.1
    utilization_low: Share = 0.4
    utilization_high: Share = 0.85
    places_taken: Share = Field(
        0.95, description="of the places for tasks of some agents, for about an hour: beyond it work waits"
    )
    interventions: Share = Field(0.01, description="people who had to step in, of a kind, for each finished task")


class Escalation(Section):
    """A metric (or an antipattern's kind, then its severity) beyond a threshold for some time."""

    metric: str
    threshold: float
    below: bool = Field(False, description="raised below the threshold instead of above it")
    for_s: Annotated[float, Field(ge=0)] = 600
    clear_margin: Share = Field(0.1, description="hysteresis: cleared only this far (relative) on the good side")
    action: Action = "notify"

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        """`agent_utilization.coder` and `handoff_failure_causes.timeout` name one entry."""
        if metric.partition(".")[0] not in ESCALATING:
            raise ValueError(f"must be one of {', '.join(ESCALATING)}")
        return metric


class Weights(Section):
    """What better means: shares of velocity, quality, coordination, resource use and risk in the objective."""

    velocity: Annotated[float, Field(ge=0)] = 0.4
    quality: Annotated[float, Field(ge=0)] = 0.25
    coordination: Annotated[float, Field(ge=0)] = 0.15
    utilization: Annotated[float, Field(ge=0)] = 0.1
    risk: Annotated[float, Field(ge=0)] = Field(0.1, description="people who had to step in, for each finished task")


class ProjectPolicy(Section):
    profile: str = "standard"


class Policy(Section):
    time: Time = Time()
    samples: Samples = Samples()
    limits: Limits = Limits()
    pace: Pace = Pace()
    trial: Trials = Trials()
    analysis: Analysis = Analysis()
    adaptation: Adaptation = Adaptation()
    reset: Reset = Reset()
    targets: Targets = Targets()
    parameters: dict[str, Parameter] = Field(default_factory=lambda: dict(BUILT_IN))
    escalation: tuple[Escalation, ...] = (
        Escalation(metric="handoff_failure_rate", threshold=0.5),
        Escalation(metric="consensus_success_rate", threshold=0.3, below=True),
        Escalation(metric="handoff_cycle", threshold=0.5, for_s=1800),
    )
    profiles: dict[str, Weights] = Field(
        default_factory=lambda: {
            "standard": Weights(),
            "critical": Weights(velocity=0.2, quality=0.45),
        }
    )
    project: dict[str, ProjectPolicy] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _merge(cls, given: Any) -> Any:
        """`[parameters] mode` speaks for all; a parameter's own table changes only what it names."""
        if not isinstance(given, dict):
            return given
        tables = dict(given.get("parameters", {}))
        everywhere = {"mode": tables.pop("mode")} if "mode" in tables else {}
        known = {name: parameter.model_dump() | everywhere for name, parameter in BUILT_IN.items()}
        for name, own in tables.items():
            known[name] = (known.get(name, everywhere) | own) if isinstance(own, dict) else own
        profiles = {"standard": {}, "critical": Weights(velocity=0.2, quality=0.45).model_dump()} | given.get(
            "profiles", {}
        )
        return given | {"parameters": known, "profiles": profiles}

    @model_validator(mode="after")
    def _profiles_exist(self) -> Self:
        for name, project in self.project.items():
            if project.profile not in self.profiles:
                raise ValueError(f"project.{name}.profile: {project.profile!r} is none of {sorted(self.profiles)}")
        return self

    def weights(self, project: str) -> Weights:
        """The objective of a project."""
        return self.profiles[self.project[project].profile if project in self.project else "standard"]


ANTIPATTERNS: tuple[str, ...] = AntipatternKind.__args__  # type: ignore[attr-defined]


def load_policy(path: Path | None) -> Policy:
    """The policy in a TOML file, the defaults where there is none. SettingsError names the key."""
    if path is None:
        return Policy()
    try:
        given = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError("policy", str(path), f"must be a readable file ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("policy", str(path), f"must be TOML ({error})") from error
    return parse(Policy, given, "policy")


def parse(model: type[Model], given: Any, name: str) -> Model:
    """The model of some settings; SettingsError with the path of the first wrong key."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(".".join([name, *map(str, first["loc"])]), first["input"], first["msg"]) from error
