"""Events as JSON: one line each way, and the schema that both sides of the contract hold to."""

from collections.abc import Mapping
from typing import Any

import msgspec

from fwid_agent.types import Event

# What a type annotation cannot say of a field.
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "seq": {"minimum": 1},
    "id": {"format": "uuid"},
    "time": {"format": "date-time", "pattern": "Z$"},
    "device": {"pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"},
    "from_version": {"minimum": 1},
    "to_version": {"minimum": 1},
}


def encode_event(event: Event) -> bytes:
    """Write an event as one JSON object."""
    return msgspec.json.encode(event)


def event_record(event: Event) -> dict[str, Any]:
    """Give an event as plain values, as they stand in its JSON."""
    record: dict[str, Any] = msgspec.to_builtins(event)
    return record


def decode_event(data: bytes | str) -> Event:
    """Read an event; raises msgspec.DecodeError or msgspec.ValidationError for anything else."""
    return msgspec.json.decode(data, type=Event)


def event_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a stored event."""
    schema = msgspec.json.schema(Event)
    properties = schema["$defs"]["Event"]["properties"]
    for name, facts in _FORMATS.items():
        properties[name] |= facts
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
