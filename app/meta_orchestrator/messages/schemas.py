"""The generated half of the contract: a JSON Schema 2020-12 and an example of each message, one AsyncAPI 3 document.

Everything follows from `inputs.py`, `outputs.py` and `examples.py`; a test compares `schemas/` with what comes out
here.
"""

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from meta_orchestrator.errors import Reason
from meta_orchestrator.messages.cloudevent import SOURCE
from meta_orchestrator.messages.envelope import ClockTick
from meta_orchestrator.messages.examples import examples
from meta_orchestrator.messages.fields import Time
from meta_orchestrator.messages.inputs import COMMANDS, MESSAGES, type_of
from meta_orchestrator.messages.outputs import OUTPUTS, ConfigChange, Output

DIALECT = GenerateJsonSchema.schema_dialect
CONTRACT_VERSION = "1.0.0"
"""Of the contract, not of the program: a field that is added raises the middle number."""
KAFKA_BINDING = "0.5.0"
CONTENT_TYPE = "application/cloudevents+json"
DEAD_LETTERS, DEAD_LETTER = "dead-letters", "dead.letter"
_KEYED = {"kafka": {"key": {"type": "string", "description": "the project"}, "bindingVersion": KAFKA_BINDING}}
SIGNED = COMMANDS | {ConfigChange.type}
RULES = (
    "Every record is a CloudEvent 1.0 in UTF-8 JSON, keyed by its project. Topic names may have a prefix. Unknown "
    "fields are ignored; whole numbers are written without a fraction; a breaking change is a new type."
)
ABOUT = {
    "agent-events": "What agents do: tasks, handoffs, rework, quality checks, heartbeats.",
    "consensus-events": "Rounds of voting: opened, votes cast, closed.",
    "orchestrator-events": "What the orchestrator supports, applied and rejected; what operators did by hand.",
    "control-commands": "Signed commands of operators.",
    "config-changes": "What the orchestrator obeys, signed; the last record of a project is its whole configuration.",
    "decisions": "Every decision and why, the refused ones too.",
    "insights": "Drifts, antipatterns, escalations, team recommendations.",
    "metrics": "Snapshots of each tick, and of each agent each minute.",
    "dead-letters": "The untouched bytes of records that could not be counted; headers dlq.* say why.",
}


def write(folder: Path) -> list[Path]:
    """All documents into `folder`; returns what was written."""
    written = []
    for name, document in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_text(document), encoding="utf-8")
        written.append(path)
    return written


def documents() -> dict[str, dict[str, Any]]:
    """Path below `schemas/` → document."""
    schemas = {f"{kind}.schema.json": schema for kind, schema in message_schemas().items()}
    shown = {f"examples/{kind}.json": example for kind, example in examples().items()}
    return {**schemas, "asyncapi.json": asyncapi(), **shown}


def to_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def message_schemas() -> dict[str, dict[str, Any]]:
    """Type → JSON Schema of the whole CloudEvent in structured mode."""
    inputs = [*(message for messages in MESSAGES.values() for message in messages), ClockTick]
    return {**{type_of(one): _input(one) for one in inputs}, **{one.type: _output(one) for one in OUTPUTS}}


class _Generate(GenerateJsonSchema):
    """Without a title for each field, and with left-out fields as they are written: absent, never null."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_field_schema(self, schema: core_schema.ModelField) -> JsonSchemaValue:
        inner: Any = schema["schema"]
        while schema.get("serialization_exclude_if") and inner["type"] in ("default", "nullable"):
            inner = inner["schema"]
        return self.generate_inner(inner)


def _input(message: Any) -> dict[str, Any]:
    kind = type_of(message)
    schema = TypeAdapter[Any](message).json_schema(schema_generator=_Generate)
    data = schema.get("$defs", {}).get("RollbackData")
    if data is not None:  # null is the same as left out, so the kinds are needed to tell which one is there
        data["oneOf"] = [
            {"required": ["to_version"], "properties": {"to_version": {"type": "integer"}, "change": {"type": "null"}}},
            {"required": ["change"], "properties": {"change": {"type": "string"}, "to_version": {"type": "null"}}},
        ]
    return {"$schema": DIALECT, **schema, "title": kind}


def _output(message: type[Output]) -> dict[str, Any]:
    """Outputs are models of `data` alone; the envelope is that of `cloudevent.CloudEvent`."""
    data = TypeAdapter(message).json_schema(mode="serialization", schema_generator=_Generate)
    nested = {"$defs": data.pop("$defs")} if "$defs" in data else {}
    text = {"type": "string", "minLength": 1}
    properties = {
        "specversion": {"const": "1.0", "type": "string"},
        "id": text,
        "source": {"const": SOURCE, "type": "string"},
        "type": {"const": message.type, "type": "string"},
        "time": TypeAdapter[str](Time).json_schema(),
        "project": text,
        "datacontenttype": {"const": "application/json", "type": "string"},
        "data": data,
    }
    schema = {"title": message.type, "type": "object", "properties": properties, "required": list(properties)}
    return {"$schema": DIALECT, **nested, **schema}


# ---- AsyncAPI ----


def asyncapi() -> dict[str, Any]:
    """All channels, messages and operations. The payloads are the schema files beside the document."""
    inputs = {topic: [*map(type_of, messages), type_of(ClockTick)] for topic, messages in MESSAGES.items()}
    outputs: dict[str, list[str]] = {}
    for message in OUTPUTS:
        outputs.setdefault(message.topic, []).append(message.type)
    outputs[DEAD_LETTERS] = [DEAD_LETTER]
    kinds = dict.fromkeys(kind for named in (*inputs.values(), *outputs.values()) for kind in named)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "meta-orchestrator",
            "version": CONTRACT_VERSION,
            "description": RULES,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic: _channel(topic, named) for topic, named in (inputs | outputs).items()},
        "operations": {
            **{f"receive-{topic}": _operation("receive", topic) for topic in inputs},
            **{f"send-{topic}": _operation("send", topic) for topic in outputs},
        },
        "components": {"messages": {kind: _message(kind) for kind in kinds if kind != DEAD_LETTER} | _dead_letter()},
    }


def _channel(topic: str, kinds: list[str]) -> dict[str, Any]:
    return {
        "address": topic,
        "description": ABOUT[topic],
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": KAFKA_BINDING}},
    }


def _operation(action: str, topic: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "summary": ABOUT[topic]}


def _message(kind: str) -> dict[str, Any]:
    tick = kind == type_of(ClockTick)
    headers: dict[str, Any] = {"type": "object", "properties": {"content-type": {"const": CONTENT_TYPE}}}
    if kind in SIGNED:
        headers["properties"]["signature"] = {"type": "string", "pattern": "^[A-Za-z0-9._@-]+:[A-Za-z0-9+/]{86}==$"}
        headers["required"] = ["signature"]
    return {
        "name": kind,
        "contentType": CONTENT_TYPE,
        "headers": headers,
        "payload": {"$ref": f"./{kind}.schema.json"},
        "bindings": {} if tick else _KEYED,
        "examples": [{"name": kind, "payload": examples()[kind]}],
    }


def _dead_letter() -> dict[str, Any]:
    names = ("topic", "partition", "offset", "reason", "field", "time")
    said: dict[str, dict[str, Any]] = {name: {"type": "string"} for name in names}
    said["reason"]["enum"] = list(get_args(Reason))
    headers = {
        "type": "object",
        "properties": {f"dlq.{name}": schema for name, schema in said.items()},
        "required": [f"dlq.{name}" for name in said if name != "field"],
    }
    about = "The bytes as they came, whatever they are, with the key and the headers that they came with."
    return {
        DEAD_LETTER: {
            "name": DEAD_LETTER,
            "description": about,
            "contentType": "application/octet-stream",
            "headers": headers,
        }
    }
