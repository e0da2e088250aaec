"""A team that is one formula: fast enough for months of ticks."""

from typing import Any

import numpy as np

from tests.adaptation.making import SUPPORTS, ready

TICK_S = 60
POLICY: dict[str, Any] = {
    "parameters": {"mode": "enforce"},
    "pace": {"warm_up_s": 0},
    "time": {"tick_s": TICK_S},
    "trial": {"watch_s": 0},
}


class Plant:
    """Handoffs time out where the timeout is short, regressions escape where few review, reviews cost velocity.

    `wrong` 0..1 is how much of that is so; at 0 no parameter does anything. Counts are Poisson.
    """

    def __init__(self, wrong: float, seed: int = 1) -> None:
        self.project = ready(POLICY, learns=True, **(SUPPORTS | {"workflow.review_depth": 1}))
        self.wrong, self.rng = wrong, np.random.default_rng(seed)
        self.sizes: list[int] = []

    def row(self) -> dict[str, float]:
        config, draw = self.project.ledger.config, self.rng.poisson
        late = self.wrong * max(0.0, 0.5 - 0.4 * (float(config["workflow.handoff_timeout_s"]) - 120) / 240)
        escape = 0.03 + self.wrong * 0.6 * 0.4 ** float(config["workflow.review_depth"])
        cost = 1 + self.wrong * 0.1 * float(config["workflow.review_depth"])
        tasks, handoffs = draw(6 / cost), draw(10)
        failed = self.rng.binomial(handoffs, 0.02 + 0.9 * late)
        return {
            "tasks_finished": tasks, "points": tasks, "tasks_worked": tasks, "seconds": TICK_S,
            "tasks_regressed": self.rng.binomial(tasks, escape), "handoffs_ended": handoffs, "handoffs_failed": failed,
            "handoffs_timed_out": failed, "busy_us": 60, "capacity_us": 100, "rounds_closed": 4, "rounds_decided": 4,
            "latency_count": 4, "latency_log_sum": 40,
        }  # fmt: skip

    def run(self, days: float) -> "Plant":
        for tick in range(round(days * 86_400 / TICK_S)):
            if self.project.ledger.trial and self.project.ledger.trial.applied_us is None:
                self.project.applied()
            self.project.tick(after_s=TICK_S, rows=self.row(), rules=True)
            if tick % 720 == 0:
                self.sizes.append(len(self.stored()))
        return self

    def stored(self) -> str:
        response = self.project.response
        assert response
        return repr((response.dump(), self.project.ledger.learnt, self.project.ledger.rests_until_us))

    def changes(self, since_day: float = 0.0) -> list[tuple[str, object, object]]:
        """(parameter, from, to) of the trials that began, after some days."""
        since_s = since_day * 86_400
        started = [
            event.data for event in self.project.said
            if event.time_us >= since_s * 1e6 + 1_800_000_000e6 and getattr(event.data, "verdict", "") == "changed"
        ]  # fmt: skip
        return [(it.proposal.parameter, it.proposal.from_, it.proposal.to) for it in started]
