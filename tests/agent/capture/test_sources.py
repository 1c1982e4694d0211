"""What is named on the command line is the source that it looks like, or one clear line."""

from ipaddress import ip_address

import pytest
from fwid_agent.capture.sources import KINDS, find_kind, read_fritzbox, read_tzsp
from fwid_agent.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("eth0", "interface"),
        ("br-lan", "interface"),
        ("eth0.7", "interface"),
        ("wg_0@if3", "interface"),
        ("-", "pipe"),
        ("captures/", "folder"),
        ("/var/lib/captures", "folder"),
        ("./captures", "folder"),
        ("tzsp://192.0.2.1", "tzsp"),
        ("tzsp://[fe80::1]:5000", "tzsp"),
        ("fritzbox://fritz.box", "fritzbox"),
    ],
)
def test_each_form_is_of_one_kind(source: str, kind: str) -> None:
    """No source could be read in two ways."""
    assert find_kind(source).name == kind
    assert sum(one.matches(source) for one in KINDS) == 1


def test_only_an_interface_takes_a_right() -> None:
    """Every other kind is read by a process that has none."""
    assert [kind.name for kind in KINDS if kind.raw] == ["interface"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "'' is no source; a source is an interface such as eth0, - for a capture"),
        ("..", "is no source"),
        ("an interface", "is no source"),
        ("http://192.0.2.1", "is no source"),
        ("captures", None),
        ("tzsp://", "name the router by its IP address"),
        ("tzsp://router", "name the router by its IP address"),
        ("tzsp://192.0.2.1:0", "there is no port 0"),
        ("tzsp://192.0.2.1:99999", "[Pp]ort"),
        ("tzsp://[192.0.2.1", "Invalid IPv6"),
        ("tzsp://192.0.2.1/eth0", "nothing stands behind the address but a port"),
        ("fritzbox://", "names no host"),
        ("fritzbox:///1-lan", "names no host"),
        ("fritzbox://box/1 lan", "'1 lan' is no interface of a FRITZ!Box"),
        ("fritzbox://box/1-lan/2", "is no interface of a FRITZ!Box"),
        ("fritzbox://user:secret@box", "'fritzbox://box': user and password go into fwid.toml"),
        ("fritzbox://box?password=secret", "user and password go into fwid.toml"),
    ],
)
def test_what_is_none_is_told(source: str, words: str | None) -> None:
    """One line that names it and says what would do; it never repeats a password."""
    if words is None:
        assert find_kind(source).name == "interface"  # a folder takes a slash
        return
    with pytest.raises(UsageError, match=words) as caught:
        find_kind(source)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_parts_of_a_router_and_a_box() -> None:
    """What is left out has its default, or is left to the settings."""
    assert read_tzsp("tzsp://192.0.2.1") == (ip_address("192.0.2.1"), 37008)
    assert read_tzsp("tzsp://[2001:db8::1]:5000") == (ip_address("2001:db8::1"), 5000)
    assert read_fritzbox("fritzbox://fritz.box") == ("fritz.box", None, "")
    assert read_fritzbox("fritzbox://192.168.178.1:8443/4-131") == ("192.168.178.1", 8443, "4-131")


@given(st.text(max_size=40) | st.text("tzspfrbox:/.@[]?#1a ", max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    """A kind, or the one error."""
    for source in (text, f"tzsp://{text}", f"fritzbox://{text}"):
        try:
            said = find_kind(source).name
        except UsageError as error:
            said = str(error)
        assert said.isprintable()
