"""Why people had to step in lately: counts by reason that fade, beside the tasks that were finished meanwhile."""

from dataclasses import dataclass, field
from math import exp

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND, six_digits


@dataclass
class Calls:
    """`recent` and `tasks` fade over `time.history_s` / 4: long enough for what is rare, short enough to notice."""

    recent: dict[str, float] = field(default_factory=dict)
    tasks: float = 0.0
    at_us: int | None = None

    def count(self, moment: Moment) -> None:
        """Take in one tick that has a row in History."""
        keep = self._keep(moment)
        self.recent = {why: six_digits(keep * calls) for why, calls in self.recent.items() if keep * calls > 1e-3}
        row = moment.history.rows[-1]
        self.tasks = six_digits(keep * self.tasks + float(row[INDEX["tasks_finished"]]))
        if row[INDEX["interventions"]]:
            for event in moment.events:
                if event[3] == "operator.intervened":
                    why = str(event[4].get("reason") or "other")
                    self.recent[why] = self.recent.get(why, 0.0) + 1

    def _keep(self, moment: Moment) -> float:
        before_us, self.at_us = self.at_us, moment.tick_us
        if before_us is None:
            return 1.0
        return exp(-4 * (moment.tick_us - before_us) / SECOND / moment.policy.time.history_s)
