"""Events on the wire: both sides of the contract read the same examples and the same schema.

`python tests/agent/test_events_json.py` remakes docs/events.schema.json.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from fwid_agent.events_json import decode_event, encode_event, event_schema
from fwid_agent.types import Cause, Event, EventReason, EventType, format_mac, format_time
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "events.schema.json"
EXAMPLES = json.loads((ROOT / "tests" / "contract" / "events.json").read_text())
REASONS = json.loads((ROOT / "tests" / "contract" / "reasons.json").read_text())

VERSIONS = st.none() | st.integers(1, 1000)
EVENTS = st.builds(
    Event,
    seq=st.integers(1, 2**53),
    id=st.uuids().map(str),
    time=st.integers(0, 4_000_000_000_000_000_000).map(format_time),
    device=st.integers(0, 2**48 - 1).map(format_mac),
    type=st.sampled_from(EventType),
    from_version=VERSIONS,
    to_version=VERSIONS,
    cause=st.sampled_from(Cause),
    expected=st.booleans(),
    reasons=st.lists(
        st.builds(
            EventReason,
            st.text(max_size=20),
            st.dictionaries(
                st.text(max_size=8),
                st.none()
                | st.booleans()
                | st.integers(-(2**53), 2**53)
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(max_size=20),
                max_size=4,
            ),
        ),
        max_size=3,
    ).map(tuple),
)


def written_schema() -> str:
    return json.dumps(event_schema(), indent=2) + "\n"


def check(message: Any) -> None:
    jsonschema.validate(
        message, json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker()
    )


def test_the_schema_is_the_one_of_the_code() -> None:
    """docs/events.schema.json is remade whenever the event changes."""
    assert SCHEMA.read_text() == written_schema()


@given(EVENTS)
def test_events_come_back_and_fit_the_schema(event: Event) -> None:
    """What is sent is what is read, and what the schema allows."""
    sent = encode_event(event)
    assert decode_event(sent) == event
    check(json.loads(sent))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["type"])
def test_contract_examples_are_understood(example: dict[str, Any]) -> None:
    """The examples that other programs are tested with are what this agent sends."""
    check(example)
    assert json.loads(encode_event(decode_event(json.dumps(example)))) == example


def test_there_is_an_example_of_every_type() -> None:
    """No type of event is left untested on the other side."""
    assert {each["type"] for each in EXAMPLES} == set(EventType)


def test_the_examples_give_reasons_that_there_are() -> None:
    """They are of the contract's own kinds: an old key would be shown to nobody in words."""
    known = {(reason["key"], *sorted(reason["params"])) for reason in REASONS}
    given = {
        (reason["key"], *sorted(reason["params"]))
        for example in EXAMPLES
        for reason in example["reasons"]
    }
    assert given
    assert given <= known


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("seq", 0),
        ("id", "not a UUID"),
        ("time", "2026-01-02T03:04:05.000+01:00"),
        ("device", "B0:C5:54:00:00:01"),
        ("type", "unheard_of"),
        ("from_version", "1.2"),
    ],
)
def test_the_schema_refuses(field: str, wrong: object) -> None:
    """The schema says more than the types: ranges, formats, the notation of an address."""
    with pytest.raises(jsonschema.ValidationError):
        check({**EXAMPLES[0], field: wrong})


def test_anything_else_is_refused() -> None:
    """A line that is no event is an error of its own kind, not a half-filled event."""
    for data in (b"", b"{}", b'{"seq": 1}', b"[1]"):
        with pytest.raises(msgspec.DecodeError):
            decode_event(data)


if __name__ == "__main__":
    SCHEMA.write_text(written_schema())
