"""The parts without Home Assistant: words, models, waiting times, and the client's own limits."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from custom_components.fwid import client as client_module
from custom_components.fwid.backoff import Backoff
from custom_components.fwid.client import Address, AgentClient
from custom_components.fwid.errors import AnswerError, RefusedError
from custom_components.fwid.models import Changed, Event, Gap, Reason
from custom_components.fwid.parsing import parse_judged, parse_message
from custom_components.fwid.words import describe_reason, short_number
from tests.integration.conftest import CAMERA
from tests.integration.fake_agent import FakeAgent

ROOT = Path(__file__).parents[2]
COMMON = json.loads((ROOT / "custom_components/fwid/translations/en.json").read_text())["common"]
STRINGS = {f"component.fwid.common.{key}": text for key, text in COMMON.items()}
REASONS = json.loads((ROOT / "tests/contract/reasons.json").read_text())
EVENTS = json.loads((ROOT / "tests/contract/events.json").read_text())


@pytest.mark.parametrize("example", REASONS, ids=[each["text"][:50] for each in REASONS])
def test_a_reason_reads_as_the_agent_writes_it(example: dict[str, Any]) -> None:
    """Agent and Home Assistant say the same, in English to the letter."""
    assert describe_reason(Reason(example["key"], example["params"]), STRINGS) == example["text"]


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "it", "nl"])
def test_what_a_device_says_has_words_in_every_language(language: str) -> None:
    """The device's own words stay as they are, also where they look like a number or a place."""
    texts = ROOT / "custom_components/fwid/translations" / f"{language}.json"
    strings = {
        f"component.fwid.common.{key}": text
        for key, text in json.loads(texts.read_text())["common"].items()
    }
    said = [each for each in REASONS if isinstance(each["params"].get("value"), str)]
    for each in said:
        for value in (each["params"]["value"], "007", "{row}", "<b>x</b>"):
            params = {**each["params"], "value": value}
            sentence = describe_reason(Reason(each["key"], params), strings)
            assert value in sentence
            assert not sentence.startswith(each["key"])
    assert said


def test_numbers_are_written_as_the_language_does() -> None:
    """A German point would make thousands of a fraction."""
    texts = ROOT / "custom_components/fwid/translations/de.json"
    common = json.loads(texts.read_text())["common"]
    strings = {f"component.fwid.common.{key}": text for key, text in common.items()}
    moved = next(each for each in REASONS if each["key"] == "statistic_moved")
    params = {**moved["params"], "steps": 9.95}

    assert "das 9,95-Fache" in describe_reason(Reason(moved["key"], params), strings)


@pytest.mark.parametrize(
    ("key", "params"),
    [
        ("size_dreamt", {"more": 1}),
        ("size_replaced", {"old": 1}),
        ("value_new", {"protocol": "tls", "direction": "sent", "scope": "cloud", "kind": "ttl"}),
        ("statistic_moved", {"protocol": "x", "direction": "up", "scope": None}),
        ("value_gone", {**REASONS[0]["params"], "kind": "ttl", "value": None}),
        ("value_gone", {**REASONS[0]["params"], "kind": "ttl", "value": float("inf")}),
    ],
)
def test_a_reason_of_a_later_version_is_shown_as_it_is(key: str, params: dict[str, Any]) -> None:
    """Nothing breaks the words."""
    assert describe_reason(Reason(key, params), STRINGS).startswith(key)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (0.0321, "0.0321"), (999.4, "999"), (1234.5, "1234"), (262_144, "262 k"),
     (1_400_000, "1.4 M"), (3e9, "3 G"), (-20_000, "-20 k")],
)  # fmt: skip
def test_numbers_are_short(value: float, said: str) -> None:
    """As the agent writes them."""
    assert short_number(value) == said


@pytest.mark.parametrize("example", EVENTS, ids=[each["type"] for each in EVENTS])
def test_the_examples_of_the_contract_are_understood(example: dict[str, Any]) -> None:
    """Each event of the contract keeps all that it says."""
    event = parse_message(example)

    assert isinstance(event, Event)
    assert (event.seq, event.id, event.mac, event.type) == (
        example["seq"], example["id"], example["device"], example["type"],
    )  # fmt: skip
    assert [reason.key for reason in event.reasons] == [r["key"] for r in example["reasons"]]


def test_messages_that_are_no_events() -> None:
    """A gap, a hint, and what a later version may send."""
    assert parse_message({"type": "gap", "last_seq": 7}) == Gap(7)
    assert parse_message({"type": "changed"}) == Changed()
    assert parse_message({"type": "weather"}) is None


@pytest.mark.parametrize(
    ("figures", "band"),
    [
        ((0.9, 0.5, 2.0, 1.0, 3.0), (0.3, 0.7)),
        ((0.9, 0.95, -0.5, -1.5, 0.5), (0.85, 1.0)),
        ((0.9, 0.9, 0.0, -1.0, 1.0), None),
        ((0.9, 0.5, None, None, None), None),
    ],
)
def test_the_band_of_similarity_is_that_of_g(
    figures: tuple[float | None, ...], band: tuple[float, float] | None
) -> None:
    """The interval of a difference, in the unit of what is drawn, within what can be."""
    names = ("similarity_baseline", "similarity_test", "g", "g_low", "g_high")
    judged = parse_judged(
        {
            "time": "2026-03-01T00:00:00Z",
            "state": "stable",
            "version": 1,
            "verdict": "stable",
            **dict(zip(names, figures, strict=True)),
        }
    )

    assert judged.band == (None if band is None else pytest.approx(band))


def test_waiting_times_double_up_to_a_minute_and_begin_anew() -> None:
    """An agent that is away is not hammered, and one that is back is found soon."""
    backoff = Backoff(lambda: 1.0)
    times = [backoff.next_s() for _ in range(12)]
    assert times[0] == 0.5
    assert all(b == min(2 * a, 60) for a, b in pairwise(times))
    assert Backoff(lambda: 0.0).next_s() == 0.25
    backoff.reset()
    assert backoff.next_s() == 0.5


async def test_the_client_reads_no_more_than_it_has_to(
    agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer without end, one that is no object, and a refusal without words."""
    address = Address(agent.host, agent.port, agent.fingerprint)
    async with ClientSession() as session:
        client = AgentClient(session, address, "secret")
        monkeypatch.setattr(client_module, "_MOST_BYTES", 10)
        with pytest.raises(AnswerError, match="too long"):
            await client.devices()
        monkeypatch.undo()

        monkeypatch.setattr(client, "_request", lambda *_, **__: _later(b"[]"))
        with pytest.raises(AnswerError, match="no JSON object"):
            await client.info()
        monkeypatch.undo()

        agent.failing["info"] = 500
        monkeypatch.setattr(agent, "_error", lambda status, _: agent_response(status))
        with pytest.raises(RefusedError, match="no reason is given"):
            await client.info()
        agent.failing = {f"devices/{CAMERA}/image/after.png": 500, "events/ws": 503}
        with pytest.raises(RefusedError):
            await client.image(CAMERA, "after")
        with pytest.raises(RefusedError):
            await anext(client.stream(0))


async def _later(data: bytes) -> bytes:
    return data


def agent_response(status: int) -> Any:
    from aiohttp import web

    return web.Response(status=status, text="?")


@pytest.mark.parametrize("fingerprint", ["", "00", "zz" * 32])
def test_an_address_needs_a_fingerprint(fingerprint: str) -> None:
    """Without one there would be nobody to trust."""
    with pytest.raises(ValueError):
        Address("pi.local", 8127, fingerprint)
