"""`history --lessons`: what trials have taught, as Markdown."""

from meta_orchestrator.messages.outputs import Measured
from meta_orchestrator.view import lessons
from tests.view.making import decision, record

SPEED = {"development_velocity": Measured(before=10, after=12.5, interval=(1, 4))}


def test_each_ended_trial_is_a_row_and_a_sentence():
    told = [
        record(decision("changed")),
        record(decision("kept", measured=SPEED, expected={"development_velocity": 0.1}, p_better=0.97), 30),
        record(decision("rolled_back", proposal="p2", from_=5, to=6), 60),
        record(decision("aborted", proposal="p3", from_=5, to=6, why="overridden"), 90),
        record(decision("refused", proposal="p4", refused_by="cooldown"), 95),
    ]
    text = lessons("checkout", told)
    assert text.startswith("# What checkout has learnt about its settings\n\n## workflow.wip\\_limit\n")
    assert "Tried 3 times: 1 kept, 1 taken back, 1 ended before they could be judged." in text
    assert "| 4 → 5 | kept | development\\_velocity 10 → 12.5 | development\\_velocity +10% | 97% |" in text
    assert text.count("\n| ") == 1 + 3
    assert text.count("\n- ") == 3


def test_text_of_others_stays_text():
    spoken = decision("kept").model_copy(update={"explanation": "eve | said\n# *hello* <b>"})
    text = lessons("check|out", [record(spoken)])
    assert "eve \\| said \\# \\*hello\\* \\<b\\>" in text
    assert "# What check\\|out has" in text


def test_where_nothing_was_tried_it_says_so():
    assert "No trial has ended yet." in lessons("checkout", [record(decision("changed"))])
