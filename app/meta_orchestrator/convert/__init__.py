"""Event logs of other systems → the events of CONTRACT §3, so that `replay --report` can say what goes wrong in them.

    file ─xes|table→ Step ─cases→ events of a case ─merge→ JSONL in the order of time

| in the log | becomes |
|---|---|
| an event of a case | a task `CASE#N` with points 0 and `item` CASE: started at the event before, finished at its own |
| the case | a task `CASE`, finished with points 1 at the case's last event, its duration the whole case's |
| another resource than at the event before | a handoff of task CASE; `wait_ms` is the time since then |
| an activity after one that completes the case | rework of CASE by who had completed it, asked for by who goes on |
| impact, priority or severity | `criticality` |
| `lifecycle:transition` start and complete | one step, from its start to its end |

Where a log has only ends, waiting and working cannot be told apart: `duration_ms` of a step is then the time since the
event before (0 for the first), an upper bound of the work; so are the utilization and `wait_ms` that follow from it.
Nothing is capped. A handoff is known only when its receiver acts: it starts and completes at that moment, for it must
not look like one that nobody took for 15 minutes.
"""

from meta_orchestrator.convert.mapping import Mapping, load_mapping
from meta_orchestrator.convert.run import Summary, convert

__all__ = ["Mapping", "Summary", "convert", "load_mapping"]
