"""One fold over the output topics: what is in force, why, and what happened.

What outputs cannot tell is heard from the inputs: what the orchestrator applied, what operators hold until when.
`status`, `explain`, `history`, the demo and the report read it. Pure: parsed CloudEvents in, values out.
"""

from meta_orchestrator.view.fold import View
from meta_orchestrator.view.lessons import lessons
from meta_orchestrator.view.project import ProjectView, Record
from meta_orchestrator.view.sentences import full_sentence, sentence, time_text, value_text
from meta_orchestrator.view.story import ENDED, Story, told_once

__all__ = [
    "ENDED",
    "ProjectView",
    "Record",
    "Story",
    "View",
    "full_sentence",
    "lessons",
    "sentence",
    "time_text",
    "told_once",
    "value_text",
]
