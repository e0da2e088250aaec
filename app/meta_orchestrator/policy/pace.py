"""When and how fast: time, windows, limits, and how a change is tried and taken back."""

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from meta_orchestrator.messages.fields import SECOND, Share
from meta_orchestrator.policy.section import NotNegative, Section


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
        600,
        description="rest of a parameter after its trial; doubled by each failure, up to `adaptation.memory_s`: to try"
        " again and again is to wait for luck",
    )
    reverse_s: Annotated[float, Field(ge=0)] = Field(
        7200,
        description="a change that was kept is not reversed for so long, doubled by each turn and by each time the way"
        " back could not be shown to help: no to and fro",
    )
    decline_s: Annotated[float, Field(ge=0)] = Field(
        86_400, description="rest of a parameter after an owner declined its proposal or rolled it back"
    )
    dead_band: Share = Field(
        0.1, description="a metric closer to its target than this (relative) is left alone; HPA's 10 %"
    )
    budget_per_day: PositiveInt = Field(
        24,
        description="changes a day over all parameters of a project: the steps of three troubles; with half of it the"
        " third of a day was not answered (measured)",
    )
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
    late_s: PositiveFloat = Field(
        7200, description="the same of a change that is to save regressions: these escape for hours before they are met"
    )
    longest_lead_s: Annotated[float, Field(ge=0)] = Field(
        14_400,
        description="what gets done under another limit of work in progress is looked at after half the time that a"
        " task takes, and reviewed after all of it again: what is finished at first was begun before; longer counts as"
        " this",
    )
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
        1 / 3,
        description="enough of the model where what was aimed at is better with a probability of keep_at, and neither"
        " follows the load nor comes seldom or late",
    )
    measure_s: PositiveFloat = Field(
        900,
        description="measured at least this long before a verdict ahead of the review, a few windows; and a trial does"
        " not begin before there is as much to compare it with, or half of `review_s` if that is less",
    )
    reject_at: Share = Field(
        0.1, description="taken back ahead of the review if better with at most this probability, and clearly worse"
    )
    alpha: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.05, description="chance that a trial without effect is kept ahead of its review, looked at at every tick"
    )
    guard_at: Share = Field(0.975, description="so sure must be what is wrong before anything is changed for it")
    guard_alpha: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.1, description="chance that a harmless trial is rolled back by any of its guards, looked at at every tick"
    )
    guard_margin: Share = Field(0.1, description="and by more than this share of its value before")
    switchback_below: Annotated[float, Field(ge=0)] = Field(
        0.02,
        description="a change that will hardly bring more than this (share of the objective) is tried to and fro where"
        " agents share work: a plain before and after cannot show so little (measured); hours for what may bring more"
        " would keep everything else waiting",
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

    @property
    def least_baseline_s(self) -> float:
        """A trial begins when there is at least so much to compare it with."""
        return min(self.measure_s, self.review_s / 2)


class Reset(Section):
    """Back to the golden baseline, and how fast the configuration may move away from it again."""

    every_s: PositiveFloat | None = Field(
        None, description="on schedule, so long after the last one; not while something is on trial; never by default"
    )
    ramp_s: NotNegative = Field(
        14_400, description="after a reset the rate limit grows from one change an hour back to its value over this"
    )
