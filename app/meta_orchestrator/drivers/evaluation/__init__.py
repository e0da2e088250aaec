"""`evaluate`: the controller against nobody, in simulation, before anybody trusts it.

    plan → runs (static, controlled, best fixed) → counterfactual runs of decisions → rows → tables, page, JSON

Everything is judged by the team's own books (`simulation/truth.py`), never by what the controller measured. Arms share
their seeds, so arrivals, defects and votes are the same, and what differs is what was decided.
"""

from meta_orchestrator.drivers.evaluation.arms import arms
from meta_orchestrator.drivers.evaluation.crew import Bar, Crew
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation, evaluate
from meta_orchestrator.drivers.evaluation.plan import Plan, plan_of
from meta_orchestrator.drivers.evaluation.tables import tables
from meta_orchestrator.policy import Policy

__all__ = ["Evaluation", "Plan", "evaluate_all", "plan_of", "tables"]


def evaluate_all(plan: Plan, policy: Policy, ablations: bool, bar: Bar) -> Evaluation:
    """Everything that a plan asks for, on all cores."""
    with Crew(bar) as crew:
        return evaluate(plan, arms(policy, ablations, plan.rules), crew)
