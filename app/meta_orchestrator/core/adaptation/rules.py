"""The chooser without a model: the main remedy of each symptom, in the order of precedence of the symptoms."""

from collections.abc import Mapping

from meta_orchestrator.core.adaptation.remedies import SYMPTOMS, against
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish, has_effect, remedy
from meta_orchestrator.core.moment import Moment

MAIN = 0.5
"""A weaker remedy than this is none by itself."""


def main_remedies(moment: Moment, symptoms: Mapping[str, Symptom]) -> list[Wish]:
    """One wish a parameter at the most: where two symptoms pull at one, the first has it."""
    wishes: dict[str, Wish] = {}
    for name in SYMPTOMS:
        remedies = against(moment.policy, name) if name in symptoms else []
        at_work = [remedy for remedy in remedies if remedy[2] >= MAIN and has_effect(moment, *remedy[:2])]
        for parameter, direction, _ in at_work[:1]:
            wishes.setdefault(parameter, remedy(moment, symptoms[name], parameter, direction))
    return list(wishes.values())
