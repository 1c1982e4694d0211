"""Reasons as sentences."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.core import findings
from fwid_agent.report.words import describe_reason, short_number
from fwid_agent.types import HANDSHAKE_KINDS, TokenKind
from hypothesis import given
from hypothesis import strategies as st

TLS = {"protocol": "tls", "direction": "sent", "scope": "cloud"}
DNS = {"protocol": "dns", "direction": "received", "scope": "lan"}
REASONS = json.loads((Path(__file__).parents[2] / "contract" / "reasons.json").read_text())
BYTES = {"feature": "bytes", "unit": "bytes/window"}


@pytest.mark.parametrize(
    ("key", "params", "said"),
    [
        (
            "size_replaced",
            TLS | {"kind": "size", "old": 634, "new": 638, "first_flight": True},
            "TLS sent to the cloud, size 638 bytes in every first flight: was 634",
        ),
        (
            "size_replaced",
            DNS | {"kind": "size", "old": 388, "new": 199, "first_flight": False},
            "DNS received at home, size 199 bytes: was 388",
        ),
        (
            "value_replaced",
            TLS | {"kind": "ttl", "old": 64, "new": 128},
            "TLS sent to the cloud, TTL 128: was 64",
        ),
        (
            "value_replaced",
            # MSS, SACK-OK, TS, NOP, WS before; MSS alone after: five bits an option, kind + 1
            TLS | {"kind": "syn_options", "old": 0b00011_00101_01001_00010_00100, "new": 0b00011},
            "TLS sent to the cloud, TCP options at connecting MSS: was MSS,SACK-OK,TS,NOP,WS",
        ),
        (
            "port_new",
            TLS | {"value": 8883},
            "TLS sent to the cloud: now connects to port 8883",
        ),
        ("row_gone", {**DNS, "protocol": "ssdp"}, "SSDP received: no longer seen"),
        (
            "statistic_moved",
            {**TLS, **BYTES, "before": 262_144.0, "after": 204_000.0, "steps": 9.04},
            "TLS sent to the cloud, bytes per window: 262 k → 204 k, "
            "9.04 of its usual day-to-day steps",
        ),
        (
            "statistic_moved",
            TLS | {"feature": "gap_mean", "unit": "s", "before": 0.0016, "after": 13.2, "steps": 4},
            "TLS sent to the cloud, time between packets: 1.6 ms → 13.2 s, "
            "4 of its usual day-to-day steps",
        ),
    ],
)
def test_a_reason_is_one_sentence(key: str, params: dict[str, object], said: str) -> None:
    """What a person reads is exact, and names the value before as well as after."""
    assert describe_reason(key, params) == said


def test_every_key_that_the_decision_gives_has_words() -> None:
    """A new kind of finding cannot reach a person as a bare key."""
    source = Path(findings.__file__).read_text()
    keys = set(re.findall(r'"((?:size|value|port|row|statistic)_(?:replaced|moved))"', source))
    keys |= {
        f"{kind}_{word}" for kind in ("size", "value", "port", "row") for word in ("gone", "new")
    }
    every = {
        **TLS, **BYTES, "kind": "ttl", "old": 1, "new": 2, "value": 3,
        "before": 1.0, "after": 2.0, "steps": 3.0,
    }  # fmt: skip

    assert len(keys) == 12
    assert [key for key in sorted(keys) if describe_reason(key, every).startswith(key)] == []


@pytest.mark.parametrize("kind", HANDSHAKE_KINDS)
def test_every_kind_of_handshake_has_words(kind: TokenKind) -> None:
    """What a device says of itself is shown as it says it, also where it looks like a number."""
    params = TLS | {"kind": kind.name.lower(), "value": "007"}
    sentence = describe_reason("value_new", params)
    assert sentence.startswith("TLS sent to the cloud, ")
    assert sentence.endswith(" 007: new")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(
    st.sampled_from(["size_replaced", "value_new", "port_gone", "statistic_moved", "other"]),
    st.dictionaries(
        st.sampled_from(
            ["protocol", "direction", "scope", "kind", "old", "new", "value", "feature", "unit",
             "before", "after", "steps", "first_flight", "more"]
        ),
        scalars,
    ),
)  # fmt: skip
def test_no_parameters_break_the_words(key: str, params: dict[str, object]) -> None:
    """A store of another version may hold reasons that this one does not know."""
    assert describe_reason(key, params)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (0.0321, "0.0321"), (999.4, "999"), (1234.5, "1234"), (262_144, "262 k"),
     (1_400_000, "1.4 M"), (3e9, "3 G"), (-20_000, "-20 k")],
)  # fmt: skip
def test_numbers_are_short(value: float, said: str) -> None:
    """Three digits are what a person keeps in mind."""
    assert short_number(value) == said


@pytest.mark.parametrize("example", REASONS, ids=[each["text"][:50] for each in REASONS])
def test_the_sentences_of_the_contract(example: dict[str, Any]) -> None:
    """Home Assistant writes the same sentences: what differs here has to be changed there."""
    assert describe_reason(example["key"], example["params"]) == example["text"]
