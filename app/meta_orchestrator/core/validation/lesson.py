"""What a verdict says beside itself: the numbers, how many of them, and under which conditions they were measured."""

from typing import Any

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.core.validation.judge import Judgement
from meta_orchestrator.core.validation.metrics import public
from meta_orchestrator.messages.outputs import Evidence
from meta_orchestrator.messages.wording import number_text, sure_text


def lesson(moment: Moment, judgement: Judgement) -> dict[str, Any]:
    """Fields of the decision that ends a trial (CONTRACT §4.2)."""
    return {
        "measured": {it.name: it.measured(moment.policy) for it in judgement.comparisons.values()},
        "p_better": judgement.p_better,
        "e_value": judgement.e_value,
        "samples": _samples(judgement),
        "evidence": _evidence(judgement),
        "context": _context(moment, judgement),
    }


def finding(moment: Moment, judgement: Judgement) -> str:
    """What was aimed at, in numbers."""
    all_in_all = f"all in all{_believed(judgement)}, {_better(judgement.p_overall)}"
    comparison = judgement.comparisons.get(judgement.target)
    if comparison is None:
        return f"nothing to compare of {public(judgement.target)}, {all_in_all}"
    measured = comparison.measured(moment.policy)
    move = f"{comparison.name} {number_text(measured.before)} → {number_text(measured.after)}"
    return f"{move}, {_better(judgement.p_target)}; {all_in_all}"


def _better(probability: float) -> str:
    return f"better with a probability of {sure_text(probability)}"


def _believed(judgement: Judgement) -> str:
    """What the response model makes of it."""
    gain = judgement.posterior
    return f", with the load taken out, {100 * gain.mean:+.1f} ± {100 * gain.sd:.1f} %" if gain else ""


def _evidence(judgement: Judgement) -> Evidence:
    feedback, overall, posterior = judgement.feedback, judgement.overall, judgement.posterior
    return {
        "p_target": judgement.p_target,
        "p_overall": judgement.p_overall,
        "gain": overall.value if overall else None,
        "gain_error": overall.error if overall else None,
        "believed_gain": posterior.mean if posterior else None,
        "believed_gain_sd": posterior.sd if posterior else None,
        "raters": feedback.raters,
        "mean_rating": feedback.mean,
    }


def _samples(judgement: Judgement) -> dict[str, int]:
    """Ticks on both sides, and values during the trial."""
    values = {it.name: round(it.after.samples) for it in judgement.comparisons.values()}
    return {"ticks_before": len(judgement.before), "ticks_during": len(judgement.during)} | values


def _context(moment: Moment, judgement: Judgement) -> Evidence:
    """Under what load and with which other settings it was learnt."""
    load: Evidence = {}
    for name in ("tasks_finished", "rounds_closed", "handoffs_ended"):
        for when, rows in (("before", judgement.before), ("during", judgement.during)):
            load[f"{name}_per_hour_{when}"] = _per_hour(rows, name)
    return load | dict(sorted(moment.ledger.config.items()))


def _per_hour(rows: Rows, name: str) -> float | None:
    seconds = float(rows[:, INDEX["seconds"]].sum())
    return float(rows[:, INDEX[name]].sum()) * 3600 / seconds if seconds else None
