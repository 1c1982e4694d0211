"""Handshakes through the whole pipeline: reasons in the device's words, and nothing while off."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.config import Config
from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.findings import Sign, list_findings
from fwid_agent.core.handshakes.tls import ja4, read_client_hello
from fwid_agent.core.handshakes.values import number_of
from fwid_agent.core.periods import make_period
from fwid_agent.pipeline import CompareRequest, ReplayRequest, VerdictLine, compare, replay
from fwid_agent.pipeline.ingest import Ingest, ReadOptions
from fwid_agent.pipeline.models import load_prior
from fwid_agent.store import Store
from fwid_agent.types import HANDSHAKE_KINDS, Cause, TokenKind, UnitTable, Verdict, parse_mac
from scapy.layers.dns import DNS, DNSQR

from tests.agent.core.handshakes.frames import MAC, dhcp, hello, segments, udp
from tests.made_captures import Frame, pcap
from tests.made_tables import DAY_NS, HOUR_NS, assert_same

DEVICE = parse_mac(MAC)
BEGIN_NS = 20_000 * DAY_NS
OLD, NEW = hello("cloud.example", ["http/1.1"]), hello("cloud.example", ["h2"])
ON, OFF = Config(handshakes=True, learning_units=3), Config(learning_units=3)


def day(number: int, greeting: bytes, *, name: str, vendor: str) -> list[Frame]:
    """A day of a device that asks for an address and a name and connects, all day long.

    Of every version of it the frames are as long: only what is in them tells.
    """
    said = [
        dhcp([("param_req_list", [1, 3]), ("vendor_class_id", vendor.encode())]),
        udp(bytes(DNS(rd=1, qd=DNSQR(qname=name))), (5000, 53)),
        *segments(greeting.ljust(700, b"\0"), port=40_000 + number),
    ]
    return [
        Frame(frame, BEGIN_NS + number * DAY_NS + hour * HOUR_NS + n * 1_000_000_000)
        for hour in range(20)
        for n, frame in enumerate(said)
    ]


def capture(path: Path, days: Sequence[int], **said: object) -> str:
    frames = [frame for number in days for frame in day(number, **said)]  # type: ignore[arg-type]
    path.write_bytes(pcap(frames))
    return str(path)


@pytest.fixture
def before(tmp_path: Path) -> str:
    return capture(tmp_path / "a.pcap", range(6), greeting=OLD, name="a.example", vendor="udhcp 1")


@pytest.fixture
def after(tmp_path: Path) -> str:
    days = range(6, 10)
    return capture(tmp_path / "b.pcap", days, greeting=NEW, name="b.example", vendor="udhcp 2")


def fingerprint(data: bytes) -> str:
    known = read_client_hello(data)
    assert known is not None
    return ja4(known)


def windows(config: Config, *paths: str) -> UnitTable:
    ingest = Ingest(ReadOptions(HOUR_NS, per_file=False, dedup=False, config=config))
    ingest.begin_session(1, BEGIN_NS)
    for path in paths:
        with open_capture(path) as reader:
            for block in reader:
                ingest.feed(block)
    ingest.end_session()
    return ingest.drain().windows[DEVICE]


def lines(*paths: str, config: Config, store: Path | None = None) -> list[VerdictLine]:
    request = ReplayRequest(paths, store=None if store is None else str(store), config=config)
    run = replay(request, on_progress=lambda _: None, on_note=lambda _: None)
    return [line for line in run if isinstance(line, VerdictLine) and line.device == MAC]


def test_a_comparison_tells_it_in_the_devices_words(before: str, after: str) -> None:
    """The strongest reasons name what was said before and after; without the switch none is."""
    for config in (ON, OFF):
        request = CompareRequest(DEVICE, (before,), (after,), config=config)
        decision = compare(request, on_progress=lambda _: None, on_note=lambda _: None).decision
        told = {each.params.get("kind"): each.params for each in decision.reasons}
        if config is OFF:
            assert not any(each.params.get("kind") for each in decision.reasons)
            assert decision.verdict is not Verdict.CHANGED
            continue
        assert told["tls_client"]["old"] == fingerprint(OLD)
        assert told["tls_client"]["new"] == fingerprint(NEW)
        assert told["dhcp_vendor"]["old"] == "udhcp 1"
        assert told["dns_name"]["new"] == "b.example"
        assert (decision.verdict, decision.cause) == (Verdict.CHANGED, Cause.SOFTWARE)


def test_what_is_read_moves_nothing_else(before: str, after: str) -> None:
    """With the switch on the tables are the same but for what handshakes add to them."""
    off, on = windows(OFF, before, after), windows(ON, before, after)
    headers = ~np.isin(on.tokens["kind"], HANDSHAKE_KINDS)
    assert_same(off, replace(on, tokens=on.tokens[headers]))
    assert not np.isin(off.tokens["kind"], HANDSHAKE_KINDS).any()
    added = on.tokens[~headers]
    assert {TokenKind(kind) for kind in added["kind"]} == {
        TokenKind.TLS_CLIENT, TokenKind.DNS_NAME, TokenKind.DHCP_OPTIONS, TokenKind.DHCP_VENDOR
    }  # fmt: skip
    hours = added[added["value"] == number_of("a.example")]
    assert len(hours) == 6 * 20
    assert (hours["count"] == 1).all()


def test_software_is_told_from_names(before: str, after: str) -> None:
    """A replaced greeting is the device's own value; a replaced domain moves with settings."""
    periods = [make_period(windows(ON, path), "day", DAY_NS) for path in (before, after)]
    findings = list_findings(compare_periods(periods[0], periods[1], load_prior()))
    signs = {each.reason.params.get("kind"): each.sign for each in findings}
    assert signs["tls_client"] is Sign.OWN_VALUE
    assert signs["dhcp_vendor"] is Sign.OWN_VALUE
    assert signs["dns_name"] is Sign.ONE_SIDED


@pytest.mark.parametrize(("first", "then"), [(ON, OFF), (OFF, ON)])
def test_to_switch_it_on_or_off_changes_no_device(
    first: Config, then: Config, tmp_path: Path
) -> None:
    """Days of which nothing was read say nothing of what was read on other days."""
    said = {"greeting": OLD, "name": "a.example", "vendor": "udhcp 1"}
    one = capture(tmp_path / "a.pcap", range(6), **said)
    other = capture(tmp_path / "b.pcap", range(6, 10), **said)
    periods = [
        make_period(windows(config, path), "day", DAY_NS)
        for config, path in ((first, one), (then, other))
    ]
    comparison = compare_periods(periods[0], periods[1], load_prior())
    told = np.isin(comparison.tokens["kind"], HANDSHAKE_KINDS)
    assert told.any()
    assert not comparison.tokens["evidence"][told].any()


def test_a_device_that_connects_seldom_has_not_changed(tmp_path: Path) -> None:
    """A day on which it greets nobody says nothing of how it greets."""
    said = {"greeting": OLD, "name": "a.example", "vendor": "udhcp 1"}
    whole = windows(ON, capture(tmp_path / "a.pcap", range(6), **said))
    rest = windows(ON, capture(tmp_path / "b.pcap", range(6, 10), **said))
    silent = replace(rest, tokens=rest.tokens[rest.tokens["kind"] != TokenKind.TLS_CLIENT])
    periods = [make_period(table, "day", DAY_NS) for table in (whole, silent)]
    tokens = compare_periods(periods[0], periods[1], load_prior()).tokens
    greeting = tokens["kind"] == TokenKind.TLS_CLIENT
    assert greeting.sum() == 1
    assert tokens["evidence"][greeting] == 0


def test_events_name_what_was_said_also_after_a_restart(
    before: str, after: str, tmp_path: Path
) -> None:
    """The texts of earlier runs are in the store; one run and two say the same."""
    whole, pieces = tmp_path / "whole.db", tmp_path / "pieces.db"
    at_once = lines(before, after, config=ON, store=whole)
    in_two = lines(before, config=ON, store=pieces) + lines(after, config=ON, store=pieces)
    assert at_once == in_two
    for path in (whole, pieces):
        with Store.open(path, create=False) as store:
            reasons = [
                dict(each.params)
                for event in store.events().events
                for each in event.reasons
                if each.params.get("kind") == "tls_client"
            ]
            assert reasons
            assert reasons[0]["old"] == fingerprint(OLD)
            kept = {each.text for each in store.texts()[DEVICE]}
            assert {"a.example", "b.example", "udhcp 1", fingerprint(NEW)} <= kept


def test_off_nothing_is_kept(before: str, tmp_path: Path) -> None:
    """And what an earlier run kept is forgotten as soon as it is switched off."""
    path = tmp_path / "fwid.db"
    lines(before, config=OFF, store=path)
    with Store.open(path) as store:
        assert store.texts() == {}
        assert not np.isin(store.windows(DEVICE).tokens["kind"], HANDSHAKE_KINDS).any()
    other = tmp_path / "other.db"
    lines(before, config=ON, store=other)
    with Store.open(other) as store:
        assert store.texts()[DEVICE]
        store.compact(BEGIN_NS + 10 * DAY_NS, OFF)
        assert store.texts() == {}


def test_pieces_of_a_capture_add_up(before: str) -> None:
    """Whatever the blocks are, each saying counts once."""
    whole = windows(ON, before)
    ingest = Ingest(ReadOptions(HOUR_NS, per_file=False, dedup=False, config=ON))
    ingest.begin_session(1, BEGIN_NS)
    with open_capture(before) as reader:
        for block in reader:
            for begin in range(0, len(block.ts_ns), 7):
                part = slice(begin, begin + 7)
                names = ("offsets", "captured_bytes", "wire_bytes", "ts_ns", "link_type", "source")
                columns = {name: getattr(block, name)[part] for name in names}
                ingest.feed(replace(block, **columns))
    ingest.end_session()
    got = ingest.drain().windows[DEVICE]
    assert np.array_equal(got.tokens, whole.tokens)
