"""handoff_cycle: a task goes round, A → B → C → A."""

from meta_orchestrator.core.analysis.antipatterns.shared.handoffs import Returns
from meta_orchestrator.core.analysis.antipatterns.shared.moves import Move, Path


class HandoffCycle(Returns):
    """Tasks that come back over two agents or more (A → B → C → A), more often than the project's own past explains.

    A cycle of length >= 3 in the path of one task, so a circular dependency of agents that work really goes round in;
    cycles that only the graph of all handoffs has are no finding. With each cycle a task begins anew, so that two
    rounds are two cycles: each move of a task that has been at agents before the last two since then is a chance; the
    null is that the agent hands on as it always does (a Markov chain of handoffs), times that agent's own habit. False
    alarms: at most `analysis.alpha` in a look-back. Cleared: see `counted`.
    Beside it stand single tasks: one whose own cycles custom cannot explain (see `loops`), at `analysis.alpha` over the
    tasks of a look-back, and the hard limit: one that used up `workflow.max_handoffs`, half of its moves leading to
    where it had been before.
    Severity: the share of the cycles that the past does not explain; for the hard limit half of handoffs / limit.
    """

    kind = "handoff_cycle"
    reader = 1

    def targets(self, move: Move) -> tuple[str, ...]:
        return move.earlier[1:]

    def key(self, move: Move) -> str:
        return move.from_agent

    def subject(self, move: Move) -> tuple[str, ...]:
        """The cycle that the move closes, from its alphabetically first agent on; nobody if it closes none."""
        if not self.returns(move):
            return ()
        between = move.earlier[: move.earlier.index(move.to_agent)]
        cycle = (move.to_agent, *reversed(between), move.from_agent)
        first = cycle.index(min(cycle))
        return cycle[first:] + cycle[:first]

    def vain(self, path: Path) -> int:
        return path.again

    def shown(self, agents: tuple[str, ...]) -> str:
        return "→".join(agents)
