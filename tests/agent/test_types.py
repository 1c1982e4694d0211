"""Addresses and times as text: written one way, read back exactly, anything else refused."""

from datetime import datetime

import pytest
from fwid_agent.types import format_mac, format_time, parse_mac, parse_time
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**48 - 1))
def test_addresses_come_back(mac: int) -> None:
    """In each of the usual notations."""
    text = format_mac(mac)
    assert len(text) == 17
    assert text == text.lower()
    for written in (text, text.upper(), text.replace(":", "-"), text.replace(":", "")):
        assert parse_mac(written) == mac


@pytest.mark.parametrize(
    "text",
    ["", "00:11:22:33:44", "00:11:22:33:44:5g", "+01122334455", "0x1122334455", "1_22_33_44_5"],
)
def test_anything_else_is_no_address(text: str) -> None:
    """Also what Python would read as a number."""
    with pytest.raises(ValueError, match="not a MAC"):
        parse_mac(text)


@given(st.integers(0, 4_000_000_000_000))
def test_times_come_back(time_ms: int) -> None:
    """To the millisecond, in UTC, as the standard library reads them."""
    text = format_time(time_ms * 1_000_000)
    assert text.endswith("Z")
    assert parse_time(text) == time_ms * 1_000_000
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == time_ms


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 999_999))
def test_times_are_cut_not_rounded(time_ms: int, rest_ns: int) -> None:
    """An event is never told for later than it was."""
    assert format_time(time_ms * 1_000_000 + rest_ns) == format_time(time_ms * 1_000_000)


def test_an_offset_is_understood_and_needed() -> None:
    """A time without an offset could be anywhere."""
    assert parse_time("1970-01-01T01:00:00.001+01:00") == 1_000_000
    for text in ("1970-01-01T00:00:00", "yesterday"):
        with pytest.raises(ValueError):
            parse_time(text)
