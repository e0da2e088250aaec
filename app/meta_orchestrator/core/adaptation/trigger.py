"""What led to a change, by the ids under which it was said."""

from meta_orchestrator.core.analysis.findings import subject
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.cloudevent import name_in_advance
from meta_orchestrator.messages.outputs import Antipattern, Drift, MetricsSnapshot


def triggers(moment: Moment, *insights: Drift | Antipattern | None) -> list[str]:
    """The insights, said now or earlier, and the numbers of this tick, whose snapshot follows the decisions."""
    names = [moment.findings.said[subject(insight)] for insight in insights if insight]
    if moment.has_snapshot:
        names.append(name_in_advance(MetricsSnapshot, moment.project, moment.tick_us))
    return names
