"""One fold over the output topics: what is in force, why, and what happened.

`status`, `explain`, `history`, the demo and the page read it. Pure: parsed CloudEvents in, values out.
"""

from meta_orchestrator.view.fold import View
from meta_orchestrator.view.project import ProjectView, Record
from meta_orchestrator.view.sentences import sentence, value_text
from meta_orchestrator.view.story import Story

__all__ = ["ProjectView", "Record", "Story", "View", "sentence", "value_text"]
