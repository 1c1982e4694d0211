"""Crypto-PAn: the values that its authors publish, and that common prefixes stay as long."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import numpy as np
import pytest
from fwid_agent.export.prefix_cipher import Kept, PrefixCipher
from hypothesis import given
from hypothesis import strategies as st

# Key and addresses of the sample trace that comes with the authors' Crypto-PAn 1.0.
SAMPLE_KEY = bytes.fromhex("1522178d33a4cf80130a5b1649907d10 d8988f837979652762574c2d2a842202")
SAMPLE = {
    "128.11.68.132": "135.242.180.132",
    "129.118.74.4": "134.136.186.123",
    "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160",
    "141.233.145.108": "141.129.237.235",
    "152.163.225.39": "151.140.114.167",
    "156.29.3.236": "147.225.12.42",
    "165.247.96.84": "162.9.99.234",
    "166.107.77.190": "160.132.178.185",
    "192.102.249.13": "252.138.62.131",
    "192.215.32.125": "252.43.47.189",
    "192.233.80.103": "252.25.108.8",
    "192.41.57.43": "252.222.221.184",
    "193.150.244.223": "253.169.52.216",
    "195.205.63.100": "255.186.223.5",
    "198.200.171.101": "249.199.68.213",
    "198.26.132.101": "249.36.123.202",
    "198.36.213.5": "249.7.21.132",
}
# Those that implementations with IPv6 agree on.
COUNTING_KEY = bytes(range(32))
SAMPLE_6 = {
    "2001:db8::1": "dd92:2c44:3fc0:ff1e:7ff9:c7f0:8180:7e00",
    "2001:db8::ff00:42:8329": "dd92:2c44:3fc0:ff1e:7ff9:ff:787c:8c58",
}
KEPT_4 = [Kept(ip_network("192.168.0.0/16")), Kept(ip_network("224.0.0.0/24"), whole=True)]
KEPT_6 = [Kept(ip_network("fe80::/10")), Kept(ip_network("ff02::/112"), whole=True)]


def mapped(cipher: PrefixCipher, addresses: list[int]) -> list[int]:
    halves = [[address >> 64, address & (1 << 64) - 1] for address in addresses]
    result = cipher.map(np.array(halves, np.uint64))
    return [int(high) << 64 | int(low) for high, low in result.tolist()]


def common_bits(a: int, b: int, bits: int) -> int:
    return bits - (a ^ b).bit_length()


@pytest.mark.parametrize(("address", "expected"), SAMPLE.items())
def test_the_authors_sample_comes_out(address: str, expected: str) -> None:
    """What is written here is Crypto-PAn, not something like it."""
    (result,) = mapped(PrefixCipher(SAMPLE_KEY, 32), [int(IPv4Address(address))])
    assert str(IPv4Address(result)) == expected


@pytest.mark.parametrize(("address", "expected"), SAMPLE_6.items())
def test_the_known_addresses_of_ipv6_come_out(address: str, expected: str) -> None:
    """The same with 128 bits."""
    (result,) = mapped(PrefixCipher(COUNTING_KEY, 128), [int(IPv6Address(address))])
    assert str(IPv6Address(result)) == expected


@pytest.mark.parametrize(("bits", "kept"), [(32, []), (32, KEPT_4), (128, []), (128, KEPT_6)])
@given(st.data())
def test_common_prefixes_stay_as_long(bits: int, kept: list[Kept], data: st.DataObject) -> None:
    """Neither shorter nor longer, whatever else is kept; so no two addresses become one."""
    some = data.draw(st.integers(0, (1 << bits) - 1))
    near = [some ^ data.draw(st.integers(0, (1 << n) - 1)) for n in (1, 8, bits // 2, bits)]
    blocks = [int(each.network.network_address) for each in kept]
    addresses = [some, *near, *blocks]
    result = mapped(PrefixCipher(SAMPLE_KEY, bits, kept), addresses)
    for a, mapped_a in zip(addresses, result, strict=True):
        for b, mapped_b in zip(addresses, result, strict=True):
            assert common_bits(a, b, bits) == common_bits(mapped_a, mapped_b, bits)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFF))
def test_a_kept_block_stays_in_its_place(host: int, group: int) -> None:
    """Readers tell home from cloud by it; what is kept whole is not moved at all."""
    private, multicast = int(IPv4Address("192.168.0.0")), int(IPv4Address("224.0.0.0"))
    cipher = PrefixCipher(SAMPLE_KEY, 32, KEPT_4)
    inside, whole = mapped(cipher, [private | host, multicast | group])
    assert inside >> 16 == private >> 16
    assert whole == multicast | group


def test_a_kept_block_s_hosts_are_moved() -> None:
    """All 65,536 hosts of a private network change places, but for chance."""
    private = int(IPv4Address("192.168.0.0"))
    hosts = [private | host for host in range(1 << 16)]
    result = mapped(PrefixCipher(SAMPLE_KEY, 32, KEPT_4), hosts)
    assert sorted(result) == hosts
    assert sum(a == b for a, b in zip(result, hosts, strict=True)) < 100


def test_another_key_gives_other_addresses() -> None:
    """Without the key nobody goes back."""
    addresses = [int(IPv4Address(each)) for each in SAMPLE]
    one, other = (mapped(PrefixCipher(key, 32), addresses) for key in (SAMPLE_KEY, COUNTING_KEY))
    assert not set(one) & set(other)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """Half a key would do half the work."""
    with pytest.raises(ValueError, match="32 bytes"):
        PrefixCipher(bytes(length), 32)
