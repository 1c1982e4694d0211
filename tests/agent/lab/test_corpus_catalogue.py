"""What may be in the made corpus: the paper's numbers, and nothing that is kept for acceptance."""

from fwid_agent.lab.corpus.catalogue import DEVICES
from fwid_agent.lab.corpus.model import Debian, Npm, Pip, Version

CATEGORIES = {"Surveillance", "Media", "Audio", "Hub", "Appliance", "Home Automation"}
# Stacks that detectors are accepted on: none may change its version here.
KEPT = {
    *("paho-mqtt", "aiomqtt", "mqtt", "hap-nodejs", "homebridge", "hap-python", "aiocoap"),
    *("zeroconf", "aiohttp", "httpx", "@matter/main", "@project-chip/matter.js"),
}


def test_it_is_as_large_as_the_papers_lab() -> None:
    """Twelve devices in six categories, three versions each."""
    assert len(DEVICES) >= 12
    assert {device.category for device in DEVICES} == CATEGORIES
    assert all(len(set(device.versions)) >= 3 for device in DEVICES)
    assert len({device.name for device in DEVICES}) == len(DEVICES)


def test_a_name_fits_a_network_card() -> None:
    """The kernel takes 15 letters, of which the bridge's side needs three."""
    assert all(len(f"to-{device.name}") <= 15 for device in DEVICES)


def test_nothing_changes_that_is_kept_for_acceptance() -> None:
    """A detector trained here has never seen those stacks change."""
    for device in DEVICES:
        assert not {name for version in device.versions for name in _asked_for(version)} & KEPT


def test_node_and_python_stay_the_same() -> None:
    """Where packages change, what runs them does not."""
    for device in DEVICES:
        packaged = [v.layers for v in device.versions if isinstance(v.layers[0], (Npm, Pip))]
        assert len({layers[-1] for layers in packaged}) <= 1


def test_what_is_embedded_and_kept_is_pinned() -> None:
    """Node-RED brings mqtt: the same one in each of its releases."""
    hub = next(device for device in DEVICES if device.name == "nodered")
    pinned = {v.layers[0].pinned for v in hub.versions if isinstance(v.layers[0], Npm)}
    assert pinned == {("mqtt@4.3.7",)}


def test_debian_roots_come_last() -> None:
    """A root file system lies under everything."""
    for device in DEVICES:
        for version in device.versions:
            assert isinstance(version.layers[-1], Debian)


def _asked_for(version: Version) -> set[str]:
    names = set()
    for layer in version.layers:
        if isinstance(layer, Npm):
            names |= {package.rsplit("@", 1)[0] for package in layer.packages}
        if isinstance(layer, Pip):
            names |= {requirement.partition("==")[0] for requirement in layer.requirements}
    return {name.lower() for name in names}
