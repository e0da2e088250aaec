"""`doctor`: everything that can be wrong from outside, looked at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from meta_orchestrator.cli.options import takes
from meta_orchestrator.cli.times import now_us, span_us
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.wording import plural

if TYPE_CHECKING:
    from meta_orchestrator.cli.diagnosis import Remark, Tally
    from meta_orchestrator.policy import Policy
    from meta_orchestrator.settings import Settings
    from meta_orchestrator.wire.trust import Trust

MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


@takes("broker", "policy", "trust", "key", "prefix")
def doctor(
    settings: "Settings",
    last: Annotated[str, typer.Option(metavar="SPAN", help="Judge the events of the last 30m, 2h, 1d, …")] = "30m",
) -> None:
    """Check broker, topics, keys, policy, events and clocks. Exit 2 where something is wrong.

    Example: meta-orchestrator doctor --broker localhost:9092 --last 2h
    """
    from meta_orchestrator.cli.diagnosis import key_remarks
    from meta_orchestrator.policy import load_policy

    policy, trust = load_policy(settings.policy), settings.trusted_keys()
    own = settings.signing_key() if settings.key else None
    levels: Counter[str] = Counter()
    for remark in key_remarks(trust, own, now_us()):
        _say(remark, levels)
    asyncio.run(_examine(settings, policy, trust, span_us(last, "--last"), levels))
    typer.echo(f"{levels['wrong']} wrong, {plural(levels['note'], 'note')}, {levels['ok']} in order")
    if levels["wrong"]:
        raise typer.Exit(2)


def _say(remark: "Remark", levels: Counter[str]) -> None:
    levels[remark.level] += 1
    typer.echo(f"{MARKS[remark.level]} {remark.text}")


async def _examine(settings: "Settings", policy: "Policy", trust: "Trust", span: int, levels: Counter[str]) -> None:
    """Topics first: without them there are no events to judge."""
    from meta_orchestrator.cli.diagnosis import diagnose

    complete = True
    async for remark in _topics(settings):
        complete = complete and not remark.text.endswith("is missing")
        _say(remark, levels)
    if complete:
        for remark in diagnose(await read_inputs(settings, trust, span), policy, now_us()):
            _say(remark, levels)


async def _topics(settings: "Settings") -> "AsyncIterator[Remark]":
    from meta_orchestrator.cli.diagnosis import Remark
    from meta_orchestrator.cli.topics import differences_of

    differences = await differences_of(settings)
    yield Remark("ok", f"the broker at {settings.broker} answers")
    for difference in differences:
        yield Remark("wrong" if difference.stops_worker else "note", str(difference))
    if not differences:
        yield Remark("ok", "all topics are there, as the worker needs them")


async def read_inputs(settings: "Settings", trust: "Trust", span: int) -> "Tally":
    """Every record appended to the inputs in the last `span` microseconds, checked as the worker checks it.

    Registrations are looked for in the whole topic: an orchestrator registers once, maybe days ago.
    """
    from meta_orchestrator.cli.diagnosis import Tally
    from meta_orchestrator.cli.reading import Since, read_topics
    from meta_orchestrator.wire.topics import INPUTS

    tally, start = Tally(span), now_us() - span
    recent = [topic for topic in INPUTS if topic != "orchestrator-events"]
    async for record, partitions in read_topics(settings, recent, Since(start)):
        _count(tally, record, record.topic.removeprefix(settings.prefix), partitions, trust)
    async for record, partitions in read_topics(settings, ["orchestrator-events"]):
        if record.timestamp * 1000 >= start or b"orchestrator.registered" in (record.value or b""):
            _count(tally, record, "orchestrator-events", partitions, trust)
    await _read_ticks(settings, tally, start)
    return tally


async def _read_ticks(settings: "Settings", tally: "Tally", start_us: int) -> None:
    """How far a worker has come with each project, by whatever it wrote."""
    from meta_orchestrator.cli.reading import Since, read_topics
    from meta_orchestrator.messages.fields import parse_time_us
    from meta_orchestrator.wire.topics import DEAD_LETTERS, OUTPUT_TOPICS

    outputs = [topic for topic in OUTPUT_TOPICS if topic != DEAD_LETTERS]
    async for record, _ in read_topics(settings, outputs, Since(start_us)):
        event = orjson.loads(record.value)
        project, tick_us = event["project"], parse_time_us(event["time"])
        tally.ticks_us[project] = max(tick_us, tally.ticks_us.get(project, 0))


def _count(tally: "Tally", record: Any, topic: str, partitions: int, trust: "Trust") -> None:
    from meta_orchestrator.wire.records import read

    tally.behind_us = max(tally.behind_us, record.timestamp * 1000 - now_us())
    place = (topic, record.partition, partitions, record.key, record.value)
    try:
        project, event = read(*place, record.headers, record.timestamp, record.offset, trust)
    except BadRecord as error:
        tally.reject(error.reason, error.field)
        return
    if project is not None:
        tally.add(project, event[3], event[1], event[0] - record.timestamp * 1000)
        if record.timestamp * 1000 >= now_us() - tally.span_us:
            tally.came_us[project].append(record.timestamp * 1000)
