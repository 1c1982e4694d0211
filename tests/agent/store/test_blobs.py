"""The layout of stored periods does not change without its number."""

import zlib

import numpy as np
from fwid_agent.store.blobs import LAYOUT, decode_period, encode_periods
from fwid_agent.types import PROTOCOLS, ROWS, SUMS, TOKEN_DTYPE, UnitTable
from hypothesis import given, settings

from tests.made_tables import tables


def test_a_stored_period_of_layout_1_is_still_understood() -> None:
    """Bytes as the first version wrote them: row 33 (DNS sent, ...) and two tokens."""
    sums = np.arange(9, dtype="<f8") / 2
    body = b"".join(
        [
            bytes.fromhex("01 02000000 1d"),
            sums.tobytes(),
            bytes.fromhex("1d1d 0002 5a000000 40000000 07000000 09000000"),
        ]
    )
    read, tokens = decode_period(b"\x01" + zlib.compress(body))
    np.testing.assert_array_equal(read[29], sums)
    assert np.count_nonzero(read.any(axis=1)) == 1
    assert tokens.tolist() == [(0, 29, 0, 90, 7), (0, 29, 2, 64, 9)]


def test_the_order_of_rows_and_sums_belongs_to_the_layout() -> None:
    """Whoever changes it writes a new layout and a migration."""
    assert LAYOUT == 1
    assert tuple(PROTOCOLS) == (
        *("arp", "eapol", "l2", "icmp", "icmpv6", "igmp", "dhcp", "dns"),
        *("mdns", "ssdp", "ntp", "http", "tls", "mqtt", "tcp", "udp"),
    )
    assert ROWS[29] == ("dns", "sent", "cloud")
    assert ROWS[30] == ("dns", "received", "lan")
    assert list(SUMS) == [
        *("packets", "size", "size_sq", "payload_packets", "payload"),
        *("gaps", "log_gap", "log_gap_sq", "flows"),
    ]


@settings(max_examples=100)
@given(tables())
def test_periods_come_back(table: UnitTable) -> None:
    """Each period by itself, bit for bit."""
    for period, body in enumerate(encode_periods(table)):
        sums, tokens = decode_period(body)
        np.testing.assert_array_equal(sums, table.sums[period])
        expected = table.tokens[table.tokens["period"] == period]
        assert tokens.dtype == TOKEN_DTYPE
        assert [tuple(token)[1:] for token in tokens.tolist()] == [
            tuple(token)[1:] for token in expected.tolist()
        ]
