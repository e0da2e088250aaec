"""The second room: what do the numbers mean?"""

from meta_orchestrator.core.analysis.findings import Findings, is_raised, subject
from meta_orchestrator.core.analysis.minds import Minds
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.outputs import Antipattern, Drift, Output


def analyse(minds: Minds, moment: Moment) -> Findings:
    """Judge one tick: what is new is said, what holds now is handed on."""
    minds.causes.observe(moment)
    drifts = [minds.causes.of_drift(moment, drift) for drift in minds.drift.judge(moment)]
    trends = [minds.causes.of_trend(moment, trend) for trend in minds.trends.judge(moment)]
    patterns = [minds.causes.of_antipattern(moment, pattern) for pattern in minds.antipatterns.judge(moment)]
    active = minds.antipatterns.active
    escalations = minds.conditions.judge(moment.tick_us, moment.measures, active)
    insights: list[Output] = [*drifts, *trends, *patterns, *escalations, *minds.team.judge(moment)]
    for insight in insights:
        event = moment.say(insight)
        if isinstance(insight, Drift | Antipattern):
            minds.said[subject(insight)] = event.id
    return Findings(
        insights=insights,
        drifts={name: drift for name, (_, drift) in minds.drift.recent.items() if drift.agent is None},
        agent_drifts={name: drift for name, (_, drift) in minds.drift.recent.items() if drift.agent is not None},
        antipatterns=active,
        escalations=minds.conditions.raised,
        said=minds.said,
        causes={it.condition: minds.causes.of_escalation(moment, it) for it in escalations if is_raised(it)},
    )
