"""`schemas/` is current, its examples are valid, and it allows what the product's own reader takes."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.examples import OUTPUT_DATA, examples
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.messages.outputs import OUTPUTS
from meta_orchestrator.messages.schemas import documents, message_schemas, to_text, write
from meta_orchestrator.wire.decode import event_of, parse

FOLDER = Path(__file__).parents[2] / "schemas"
INPUTS = [*TOPIC_OF, "clock.tick"]
KINDS = [*INPUTS, *(output.type for output in OUTPUTS)]
EXAMPLES = examples()
SCHEMAS = message_schemas()
VALIDATORS = {kind: Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}


def test_the_folder_is_what_the_definitions_give() -> None:
    written = {str(path.relative_to(FOLDER)): path.read_text() for path in FOLDER.rglob("*.json")}
    assert written == {name: to_text(document) for name, document in documents().items()}, "run: make schemas"


def test_writing_gives_every_document(tmp_path: Path) -> None:
    assert {str(path.relative_to(tmp_path)) for path in write(tmp_path)} == set(documents())


@pytest.mark.parametrize("kind", KINDS)
def test_each_message_has_a_schema_that_is_one_and_an_example_that_it_allows(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])
    VALIDATORS[kind].validate(EXAMPLES[kind])
    assert EXAMPLES[kind]["type"] == kind


def test_there_are_no_others() -> None:
    assert set(SCHEMAS) == set(EXAMPLES) == set(KINDS)


def allowed(kind: str, event: Any) -> bool:
    return bool(VALIDATORS[kind].is_valid(event))


def taken(event: Any) -> bool:
    value = orjson.dumps(event)
    try:
        event_of(parse(value), value, 0)
    except BadRecord:
        return False
    return True


# No whole number with a fraction of zero: for JSON Schema 1.0 is an integer, for us it is none.
WEIRD = st.sampled_from(
    [None, "", "x", 0, -1, 1, 2, 0.5, 1.5, -0.5, 10**16, True, False, [], [""], ["x"], [1], {}, {"": 1}, {"x": "y"}]
).map(deepcopy)  # the test writes into them


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(INPUTS), st.data())
def test_the_schema_of_an_input_allows_exactly_what_the_reader_takes(kind: str, data: st.DataObject) -> None:
    properties = SCHEMAS[kind]["properties"]
    event = {**EXAMPLES[kind], "data": dict(EXAMPLES[kind]["data"])}
    envelope = sorted({*properties} - {"type"})
    for name in data.draw(st.lists(st.sampled_from(envelope), max_size=1)):
        event[name] = data.draw(WEIRD)
    fields = sorted(event["data"]) if isinstance(event["data"], dict) else []
    for name in data.draw(st.lists(st.sampled_from([*fields, "to_version", "points", "extra"]), max_size=2)):
        if isinstance(event["data"], dict):
            event["data"][name] = data.draw(WEIRD)
    for name in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=1)):
        if name != "type":
            del event[name]
    assert allowed(kind, event) == taken(event)


def test_a_rollback_of_both_or_neither_is_not_allowed() -> None:
    data = {"reason": "r", "owner": "o"}
    one: tuple[dict[str, Any], ...] = ({"to_version": 0}, {"change": "c"}, {"change": "c", "to_version": None})
    other: tuple[dict[str, Any], ...] = ({}, {"to_version": 0, "change": "c"}, {"to_version": None, "change": None})
    for given_fields, right in [(each, True) for each in one] + [(each, False) for each in other]:
        event = {**EXAMPLES["control.rollback"], "data": {**data, **given_fields}}
        assert allowed("control.rollback", event) == taken(event) == right


def schema_of_data(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMAS[kind]["properties"]["data"]
    return schema


def test_a_field_that_may_be_left_out_is_never_null() -> None:
    for kind, field, value in (
        ("config.change", "trial", "t"),
        ("decision", "refused_by", "bounds"),
        ("drift.detected", "agent", "a"),
    ):
        assert field not in schema_of_data(kind)["required"]
        event = {**EXAMPLES[kind], "data": {**EXAMPLES[kind]["data"], field: value}}
        assert allowed(kind, event)
        assert not allowed(kind, {**event, "data": {**event["data"], field: None}})


def test_a_metric_without_enough_values_is_null_and_never_left_out() -> None:
    for field in ("consensus_latency_p95_ms", "handoff_failure_rate", "rework_percentage", "quality_regression_rate"):
        assert field in schema_of_data("metrics.snapshot")["required"]
        snapshot = {**EXAMPLES["metrics.snapshot"]["data"], field: None}
        assert allowed("metrics.snapshot", {**EXAMPLES["metrics.snapshot"], "data": snapshot})


def test_a_move_is_written_from_and_to() -> None:
    assert set(EXAMPLES["config.change"]["data"]["changes"][0]) == {"parameter", "from", "to"}
    assert set(EXAMPLES["decision"]["data"]["proposal"]) == {"id", "parameter", "from", "to"}


def test_outputs_can_be_read_back_into_their_models() -> None:
    for data in OUTPUT_DATA:
        assert type(data).model_validate(EXAMPLES[data.type]["data"]) == data


# ---- AsyncAPI ----


def resolve(document: dict[str, Any], pointer: str) -> Any:
    found: Any = document
    for part in pointer.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    found = references({name: part for name, part in document.items() if name != "examples"})
    assert {ref for ref in found if not ref.startswith("#")} == {f"./{kind}.schema.json" for kind in KINDS}
    for ref in found:
        assert (FOLDER / ref).is_file() if ref.startswith("./") else resolve(document, ref)


def test_the_asyncapi_document_names_each_topic_with_its_messages_and_who_signs() -> None:
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    for kind, topic in TOPIC_OF.items():
        assert {kind, "clock.tick"} <= set(document["channels"][topic]["messages"])
    for output in OUTPUTS:
        assert output.type in document["channels"][output.topic]["messages"]
    messages = document["components"]["messages"]
    signed = {kind for kind, message in messages.items() if "signature" in message["headers"].get("required", [])}
    assert signed == {kind for kind in KINDS if kind.startswith("control.")} | {"config.change"}
    received = {name for name, operation in document["operations"].items() if operation["action"] == "receive"}
    assert received == {f"receive-{topic}" for topic in set(TOPIC_OF.values())}
