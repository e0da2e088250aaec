"""ping_pong: a task goes A → B → A, again and again."""

from meta_orchestrator.core.analysis.antipatterns.shared.handoffs import Returns
from meta_orchestrator.core.analysis.antipatterns.shared.moves import Move, Path


class PingPong(Returns):
    """Immediate returns of tasks (A → B → A), more often than the project's own past explains.

    In process mining this is the ping-pong of support tickets between groups (BPI Challenge 2013). Each move of a
    task from B, which had come from A, is a chance; the null is that B hands on as it always does (a Markov chain of
    handoffs), times the habit of B towards A: an author and a reviewer return work to one another by nature, and that
    is no antipattern. Habits are directed: an answerer always returns what it is asked, and tells nothing; that the
    questioner asks the same one again and again does. False alarms: at most `analysis.alpha` in a look-back. Cleared:
    see `counted`. Beside it stand single tasks: one whose own returns custom cannot explain (see `loops`), at
    `analysis.alpha` over the tasks of a look-back, and the hard limit: one that used up `workflow.max_handoffs`, half
    of its moves being immediate returns.
    Severity: the share of the returns that the past does not explain; for the hard limit half of handoffs / limit.
    """

    kind = "ping_pong"
    reader = 0

    def targets(self, move: Move) -> tuple[str, ...]:
        return move.before

    def key(self, move: Move) -> str:
        return f"{move.from_agent}\n{move.before[0]}"

    def subject(self, move: Move) -> tuple[str, ...]:
        return tuple(sorted((move.from_agent, *move.before)))

    def vain(self, path: Path) -> int:
        return path.returns[self.reader]

    def shown(self, agents: tuple[str, ...]) -> str:
        return "⇄".join(agents)
