"""Samples of flows, and what devices are said and taken to be, stay as they were given."""

from pathlib import Path

import numpy as np
import pytest
from fwid_agent.config import Config
from fwid_agent.core.flow_sample import sample_flows
from fwid_agent.errors import StoreLostError
from fwid_agent.store import DeviceRow, IdentificationRow, Progress, Store
from fwid_agent.store.backup import back_up, restore
from fwid_agent.store.flows import decode_sample, encode_sample
from fwid_agent.types import FLOWS_KEPT, FlowSample, Identification, Kind
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.made_flows import make_flows
from tests.made_tables import DAY_NS

MAC, OTHER = 0xB0C554000001, 0xB0C554000002
DEVICES = [DeviceRow(mac, 1, 2, 3, 4, 5) for mac in (MAC, OTHER)]
HUB = Kind("Philips Hue bridge", "Hub", "person")


def sample(seed: int, count: int) -> FlowSample:
    records = make_flows(seed, count, opener=MAC, responder=1)
    units = np.zeros(count, np.int64)
    ((_, _, made),) = sample_flows(records, np.array([MAC], np.uint64), units)
    return made


def identified(day: int, label: str | None = "camera", device: int = MAC) -> IdentificationRow:
    answer = Identification(label, "Surveillance" if label else None, 0.93, "camera")
    return IdentificationRow(device, day * DAY_NS, answer, "home", 3, "camera")


def put(store: Store, *parts: tuple[int, FlowSample]) -> None:
    for day, part in parts:
        store.commit_progress(Progress(devices=DEVICES, flows={MAC: {day * DAY_NS: part}}))


@settings(max_examples=60)
@given(st.data())
def test_a_sample_comes_back(data: st.DataObject) -> None:
    """To the last bit, whatever its numbers are."""
    count, width = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 19))
    marks = np.sort(data.draw(hnp.arrays(np.uint64, count)))
    values = data.draw(hnp.arrays(np.float32, (count, width)))
    back = decode_sample(7, encode_sample(FlowSample(7, marks, values)))
    assert back.seen == 7
    assert back.marks.tobytes() == marks.tobytes()
    assert back.values.shape == values.shape
    assert back.values.tobytes() == values.tobytes()


def test_parts_add_up_in_the_store(store: Store) -> None:
    """The order of commits does not matter, and units stay apart."""
    one, two = sample(1, 2 * FLOWS_KEPT), sample(2, 40)
    put(store, (1, one), (1, two), (2, two), (3, two), (3, one))
    first, second, third = store.flows()
    assert (first.device, first.start_ns, first.seen) == (MAC, DAY_NS, 2 * FLOWS_KEPT + 40)
    np.testing.assert_array_equal(first.values, third.values)
    np.testing.assert_array_equal(second.values, two.values)
    assert len(first.values) == FLOWS_KEPT
    assert [day.start_ns for day in store.flows(2 * DAY_NS)] == [2 * DAY_NS, 3 * DAY_NS]
    kept = store.flow_sample(MAC, 2 * DAY_NS)
    assert kept is not None
    assert kept.seen == 40
    assert store.flow_sample(OTHER, 2 * DAY_NS) is None


def test_samples_are_kept_for_four_weeks(store: Store) -> None:
    """Or not at all by whoever does not want devices identified."""
    put(store, *((day, sample(day, 5)) for day in (1, 2, 30)))
    store.compact(30 * DAY_NS, Config())
    assert [day.start_ns // DAY_NS for day in store.flows()] == [2, 30]
    store.compact(30 * DAY_NS, Config(identify="off"))
    assert store.flows() == ()


def test_a_forgotten_device_leaves_nothing(store: Store) -> None:
    """Its flows, what it is said to be and what it was taken for go with it."""
    put(store, (1, sample(1, 5)))
    store.put_kind(MAC, HUB)
    store.commit_progress(Progress(identifications=[identified(1)]))
    store.forget([MAC])
    assert store.flows() == ()
    assert store.kinds() == {}
    assert store.latest_identifications() == {}


def test_a_persons_word_stands_above_home_assistants(store: Store) -> None:
    """Whoever takes it back is told what Home Assistant says again."""
    other = Kind("Hue", None, "home_assistant")
    store.commit_progress(Progress(devices=DEVICES))
    store.put_kind(MAC, HUB)
    store.put_kind(MAC, other)
    assert store.kinds() == {MAC: HUB}
    assert store.wanted() == {MAC}
    store.drop_kind(MAC, "person")
    assert store.kinds() == {MAC: other}
    assert store.wanted() == frozenset()
    store.drop_kind(MAC, "home_assistant")
    assert store.kinds() == {}


def test_a_given_name_stands_for_what_nobody_said(store: Store) -> None:
    """As a label to learn by; a name that a device gives itself does not."""
    store.commit_progress(Progress(devices=DEVICES, names={OTHER: "ESP_1234"}))
    store.name(MAC, "Hallway camera")
    assert store.labelled() == {MAC: Kind("Hallway camera", None, "person")}
    assert store.kinds() == {}
    store.put_kind(MAC, HUB)
    assert store.labelled() == {MAC: HUB}


def test_what_units_were_taken_for_comes_back(store: Store) -> None:
    """Each unit's answer, the latest of each device, and the later answer about the same unit."""
    rows = [identified(1, None), identified(3), identified(2), identified(1, device=OTHER)]
    store.commit_progress(Progress(devices=DEVICES, identifications=rows))
    assert store.identifications(MAC) == (rows[0], rows[2], rows[1])
    assert store.identifications(MAC, 3 * DAY_NS) == (rows[1],)
    assert store.latest_identifications() == {MAC: rows[1], OTHER: rows[3]}
    store.commit_progress(Progress(identifications=[identified(3, None)]))
    assert store.latest_identifications()[MAC] == identified(3, None)


def test_a_copy_carries_them(tmp_path: Path) -> None:
    """A backup that is restored knows what the home's devices are."""
    path, copy, new = (tmp_path / name for name in ("home.db", "copy.db", "new.db"))
    with Store.open(path) as store:
        put(store, (1, sample(1, 5)))
        store.put_kind(MAC, HUB)
        store.commit_progress(Progress(identifications=[identified(1)]))
        flows = store.flows()
    back_up(path, copy)
    restore(copy, new)
    with Store.open(new, create=False) as store:
        np.testing.assert_array_equal(store.flows()[0].values, flows[0].values)
        assert store.kinds() == {MAC: HUB}
        assert store.latest_identifications() == {MAC: identified(1)}


@pytest.mark.parametrize("body", [b"", b"\x02", b"\x01nothing", encode_sample(sample(1, 5))[:-4]])
def test_a_damaged_sample_is_said(store: Store, body: bytes) -> None:
    """As one clear error, and never as numbers."""
    put(store, (1, sample(1, 5)))
    store._connection.execute("UPDATE flows SET body = ?", (body,))
    with pytest.raises(StoreLostError, match="damaged"):
        store.flows()
