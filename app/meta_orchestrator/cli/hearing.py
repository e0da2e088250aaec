"""What the inputs add to the outputs: whether a version was acknowledged, who froze it, what is pinned until when."""

from typing import TYPE_CHECKING, Any

import typer
from aiokafka.errors import TopicAuthorizationFailedError

from meta_orchestrator.cli.reading import Since, counts_of, read_topics
from meta_orchestrator.cli.times import now_us
from meta_orchestrator.errors import BadRecord, SettingsError
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.wire.decode import event_of, parse
from meta_orchestrator.wire.records import COMMAND_TOPIC, partition_of, read

if TYPE_CHECKING:
    from meta_orchestrator.messages.event import Event
    from meta_orchestrator.settings import Settings
    from meta_orchestrator.view import View
    from meta_orchestrator.wire.trust import Trust

ANSWERS = "orchestrator-events"
LATELY_US = 600 * 1_000_000
"""An orchestrator that works names its version in what it sends; so much is read of the busy topics to hear that."""


async def hear_inputs(settings: "Settings", view: "View", trust: "Trust", project: str | None) -> None:
    """The outputs are in the view already. Who may not read the inputs is told what they would add."""
    try:
        await _hear_orchestrators(settings, view, trust, project)
        async for record, partitions in read_topics(settings, [COMMAND_TOPIC], project=project):
            _hear(view, record, COMMAND_TOPIC, partitions, trust)
    except (SettingsError, TopicAuthorizationFailedError) as error:
        typer.echo(f"acknowledgements, freezes and pins are not known: inputs cannot be read: {error}", err=True)


async def _hear_orchestrators(settings: "Settings", view: "View", trust: "Trust", project: str | None) -> None:
    known_from_us: dict[int, int] = {}
    async for record, partitions in read_topics(settings, [ANSWERS], project=project):
        known_from_us.setdefault(record.partition, 0 if record.offset == 0 else record.timestamp * 1000)
        if b"clock.tick" not in (record.value or b""):
            _hear(view, record, ANSWERS, partitions, trust)
    count = (await counts_of(settings, [ANSWERS]))[settings.prefix + ANSWERS]
    for name, known in view.projects.items():
        known.voice.since_us = known_from_us.get(partition_of(name.encode(), count))
    if any(known.change and known.voice.standing(known.change) == "silent" for known in view.projects.values()):
        await _hear_implied(settings, view, trust, project)


def _believed(record: Any) -> tuple[str | None, "Event"]:
    """An input as it is; one for no project, as the worker's own `clock.tick`, or under another key is for None."""
    envelope = parse(record.value or b"")
    project = envelope.get("project")
    event = event_of(envelope, record.value, record.offset)
    return (project if project is not None and record.key == project.encode() else None), event


async def _hear_implied(settings: "Settings", view: "View", trust: "Trust", project: str | None) -> None:
    busy = ["agent-events", "consensus-events"]
    async for record, partitions in read_topics(settings, busy, Since(now_us() - LATELY_US), project):
        if b"configversion" in (record.value or b"") or any(name == "ce_configversion" for name, _ in record.headers):
            _hear(view, record, record.topic.removeprefix(settings.prefix), partitions, trust)


def _hear(view: "View", record: Any, topic: str, partitions: int, trust: "Trust") -> None:
    """What the worker refuses is left out here too; `doctor` counts it."""
    try:
        if topic == COMMAND_TOPIC and not trust.keys:  # nobody can tell then, and all are believed, as of the changes
            project, event = _believed(record)
        else:
            place = (topic, record.partition, partitions, record.key, record.value)
            project, event = read(*place, record.headers, record.timestamp, record.offset, trust)
    except BadRecord:
        return
    if project is not None:
        time_us, source, identity, kind, data, _, _, version = event
        said = {"type": kind, "source": source, "id": identity, "time": format_time_us(time_us), "project": project}
        view.hear(said | {"configversion": version, "data": data})
