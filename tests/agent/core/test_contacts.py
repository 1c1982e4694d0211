"""Contacts: what is seen of each device and which networks it talks with, against a plain count."""

from collections import Counter, defaultdict

import numpy as np
from fwid_agent.core.contacts import LARGEST_FRAME, ContactBook
from fwid_agent.core.devices import DeviceTracker
from fwid_agent.core.flows import FlowTable
from fwid_agent.tables import MOST_NETWORKS, merge_contacts, select_contacts
from fwid_agent.types import CONTACT_DTYPE, SEEN, ContactTable, PacketBatch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.core.batches import Packet, batch_of, cut, freeze, packet

_WINDOW_NS = 10
_HOME, _US, _ROUTER, _BROADCAST = 0x02A1, 0x02B2, 0x02C3, 0xFFFFFFFFFFFF
_CLOUD, _LAN = 0x08080808, 0xC0A80002
Counts = dict[tuple[int, int], Counter[str]]

_packets = st.lists(
    st.builds(
        lambda macs, ips, ts_ns, size: packet(
            (ips[0], 1000), (ips[1], 443),
            src_mac=macs[0], dst_mac=macs[1], ts_ns=ts_ns, wire_bytes=size,
        ),
        st.tuples(*2 * [st.sampled_from([_HOME, _HOME, _US, _ROUTER, _BROADCAST, 0])]),
        st.tuples(*2 * [st.sampled_from([_LAN, _CLOUD, _CLOUD + 1, _CLOUD + 256])]),
        st.integers(10**9, 10**9 + 35),
        st.sampled_from([100, LARGEST_FRAME, LARGEST_FRAME + 1]),
    ),
    min_size=1,
    max_size=30,
)  # fmt: skip
_cuts = st.lists(st.integers(0, 30), max_size=4)


def add(book: ContactBook, blocks: list[PacketBatch]) -> dict[int, ContactTable]:
    """Feed blocks as the pipeline does; flows never end, so each pair of networks is one."""
    tracker, flows = DeviceTracker(), FlowTable(idle_timeout_s=0, active_timeout_s=0)
    for block in blocks:
        freeze(block)
        marks, sides = flows.update(block), tracker.update(block)
        book.update(block, marks, sides, tracker.macs, tracker.gateway)
    return book.drain(tracker.macs)


def count(packets: list[Packet], own: frozenset[int]) -> Counts:
    """Count packet by packet what is seen of each device in each window."""
    counts: Counts = defaultdict(Counter)
    gateways: set[int] = set()
    for one in packets:
        source, target = one["src_mac"], one["dst_mac"]
        window = one.get("ts_ns", 0) // _WINDOW_NS * _WINDOW_NS
        forwarded = one["src_lo"] != _LAN
        if forwarded:
            gateways.add(source)
        at_home = not forwarded and one["dst_lo"] == _LAN
        for side, peer, name in ((source, target, "sent"), (target, source, "received")):
            if side in (0, _BROADCAST) or (name == "sent" and forwarded):
                continue
            if name == "sent" and target == _BROADCAST:
                name = "multicast"  # noqa: PLW2901
            if not (peer in own and peer not in gateways and at_home):
                counts[side, window][name] += 1
            counts[side, window]["merged"] += one["wire_bytes"] > LARGEST_FRAME
    return {key: +counter for key, counter in counts.items() if +counter}


def seen_of(tables: dict[int, ContactTable]) -> Counts:
    return {
        (mac, start_ns): counter
        for mac, table in tables.items()
        for start_ns, row in zip(table.start_ns.tolist(), table.seen.tolist(), strict=True)
        if (counter := +Counter(dict(zip(SEEN, row, strict=True))))
    }


@settings(max_examples=150)
@given(_packets, _cuts)
def test_what_is_seen_is_what_is_counted_packet_by_packet(
    packets: list[Packet], at: list[int]
) -> None:
    """In whatever blocks they come, in whatever disorder of time, and inputs stay."""
    blocks = list(cut(batch_of(packets), at))
    assert seen_of(add(ContactBook(_WINDOW_NS), blocks)) == count(packets, frozenset())


def test_what_the_watching_machine_hears_itself_tells_nothing() -> None:
    """A plug that talks to the Pi alone is seen on a plain switch too; with others it is not."""
    said = [
        packet((_LAN, 1), (_LAN, 2), src_mac=_HOME, dst_mac=_US),
        packet((_LAN, 2), (_LAN, 1), src_mac=_US, dst_mac=_HOME),
        packet((_LAN, 1), (_LAN, 2), src_mac=_HOME, dst_mac=_ROUTER),
    ]
    own = frozenset({_US})
    tables = add(ContactBook(_WINDOW_NS, own), [batch_of(said)])
    assert seen_of(tables) == count(said, own)
    assert seen_of(tables)[_HOME, 0] == Counter(sent=1)


def test_a_machine_that_forwards_sees_all_that_it_forwards() -> None:
    """The Pi as access point: every packet of its devices goes to its own address."""
    said = [
        packet((_CLOUD, 443), (_LAN, 1), src_mac=_US, dst_mac=_HOME),
        packet((_LAN, 1), (_CLOUD, 443), src_mac=_HOME, dst_mac=_US),
        packet((_LAN, 1), (_LAN, 2), src_mac=_HOME, dst_mac=_US),
    ]
    tables = add(ContactBook(_WINDOW_NS, frozenset({_US})), [batch_of(said)])
    assert seen_of(tables)[_HOME, 0] == Counter(sent=2, received=1)


def test_networks_are_counted_by_flow_and_no_more_of_them_is_kept() -> None:
    """The first 24 bits of IPv4, 48 of IPv6; peers at home are none."""
    six = {"ip_version": 6, "src_hi": 0xFE80 << 48, "dst_hi": 0x20010DB8_0001_0002}
    said = [
        packet((_LAN, 1), (_CLOUD, 443), src_mac=_HOME, dst_mac=_ROUTER),
        packet((_LAN, 1), (_CLOUD, 443), src_mac=_HOME, dst_mac=_ROUTER),  # the same flow
        packet((_LAN, 2), (_CLOUD + 1, 443), src_mac=_HOME, dst_mac=_ROUTER),
        packet((_CLOUD + 256, 5), (_LAN, 2), src_mac=_ROUTER, dst_mac=_HOME),
        packet((_LAN, 1), (_LAN + 1, 2), src_mac=_HOME, dst_mac=_ROUTER),
        packet((5, 1), (6, 2), src_mac=_HOME, dst_mac=_ROUTER, **six),
    ]
    table = add(ContactBook(_WINDOW_NS), [batch_of(said)])[_HOME]
    assert table.networks[["network", "flows"]].tolist() == [
        (_CLOUD >> 8, 2), (_CLOUD + 256 >> 8, 1), (0x20010DB8_0001, 1),
    ]  # fmt: skip


def test_a_scanner_is_bounded_and_counted() -> None:
    """Thousands of networks: the busiest are kept, and the flows of the rest are not forgotten."""
    count = 3 * MOST_NETWORKS
    said = [
        packet((_LAN, 1), (_CLOUD + (number << 8), 443), src_mac=_HOME, dst_mac=_ROUTER)
        for number in range(count)
    ] + [packet((_LAN, 2), (_CLOUD, 443), src_mac=_HOME, dst_mac=_ROUTER)]
    book = ContactBook(_WINDOW_NS)
    half = count // 2
    first, second = (batch_of(part) for part in (said[:half], said[half:]))
    table = merge_contacts([add(book, [first])[_HOME], add(book, [second])[_HOME]])
    assert len(table.networks) == MOST_NETWORKS
    assert table.networks["flows"].max() == 2
    assert table.networks["flows"].sum() + table.beyond.sum() == count + 1


@st.composite
def contact_tables(draw: st.DrawFn) -> ContactTable:
    """Any table of a few periods and networks."""
    starts = sorted(draw(st.sets(st.integers(0, 5), max_size=4)))
    rows = sorted(draw(st.sets(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=8)))
    kept = [(p, n, draw(st.integers(1, 99))) for p, n in rows if p < len(starts)]
    seen = draw(st.lists(st.integers(0, 99), min_size=len(starts), max_size=len(starts)))
    return ContactTable(
        np.array(starts, np.int64),
        np.repeat(np.array(seen, np.int64)[:, None], len(SEEN), 1),
        np.array(kept, CONTACT_DTYPE),
        np.array(seen, np.int64),
    )


@settings(max_examples=60)
@given(st.lists(contact_tables(), max_size=4), st.integers(0, 4))
def test_tables_add_in_any_grouping(tables: list[ContactTable], at: int) -> None:
    """Adding some first changes nothing; taking a part and the rest gives the whole."""
    whole = merge_contacts(tables)
    again = merge_contacts([merge_contacts(tables[:at]), merge_contacts(tables[at:])])
    rows = np.arange(len(whole))
    parts = [select_contacts(whole, rows[rows % 2 == half]) for half in (1, 0)]
    for other in (again, merge_contacts(parts)):
        for name in ("start_ns", "seen", "networks", "beyond"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(other, name))
    assert whole.seen.sum() == sum(table.seen.sum() for table in tables)
    flows = sum(int(table.networks["flows"].sum()) for table in tables)
    assert int(whole.networks["flows"].sum()) == flows
