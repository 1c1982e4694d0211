"""The machine's own addresses, whatever its interfaces look like."""

from pathlib import Path

from fwid_agent.service.addresses import own_addresses


def test_every_interface_with_an_address_counts(tmp_path: Path) -> None:
    """The loopback has none; one that vanishes, or is no Ethernet, does no harm."""
    for name, text in (("eth0", "02:00:00:00:00:0a\n"), ("lo", "00:00:00:00:00:00\n"),
                       ("ib0", "80:00:00:48:fe:80:00:00\n"), ("wlan0", "")):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text(text)
    (tmp_path / "gone").mkdir()
    assert own_addresses(tmp_path) == {0x02000000000A}
    assert own_addresses(tmp_path / "none") == frozenset()
    assert 0 not in own_addresses()
