"""Flows are sampled as they were, live as from captures, and never grow the memory."""

import random
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.config import Config
from fwid_agent.core.flow_features import FLOW_FEATURE_INDEX
from fwid_agent.lab.identification.samples import Timeouts, read_flows
from fwid_agent.pipeline import ReplayRequest, replay
from fwid_agent.pipeline.ingest import SECOND_NS, Ingest, ReadOptions
from fwid_agent.pipeline.messages import UnitKind
from fwid_agent.store import Store
from fwid_agent.types import F4, FLOWS_KEPT
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.agent.pipeline.test_known_again import chatter
from tests.agent.pipeline.test_replay import (
    CONFIG,
    ONE,
    OTHER,
    SENSOR,
    START_NS,
    by_unit,
    content,
    in_time,
    record_starts,
    run,
)
from tests.made_captures import Frame, block_of, pcap
from tests.made_tables import HOUR_NS

GATEWAY = "02:00:00:00:00:fe"
CAMERA = int(ONE.replace(":", ""), 16)
OPTIONS = ReadOptions(HOUR_NS, False, False, Config(max_flows=64, max_devices=8), flows=True)


def talk(
    number: int, source: str = ONE, target: str = GATEWAY, address: str = "8.8.8.8", **more: int
) -> Frame:
    """A first packet of a flow of its own."""
    frame = Ether(src=source, dst=target) / IP(src="192.168.0.2", dst=address)
    frame /= UDP(sport=1024 + number % 60_000, dport=more.get("port", 53))
    return Frame(bytes(frame), START_NS + number * SECOND_NS // 100)


def by_value(values: F4) -> F4:
    """Sorted rows, without domains: they are only asked for with handshakes."""
    rows = np.delete(values, FLOW_FEATURE_INDEX["domain"], axis=1)
    return rows[np.lexsort(rows.T)]


def test_the_sample_of_a_small_day_is_the_day(tmp_path: Path) -> None:
    """As the study reads it: every flow of a real device, with the same 19 numbers."""
    (capture, *_) = in_time("D-LinkSensor")
    run([capture], tmp_path / "home.db")
    (day,) = [day for day in content(tmp_path / "home.db").flows if day.device == SENSOR]
    expected = read_flows(str(capture), SENSOR, Timeouts()).values.astype(np.float32)
    assert 0 < day.seen == len(expected) <= FLOWS_KEPT
    np.testing.assert_allclose(by_value(day.values), by_value(expected), rtol=1e-6)


@by_unit
def test_a_flow_of_a_growing_capture_counts_once(tmp_path: Path, unit: UnitKind) -> None:
    """Also one that was open where the capture had ended, and was counted there."""
    data = pcap(chatter(200))
    starts = record_starts(data)
    (tmp_path / "whole.pcap").write_bytes(data)
    run([tmp_path / "whole.pcap"], tmp_path / "whole.db", unit)
    growing = tmp_path / "growing.pcap"
    for share in (0.1, 0.5, 0.5, 0.9, 1.0):
        at = starts[int(share * (len(starts) - 1))]
        growing.write_bytes(data if share == 1 else data[:at])
        run([growing], tmp_path / "grown.db", unit)
    grown, whole = (content(tmp_path / name).flows for name in ("grown.db", "whole.db"))
    assert [(day.device, day.seen) for day in grown] == [(day.device, day.seen) for day in whole]


def test_nothing_is_sampled_where_nobody_asks(tmp_path: Path) -> None:
    """Whoever switched it off has no flows in the store, and pays for none."""
    path, store = tmp_path / "home.pcap", tmp_path / "home.db"
    path.write_bytes(pcap(chatter(10)))
    off = Config(
        **{**{name: getattr(CONFIG, name) for name in CONFIG.__slots__}, "identify": "off"}
    )
    list(
        replay(
            ReplayRequest((str(path),), str(store), config=off),
            on_progress=lambda _: None,
            on_note=pytest.fail,
        )
    )
    with Store.open(store) as opened:
        assert opened.devices()
        assert opened.flows() == ()


def test_a_flow_to_the_internet_is_not_the_routers() -> None:
    """A flow in the home is of both ends; one that is only forwarded is its device's alone."""
    ingest = Ingest(OPTIONS)
    ingest.begin_session(1, START_NS)
    there = Ether(src=GATEWAY, dst=ONE) / IP(src="8.8.8.8", dst="192.168.0.2")
    answer = Frame(bytes(there / UDP(sport=53, dport=1024)), START_NS + 5)
    ingest.feed(block_of([talk(0), answer, talk(1), talk(2, ONE, OTHER, "192.168.0.9")]))
    ingest.end_session()
    seen = {
        mac: sum(sample.seen for sample in units.values())
        for mac, units in ingest.drain().flows.items()
    }
    assert seen == {CAMERA: 3, int(OTHER.replace(":", ""), 16): 1}


def test_floods_do_not_grow_the_memory() -> None:
    """Neither of flows nor of made-up addresses; what was seen is counted all the same."""
    ingest, rng = Ingest(OPTIONS), random.Random(1)
    ingest.begin_session(1, START_NS)
    frames = [talk(number) for number in range(6_000)]
    made_up = []
    for number in range(6_000, 8_000):
        mac = ":".join(f"{part:02x}" for part in rng.randbytes(4))
        made_up.append(talk(number, f"02:01:{mac}"))
    for begin in range(0, len(frames), 500):
        ingest.feed(block_of(frames[begin : begin + 500]))
        sampler = ingest._sampler
        assert sampler is not None
        assert len(sampler._book._records) <= 64
        assert sum(len(each) for each in sampler._waiting) < 2048 + 500
    ingest.feed(block_of(made_up))
    ingest.end_session()
    flows = ingest.drain().flows
    assert len(flows) <= 8
    (sample,) = flows[CAMERA].values()
    assert sample.seen == 6_000
    assert len(sample) == FLOWS_KEPT


def test_segments_that_a_kernel_merged_have_their_domain() -> None:
    """Names are of frames, flows of packets: each packet of a frame has the frame's."""
    config = Config(handshakes=True)
    ingest = Ingest(ReadOptions(HOUR_NS, False, False, config, flows=True))
    ingest.begin_session(1, START_NS)
    frame = Ether(src=ONE, dst=GATEWAY) / IP(src="192.168.0.2", dst="8.8.8.8")
    data = bytes(frame / TCP(sport=5, dport=443, flags="A") / bytes(3000))
    block = block_of([Frame(data, START_NS), Frame(data, START_NS + 1)])
    segments = np.array([1000, 0], np.uint16)
    ingest.feed(type(block)(*(getattr(block, name) for name in block.__slots__[:-1]), segments))
    ingest.end_session()
    (sample,) = ingest.drain().flows[CAMERA].values()
    assert sample.values[0, FLOW_FEATURE_INDEX["packets_out"]] == 4
