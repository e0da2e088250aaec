"""Each limiter of CONTRACT §5, by its name and its sentence, and their order."""

from collections.abc import Callable
from typing import get_args

import pytest

from meta_orchestrator.core.adaptation.limits import LIMITS, first_refusal
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.ledger import Freeze, Ledger, Override, Past
from meta_orchestrator.core.trial import Proposal, Trial
from meta_orchestrator.messages.fields import HOUR_US
from meta_orchestrator.messages.outputs import RefusedBy
from meta_orchestrator.policy import Policy
from tests.adaptation.making import ENFORCED, SUPPORTS, us, wish

NOW_US = us(100_000)


def ledger() -> Ledger:
    """Nothing in it that could hold a wish back."""
    return Ledger(born_us=us(0), config=dict(SUPPORTS), baseline=dict(SUPPORTS), version=7)


def operator_was_here(book: Ledger) -> None:
    book.past = [Past(7, "c", "override", "operator", NOW_US, {})]


def guard_was_here(book: Ledger) -> None:
    book.past = [Past(7, "c", "rollback", "guard", NOW_US, {})]


def pin(book: Ledger) -> None:
    book.overrides["workflow.wip_limit"] = Override(5, 4, us(200_000), "eve")


def freeze(book: Ledger) -> None:
    book.freeze = Freeze(us(200_000), "eve", "because")


def support_nothing(book: Ledger) -> None:
    book.config = {}


def be_young(book: Ledger) -> None:
    book.born_us = us(99_000)


def be_on_trial(book: Ledger) -> None:
    proposal = Proposal("x", "consensus.max_rounds", 3, 2, "r", "m", {}, {}, [])
    book.trial = Trial(proposal, "c", 7, NOW_US, us(101_800), us(100_120), 0, 0, 0, {})


def change_often(book: Ledger) -> None:
    book.changes_us = [NOW_US - HOUR_US + 1] * 4


def rest(book: Ledger) -> None:
    book.rests_until_us["workflow.wip_limit"] = NOW_US + 1


def spend_the_budget(book: Ledger) -> None:
    book.changes_us = [NOW_US - 2 * HOUR_US] * 24


def nothing(book: Ledger) -> None:
    """The wish itself, or the policy, is to blame."""


RECOMMENDING = {"parameters": {}}
TOO_FEW = {"samples": 9, "needed": 20}
CASES: list[tuple[str, Callable[[Ledger], None], Wish, dict[str, object], str]] = [
    ("operator_command", operator_was_here, wish(), {}, "an operator changed the configuration just now"),
    ("safety_rollback", guard_was_here, wish(), {}, "a change was taken back for safety just now"),
    ("pinned", pin, wish(), {}, "eve pinned it to 5 until 2027-01-17T15:33:20Z"),
    ("frozen", freeze, wish(), {}, "changes are frozen until 2027-01-17T15:33:20Z"),
    ("unsupported", support_nothing, wish(), {}, "no orchestrator has said that it supports it"),
    ("bounds", nothing, wish(to=0), {}, "0 is outside 1 to 10"),
    ("mode", nothing, wish(), RECOMMENDING, "the policy only recommends changes of it"),
    ("warming_up", be_young, wish(), {"pace": {}}, "watched for 1000 s of the 3600 s of warm-up"),
    ("evidence", nothing, wish(**TOO_FEW), {}, "it rests on 9 values, and 20 are needed"),
    ("in_flight", be_on_trial, wish(), {}, "consensus.max_rounds = 2 is on trial until 2027-01-16T12:16:40Z"),
    ("rate_limit", change_often, wish(), {}, "4 changes went out in the last hour, and 4 are allowed"),
    ("cooldown", rest, wish(), {}, "it rests until 2027-01-16T11:46:40.000001Z"),
    ("deadband", nothing, wish(gap=0.05), {}, "it is only 5.0% from its target, and 10% are left alone"),
    ("budget", spend_the_budget, wish(), {}, "24 changes went out in the last day, and 24 are allowed"),
]


@pytest.mark.parametrize(("name", "arrange", "wished", "policy", "sentence"), CASES, ids=[case[0] for case in CASES])
def test_each_limiter_refuses_in_its_own_name_with_a_sentence(name, arrange, wished, policy, sentence):
    book = ledger()
    arrange(book)
    refusal = first_refusal(wished, book, Policy.model_validate(ENFORCED | policy), NOW_US)
    assert refusal
    assert refusal.by == name
    assert sentence in refusal.sentence


def test_a_wish_that_nothing_holds_back_passes():
    assert first_refusal(wish(), ledger(), Policy.model_validate(ENFORCED), NOW_US) is None


def test_the_order_is_that_of_the_contract_and_no_name_is_missing():
    assert tuple(limit.__name__ for limit in LIMITS) == get_args(RefusedBy)
    assert [case[0] for case in CASES] == list(get_args(RefusedBy))


@pytest.mark.parametrize("place", range(len(CASES) - 1))
def test_of_two_limiters_that_both_speak_the_earlier_one_wins(place):
    """Every neighbouring pair, arranged together."""
    (name, arrange, wished, policy, _), (_, arrange_later, later, policy_later, _) = CASES[place : place + 2]
    book = ledger()
    arrange_later(book)
    arrange(book)
    both = wish(
        to=min(wished.to, later.to),
        gap=min(wished.why.gap, later.why.gap),
        samples=min(wished.why.samples, later.why.samples),
        needed=max(wished.why.needed, later.why.needed),
    )
    refusal = first_refusal(both, book, Policy.model_validate(ENFORCED | policy_later | policy), NOW_US)
    assert refusal
    assert refusal.by == name


def test_an_unsure_finding_is_refused_by_evidence_with_its_probability():
    refusal = first_refusal(wish(certainty=0.9), ledger(), Policy.model_validate(ENFORCED), NOW_US)
    assert refusal
    assert (refusal.by, refusal.sentence) == ("evidence", "chance would explain it: 90.0% sure, and 97.5% are needed")


@pytest.mark.parametrize(("baseline_s", "held_back"), [(899, True), (900, False), (None, False)])
def test_a_trouble_too_new_for_a_trial_to_be_compared_with_waits(baseline_s, held_back):
    refusal = first_refusal(wish(baseline_s=baseline_s), ledger(), Policy.model_validate(ENFORCED), NOW_US)
    assert bool(refusal) is held_back
    if refusal:
        assert (refusal.by, refusal.sentence) == (
            "evidence",
            "a trial could be compared with 899 s of it only, and 900 s are needed",
        )


def test_a_silent_orchestrator_freezes():
    book = ledger()
    book.silent_since_us, book.unacknowledged = NOW_US, 2
    refusal = first_refusal(wish(), book, Policy.model_validate(ENFORCED), NOW_US)
    assert refusal
    assert refusal.by == "frozen"
    assert "acknowledged none of the last 2 changes" in refusal.sentence


@pytest.mark.parametrize(
    ("arrange", "wished", "sentence"),
    [
        (lambda book: book.rejections.update({"workflow.wip_limit": 3}), wish(), "rejected it 3 times"),
        (lambda book: book.approvals.append("slow"), wish(), "the escalation slow asks for approval"),
        (nothing, wish("workflow.review_depth", 1), "1 is looser than its baseline 2"),
    ],
)
def test_an_enforced_parameter_is_still_only_recommended_where_an_owner_must_look(arrange, wished, sentence):
    book = ledger()
    arrange(book)
    refusal = first_refusal(wished, book, Policy.model_validate(ENFORCED), NOW_US)
    assert refusal
    assert refusal.by == "mode"
    assert sentence in refusal.sentence


def test_a_safety_parameter_may_come_back_to_its_baseline_by_itself():
    book = ledger()
    book.config["workflow.review_depth"] = 4
    tighter_than_baseline = wish("workflow.review_depth", 3)
    assert first_refusal(tighter_than_baseline, book, Policy.model_validate(ENFORCED), NOW_US) is None


def test_the_last_step_of_a_ladder_is_refused_by_bounds():
    book = ledger()
    book.config["consensus.frequency"] = "critical_changes_only"
    refusal = first_refusal(wish("consensus.frequency", None), book, Policy.model_validate(ENFORCED), NOW_US)
    assert refusal
    assert (refusal.by, refusal.sentence) == ("bounds", "there is no step beyond critical_changes_only")
