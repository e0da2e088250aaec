"""The topics: their names, what each must be set to and why, and who may do what on them.

All have one partition count, since a project's inputs, outputs and changelogs live in the partition of its key. The two
changelogs are those of the worker's Faust tables: they must be there before the first worker, because a topic that the
leader of the group does not know yet is left out of the assignment.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from meta_orchestrator.messages.inputs import MESSAGES
from meta_orchestrator.messages.outputs import OUTPUTS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIB = 1 << 20
KNOWN_S = 30

APPLICATION = "meta-orchestrator"
INPUTS: tuple[str, ...] = tuple(MESSAGES)
DEAD_LETTERS = "dead-letters"
OUTPUT_TOPICS: tuple[str, ...] = (*dict.fromkeys(output.topic for output in OUTPUTS), DEAD_LETTERS)
TABLES = ("heads", "panes")
CHANGELOGS: tuple[str, ...] = tuple(f"{APPLICATION}-{table}-changelog" for table in TABLES)
CHANGELOG_RECORD_BYTES = 16 * MIB
"""The most that one changelog record may have: a project's memory, or its panes of one tick."""

LETTER_BYTES = 2 * MIB - 64 * 1024
"""The most that key, value and headers of a dead letter may have together: what its topic takes, less the framing."""

_INPUT = {
    # The broker's own clock: it drives the watermark, so a sender with a wrong clock cannot; and retention, which goes
    # by record timestamps, does not delete at once what tells of last month.
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": str(7 * DAY_MS),
}
_CHANGELOG = {
    "cleanup.policy": "compact",
    # Recovery reads record by record: roll and compact early, so that there is little to read.
    "segment.ms": str(HOUR_MS // 6),
    "min.cleanable.dirty.ratio": "0.1",
    "max.message.bytes": str(CHANGELOG_RECORD_BYTES),
}
CONFIGS: dict[str, dict[str, str]] = {
    **dict.fromkeys(INPUTS, _INPUT),
    # A week of every change stays readable for those who explain; the last one of a project stays for ever.
    "config-changes": {"cleanup.policy": "compact", "min.compaction.lag.ms": str(7 * DAY_MS)},
    "decisions": {"retention.ms": str(90 * DAY_MS)},
    "insights": {"retention.ms": str(90 * DAY_MS)},
    "metrics": {"retention.ms": str(30 * DAY_MS)},
    # The greatest record that an input topic takes must fit, with the headers that say what was wrong with it.
    DEAD_LETTERS: {"retention.ms": str(14 * DAY_MS), "max.message.bytes": str(2 * MIB)},
    **dict.fromkeys(CHANGELOGS, _CHANGELOG),
}
"""Topic without prefix → what it is set to where that is not Kafka's default."""

_WORKER_STANDS_ON = {
    **dict.fromkeys(INPUTS, "message.timestamp.type"),
    **dict.fromkeys(CHANGELOGS, "cleanup.policy"),
}
"""Settings without which the worker would count wrongly or forget; the others are a matter of taste."""


@dataclass(frozen=True)
class Difference:
    """Something that is not as `create` would make it."""

    topic: str
    text: str
    stops_worker: bool

    def __str__(self) -> str:
        return f"{self.topic}: {self.text}"


async def create(admin: AIOKafkaAdminClient, prefix: str, partitions: int, replication: int = 3) -> list[str]:
    """Create the topics that are missing, and wait until they are known; returns their names.

    KafkaError if the broker refuses one.
    """
    wanted = [
        NewTopic(prefix + name, partitions, replication, topic_configs=config | _durability(replication))
        for name, config in CONFIGS.items()
    ]
    answer = await admin.create_topics(wanted)
    created = []
    for name, code, *text in answer.topic_errors:
        if code == 0:
            created.append(name)
        elif code != TopicAlreadyExistsError.errno:
            raise for_code(code)(f"{name}: {text[0] if text else ''}")
    await asyncio.wait_for(_until_known(admin, prefix), KNOWN_S)
    return created


async def _until_known(admin: AIOKafkaAdminClient, prefix: str) -> None:
    """A broker may answer before all of it has heard: who asks now would find nothing."""
    while len(await partition_counts(admin, prefix)) < len(CONFIGS):  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(0.1)


def _durability(replication: int) -> dict[str, str]:
    """With three copies, two must have a record before it counts: one broker may then be lost at any time."""
    return {"min.insync.replicas": "2"} if replication > 2 else {}


async def check(admin: AIOKafkaAdminClient, prefix: str) -> list[Difference]:
    """What is missing or differs. A broker that does not tell its settings is not blamed for them."""
    counts = await partition_counts(admin, prefix)
    missing = [Difference(prefix + name, "is missing", True) for name in CONFIGS if name not in counts]
    return [*missing, *_uneven(prefix, counts), *_wrong_settings(prefix, await _settings(admin, prefix, counts))]


async def partition_counts(admin: AIOKafkaAdminClient, prefix: str) -> dict[str, int]:
    """Topic without prefix → its number of partitions, of those that are there.

    It asks for all topics of the broker, since to ask for one by its name may create it.
    """
    there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    return {name: there[prefix + name] for name in CONFIGS if prefix + name in there}


def _uneven(prefix: str, counts: Mapping[str, int]) -> Iterator[Difference]:
    if len(set(counts.values())) > 1:
        usual = counts.get(INPUTS[0], max(counts.values()))
        for name, count in counts.items():
            if count != usual:
                yield Difference(prefix + name, f"has {count} partitions, {prefix + INPUTS[0]} has {usual}", True)


async def _settings(admin: AIOKafkaAdminClient, prefix: str, names: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Topic without prefix → its settings, as far as the broker tells."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, prefix + name) for name in names]
    found = {}
    for answer in await admin.describe_configs(asked):
        for code, _, _, topic, entries in answer.resources:
            if code == 0:
                found[topic.removeprefix(prefix)] = {entry[0]: entry[1] for entry in entries}
    return found


def _wrong_settings(prefix: str, settings: Mapping[str, Mapping[str, str]]) -> Iterator[Difference]:
    for name, found in settings.items():
        for key, wanted in CONFIGS[name].items():
            if key in found and found[key] != wanted:
                text = f"{key} is {found[key]}, should be {wanted}"
                yield Difference(prefix + name, text, key == _WORKER_STANDS_ON.get(name))


def acls(prefix: str) -> list[str]:
    """The rights that make topics the trust boundary, as arguments of `kafka-acls.sh --bootstrap-server … --add`."""
    application = prefix + APPLICATION
    lines = [_acl("agents", "Write", "topic", prefix + "agent-events")]
    lines += [_acl("votes", "Write", "topic", prefix + "consensus-events")]
    lines += [_acl("orchestrator", "Write", "topic", prefix + "orchestrator-events")]
    lines += [_acl("orchestrator", "Read", "topic", prefix + "config-changes")]
    lines += [_acl("operators", "Write", "topic", prefix + "control-commands")]
    lines += [_acl("operators", "Read", "topic", prefix + name) for name in OUTPUT_TOPICS]
    for name in INPUTS:  # written too: clock.tick
        lines += [_acl("worker", right, "topic", prefix + name) for right in ("Read", "Write", "DescribeConfigs")]
    lines += [_acl("worker", "Write", "topic", prefix + name) for name in OUTPUT_TOPICS]
    for name in CHANGELOGS:
        lines += [_acl("worker", right, "topic", prefix + name) for right in ("Read", "Write", "DescribeConfigs")]
    lines.append(_acl("worker", "Read", "group", application))
    lines += [_acl("worker", right, "transactional-id", application, "prefixed") for right in ("Write", "Describe")]
    return lines


def _acl(who: str, right: str, kind: str, name: str, pattern: str = "literal") -> str:
    return f"--allow-principal User:{who} --operation {right} --{kind} {name} --resource-pattern-type {pattern}"
