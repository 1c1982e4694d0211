"""The blueprints, as automations of a home with a phone; each does what it says, and once."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
import voluptuous as vol
from homeassistant.components import automation
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.template import render_complex
from homeassistant.helpers.typing import ConfigType, TemplateVarsType
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)

from tests.integration.conftest import CAMERA, PLUG, device_id_of, until
from tests.integration.fake_agent import FakeAgent

FOLDER = Path(__file__).parents[2] / "blueprints/automation"
NAMES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml"))
NOTIFY, QUARANTINE = "fwid/notify_on_change.yaml", "fwid/quarantine_on_change.yaml"

Messages = list[dict[str, Any]]


@pytest.fixture
def pushed(hass: HomeAssistant) -> Messages:
    """What was sent to the phone; it has a stand-in for the app.

    The integration of the real app imports packages of cameras and of the cloud, which are not
    installed here. Of it, blueprints use one action on a device, which renders templates.
    """
    messages: Messages = []

    async def act(
        hass: HomeAssistant, config: ConfigType, variables: TemplateVarsType, _: Context | None
    ) -> None:
        messages.append(
            {key: render_complex(config[key], variables) for key in ("title", "message", "data")}
        )

    mock_integration(hass, MockModule("mobile_app"))
    mock_platform(
        hass,
        "mobile_app.device_action",
        Mock(
            ACTION_SCHEMA=cv.DEVICE_ACTION_BASE_SCHEMA.extend(
                {
                    vol.Required("type"): "notify",
                    vol.Required("title"): cv.template,
                    vol.Required("message"): cv.template,
                    vol.Required("data"): cv.template_complex,
                }
            ),
            async_call_action_from_config=act,
            spec=["ACTION_SCHEMA", "async_call_action_from_config"],
        ),
    )
    app = MockConfigEntry(domain="mobile_app", title="Phone")
    app.add_to_hass(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=app.entry_id, identifiers={("mobile_app", "phone")}, name="Phone"
    )
    return messages


async def automate(hass: HomeAssistant, *uses: tuple[str, dict[str, Any]]) -> None:
    """Set up an automation for each use of a blueprint: its name and inputs."""

    def load(self: DomainBlueprints, path: str) -> Blueprint:
        return Blueprint(
            yaml.load_yaml(str(FOLDER / path)),
            expected_domain=self.domain,
            path=path,
            schema=AUTOMATION_BLUEPRINT_SCHEMA,
        )

    configs = [
        {"alias": f"test {number}", "use_blueprint": {"path": path, "input": inputs}}
        for number, (path, inputs) in enumerate(uses)
    ]
    with patch.object(DomainBlueprints, "_load_blueprint", load):
        assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: configs})
    await hass.async_block_till_done()
    for number in range(len(uses)):
        state = hass.states.get(f"automation.test_{number}")
        assert state is not None
        assert state.state == "on"


async def settle(hass: HomeAssistant, entry: MockConfigEntry, seq: int) -> None:
    await until(lambda: entry.runtime_data.journal.last_seq == seq)
    await hass.async_block_till_done()


def phone_id(hass: HomeAssistant) -> str:
    (entry,) = hass.config_entries.async_entries("mobile_app")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


def notify_camera(hass: HomeAssistant, **inputs: Any) -> tuple[str, dict[str, Any]]:
    target = {"device_id": device_id_of(hass, CAMERA)}
    return NOTIFY, {"devices": target, "phone": phone_id(hass), **inputs}


async def press(hass: HomeAssistant, message: dict[str, Any]) -> None:
    """Press the notification's button, as the app tells it."""
    (button,) = message["data"]["actions"]
    hass.bus.async_fire("mobile_app_notification_action", {"action": button["action"]})
    await hass.async_block_till_done()


def test_there_are_both() -> None:
    """The documentation names these two."""
    assert [NOTIFY, QUARANTINE] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_blueprints_hold_to_the_schema_and_explain_themselves(name: str) -> None:
    """What the import and the editor would refuse is found here; every input has a name."""
    blueprint = Blueprint(
        yaml.load_yaml(str(FOLDER / name)),
        expected_domain="automation",
        path=name,
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )

    assert blueprint.validate() is None
    assert blueprint.metadata["description"]
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.8.0"
    for key, field in blueprint.inputs.items():
        assert field is not None, key
        assert field["name"], key
        assert field["selector"], key


async def test_a_change_is_told_once_with_versions_and_reasons(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, pushed: Messages
) -> None:
    """The person learns on the phone what the card would say; the plug is none of theirs."""
    await automate(hass, notify_camera(hass))

    agent.change_version(PLUG)
    agent.change_version(CAMERA)
    await settle(hass, loaded, 2)

    (message,) = pushed
    assert message["title"] == "Porch camera: the firmware has changed"
    first, *reasons = message["message"].splitlines()
    assert re.fullmatch(r"Version \S+ → \S+", first)
    assert reasons
    assert all(line.startswith("• ") for line in reasons if line)
    assert message["data"]["actions"][0]["title"] == "This change is fine"


async def test_the_button_accepts_the_change_of_its_device_once(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, pushed: Messages
) -> None:
    """Two people hear of it, one presses: the agent is told once, and of this device only."""
    await automate(hass, notify_camera(hass), notify_camera(hass))
    agent.change_version(CAMERA)
    await settle(hass, loaded, 1)
    assert len(pushed) == 2

    await press(hass, pushed[0])

    assert [(mac, action) for mac, action, _ in agent.actions if action == "accept"] == [
        (CAMERA, "accept")
    ]
    assert len(pushed) == 2, "pressing tells nothing anew"


async def test_other_buttons_are_left_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, pushed: Messages
) -> None:
    """The app tells every automation of every button, some of them without a name."""
    await automate(hass, notify_camera(hass))

    for data in ({"action": "OPEN_GATE"}, {"action": "FWID_ACCEPT:automation.other:1"}, {}):
        hass.bus.async_fire("mobile_app_notification_action", data)
    await hass.async_block_till_done()

    assert not [action for _, action, _ in agent.actions if action == "accept"]
    state = hass.states.get("automation.test_0")
    assert state is not None
    assert state.attributes["last_triggered"] is None


@pytest.mark.parametrize(("which", "told"), [("unexpected", 1), ("any", 2)])
async def test_expected_changes_are_told_to_who_wants_them(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    pushed: Messages,
    which: str,
    told: int,
) -> None:
    """Who started an update need not be told that it happened."""
    await automate(hass, notify_camera(hass, which=which))

    agent.change_version(CAMERA, expected=True)
    agent.change_version(CAMERA, expected=False)
    await settle(hass, loaded, 2)

    assert len(pushed) == told


async def test_a_changed_device_is_quarantined_and_released(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The person's own actions get what they need to find the device in the router."""
    calls: Messages = []
    hass.services.async_register("test", "act", lambda call: calls.append(dict(call.data)))
    values = {name: f"{{{{ {name} }}}}" for name in ("device", "device_name", "mac", "to_version")}
    await automate(
        hass,
        (
            QUARANTINE,
            {
                "devices": [device_id_of(hass, CAMERA)],
                "quarantine": [{"action": "test.act", "data": {"do": "quarantine", **values}}],
                "release": [{"action": "test.act", "data": {"do": "release", **values}}],
            },
        ),
    )

    agent.change_version(PLUG)
    agent.change_version(CAMERA, expected=True)
    agent.change_version(CAMERA)
    agent.happen(CAMERA, "behaves_differently")
    agent.happen(CAMERA, "accepted")
    agent.happen(CAMERA, "returned_to_known_version")
    await settle(hass, loaded, 6)

    assert [call["do"] for call in calls] == ["quarantine", "release", "release"]
    assert calls[0]["device"] == device_id_of(hass, CAMERA)
    assert calls[0]["device_name"] == "Porch camera"
    assert calls[0]["mac"] == CAMERA


async def test_without_a_choice_every_device_is_quarantined(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """No device is forgotten because it came later."""
    calls: Messages = []
    hass.services.async_register("test", "act", lambda call: calls.append(dict(call.data)))
    await automate(hass, (QUARANTINE, {"quarantine": [{"action": "test.act"}]}))

    agent.change_version(PLUG)
    agent.change_version(CAMERA)
    await settle(hass, loaded, 2)

    assert len(calls) == 2
