"""The raw results as JSON: whoever doubts a figure can work it out."""

from math import isinf
from typing import Any

from meta_orchestrator.drivers.evaluation.counterfactual import Judged
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
from meta_orchestrator.drivers.evaluation.intervals import Interval
from meta_orchestrator.drivers.evaluation.rows import Row, rows
from meta_orchestrator.drivers.evaluation.runs import Run
from meta_orchestrator.messages.fields import six_digits
from meta_orchestrator.simulation.truth import Span


def raw(done: Evaluation) -> dict[str, Any]:
    return {
        "plan": vars(done.plan),
        "unfinished": done.unfinished,
        "policies": {arm: policy.model_dump(mode="json") for arm, policy in done.policies.items()},
        "rows": [_row(row) for row in rows(done)],
        "best": done.best,
        "judged": [_judged(one) for one in done.judged],
        "runs": [_run(run) for run in done.runs.values()],
    }


def _row(row: Row) -> dict[str, Any]:
    changes = {what: _interval(found) for what, found in row.changes.items()}
    return vars(row) | {"changes": changes, "right": _interval(row.right), "gap": _interval(row.gap)}


def _interval(found: Interval | None) -> dict[str, float | None] | None:
    """No end where one seed gives none."""
    if found is None:
        return None
    return {name: None if isinf(end) else six_digits(end) for name, end in vars(found).items()}


def _judged(one: Judged) -> dict[str, Any]:
    return vars(one) | {"decided": vars(one.decided), "gain": _interval(one.gain), "finding": one.finding}


def _run(run: Run) -> dict[str, Any]:
    return {
        "scenario": run.scenario,
        "arm": run.arm,
        "seed": run.seed,
        "hours": [_hour(span) for span in run.hours],
        "applied": run.applied,
        "decided": [vars(decided) for decided in run.decided],
        "state_bytes": run.state_bytes,
    }


def _hour(span: Span) -> dict[str, float]:
    """The books, and what they come to."""
    return {name: six_digits(float(number)) for name, number in span.totals.items()} | {
        "utility": six_digits(span.utility),
        "utilization": six_digits(span.utilization),
        "productive": six_digits(span.productive),
    }
