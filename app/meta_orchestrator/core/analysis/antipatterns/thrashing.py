"""thrashing: work is begun and given up, begun and given up."""

from meta_orchestrator.core.analysis.antipatterns.shared.excess import Tally
from meta_orchestrator.core.analysis.antipatterns.shared.per_work import FINISHED, PerWork
from meta_orchestrator.core.moment import Moment

COMPLETED = "agent.handoff.completed"


class Thrashing(PerWork):
    """Tasks that agents start and give up without finishing, more often than the agent's own past explains.

    As in operating systems (Denning, AFIPS 1968): more is spent on taking work up and putting it away than on work. A
    task that an agent starts or finishes is a chance. It gives one up when it abandons it, or hands it on sideways, to
    an agent of the same (known) type: handing on to the next stage is what a pipeline is for, and going back to an
    earlier one is ping_pong or rework. The null: each agent gives up as often for each chance as in its own past,
    shrunk to the project's habit; what is given up again and again as one task widens the test. False alarms: at most
    `analysis.alpha` in a look-back. Cleared: see `counted`.
    Severity: the share of what was given up that the past does not explain.
    """

    kind = "thrashing"
    prior = Tally(1, 20)
    turn = 1

    def look(self, moment: Moment) -> None:
        self.count_work(moment)
        self._hear_of_sideways(moment)
        if any(slot.abandoned for slot in moment.new_slots):
            self._hear_of_dropped(moment)

    def _hear_of_sideways(self, moment: Moment) -> None:
        agents = moment.books.agents
        for event in moment.told.get(COMPLETED, ()):
            data = event[4]
            giver, taker = agents.get(data["from_agent"]), agents.get(data["to_agent"])
            if giver is None or taker is None or giver is taker or giver.agent_type is None:
                continue
            if giver.agent_type == taker.agent_type:
                self._give_up(event[0], (data["from_agent"], data["to_agent"]), data["task"])

    def _hear_of_dropped(self, moment: Moment) -> None:
        for event in moment.told.get(FINISHED, ()):
            if event[4]["outcome"] == "abandoned":
                self._give_up(event[0], (event[4]["agent"],), event[4]["task"])

    def _give_up(self, time_us: int, agents: tuple[str, ...], task: str) -> None:
        self.hit(time_us, agents[0], agents, task, self.page(time_us).named.get(task, 0) + 1)

    def shown(self, agents: tuple[str, ...]) -> str:
        return " → ".join(agents)
