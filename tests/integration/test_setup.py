import json
from pathlib import Path

import pytest
from awesomeversion import AwesomeVersion
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "custom_components/fwid/manifest.json"


def test_home_assistant_is_current() -> None:
    """The other tests prove something about today's Home Assistant only."""
    assert AwesomeVersion(__version__) >= AwesomeVersion("2026.10")


async def test_home_assistant_loads_and_sets_up_the_integration(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The integration of this checkout, not another of the name, is set up without complaint."""
    assert await async_setup_component(hass, "fwid", {})

    assert "fwid" in hass.config.components
    integration = await async_get_integration(hass, "fwid")
    assert integration.file_path == MANIFEST.parent
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_manifest_keys_stand_in_the_order_hassfest_asks_for() -> None:
    """Home Assistant's own check wants domain and name first, then the alphabet."""
    keys = list(json.loads(MANIFEST.read_text()))

    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


async def test_manifest_has_what_custom_integrations_need(hass: HomeAssistant) -> None:
    """The loader blocks a custom integration without a valid version; HACS wants the links."""
    integration = await async_get_integration(hass, "fwid")

    assert integration.version is not None
    assert integration.iot_class == "local_push"
    assert integration.requirements == []
    assert integration.documentation
    assert integration.issue_tracker
