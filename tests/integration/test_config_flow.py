"""Every way to add an agent, to be let in again, to follow it elsewhere, and to choose devices."""

import asyncio
from asyncio import StreamReader, StreamWriter
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import (
    CONF_CODE,
    CONF_DEVICES,
    CONF_FINGERPRINT,
    CONF_OFFERED_UNTIL,
    CONF_SHARE_KINDS,
    CONF_SHARE_VERSIONS,
    DOMAIN,
    MOST_DEVICES,
)
from custom_components.fwid.introduction import read_address
from tests.integration.conftest import CAMERA, CRAFTED, PLUG, as_shown, is_plain, until
from tests.integration.fake_agent import START, FakeAgent, make_device

CHOICE = {CONF_DEVICES: [CAMERA], CONF_SHARE_VERSIONS: True, CONF_SHARE_KINDS: True}
Result = dict[str, Any]


def zeroconf_of(agent: FakeAgent, **fields: Any) -> ZeroconfServiceInfo:
    return ZeroconfServiceInfo(
        ip_address=ip_address(agent.host),
        ip_addresses=[ip_address(agent.host)],
        hostname="fwid-00000000.local.",
        name="fwid agent on pi._fwid._tcp.local.",
        **{
            "type": "_fwid._tcp.local.",
            "port": agent.port,
            "properties": {"id": agent.id, "version": "0.1.0", "api": "1"},
            **fields,
        },
    )


def app_of(agent: FakeAgent, **fields: Any) -> HassioServiceInfo:
    config = {
        CONF_HOST: agent.host,
        CONF_PORT: agent.port,
        CONF_TOKEN: agent.add_token("app-token"),
        CONF_FINGERPRINT: agent.fingerprint,
        **fields,
    }
    return HassioServiceInfo(
        {key: value for key, value in config.items() if value is not None}, "fwid", "fwid", "1"
    )


async def begin(hass: HomeAssistant, source: str, data: Any = None) -> Result:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=data)


async def answer(hass: HomeAssistant, result: Result, **words: Any) -> Result:
    return await hass.config_entries.flow.async_configure(result["flow_id"], words)


async def give_address(hass: HomeAssistant, agent: FakeAgent) -> Result:
    result = await begin(hass, SOURCE_USER)
    return await answer(hass, result, host=agent.host, port=agent.port)


async def pair(hass: HomeAssistant, result: Result, agent: FakeAgent) -> Result:
    """Compare the fingerprint, and give the right code as the agent shows it."""
    agent.code = "12345678"
    result = await answer(hass, result)
    assert result["step_id"] == "pair"
    return await answer(hass, result, code="1234 5678")


async def moved(agent: FakeAgent) -> None:
    """Let the agent come back on another port."""
    await agent.stop()
    agent.port = 0
    await agent.start()


async def renewed(agent: FakeAgent) -> None:
    """Let the agent come back with another certificate."""
    await agent.stop()
    agent.renew_certificate()
    await agent.start()


# --- user ---


async def test_a_person_adds_an_agent(
    hass: HomeAssistant, agent: FakeAgent, camera: dr.DeviceEntry
) -> None:
    """Address, fingerprint, code, devices: then it is followed."""
    result = await begin(hass, SOURCE_USER)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")

    result = await answer(hass, result, host=f" https://{agent.host}/ ", port=agent.port)
    assert result["step_id"] == "certificate"
    shown = result["description_placeholders"]["fingerprint"]
    assert shown.replace(" ", "") == agent.fingerprint
    assert agent.requests == ["GET health"]

    result = await pair(hass, result, agent)
    assert result["step_id"] == "devices"
    assert result["description_placeholders"] == {"seen": "2", "most": str(MOST_DEVICES)}

    result = await answer(hass, result, **CHOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"fwid agent on {agent.host}"
    entry = result["result"]
    assert entry.unique_id == agent.id
    assert entry.data == {
        CONF_HOST: agent.host,
        CONF_PORT: agent.port,
        CONF_FINGERPRINT: agent.fingerprint,
        CONF_TOKEN: "token-1",
    }
    assert entry.options == {**CHOICE, CONF_OFFERED_UNTIL: START.isoformat()}
    assert agent.tokens["token-1"] == "Home Assistant"
    await until(lambda: agent.followers == 1)
    assert hass.states.get("sensor.porch_porch_camera_firmware_stability").state == "stable"


async def test_devices_are_offered_by_name_and_known_ones_chosen(
    hass: HomeAssistant, agent: FakeAgent, camera: dr.DeviceEntry
) -> None:
    """What other integrations know comes first, then what names itself, then bare addresses."""
    agent.devices = {
        mac: make_device(mac, name=name)
        for mac, name in [("b8:00:00:00:00:01", None), (PLUG, "wemo"), (CAMERA, "cam-0815")]
    }
    result = await pair(hass, await give_address(hass, agent), agent)

    schema = result["data_schema"].schema
    key, selector = next((key, schema[key]) for key in schema if key == CONF_DEVICES)
    assert [choice["label"] for choice in selector.config["options"]] == [
        f"Porch camera ({CAMERA})",
        f"wemo ({PLUG})",
        "b8:00:00:00:00:01",
    ]
    assert key.default() == [CAMERA]


async def test_an_address_without_an_agent_can_be_corrected(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """The form stays, keeps what was typed, and says what is wrong."""
    result = await begin(hass, SOURCE_USER)
    result = await answer(hass, result, host=agent.host, port=1)
    assert result["errors"] == {"base": "cannot_connect"}

    for host in ("", "not a host", "[", "pi.local:port"):
        result = await answer(hass, result, host=host, port=agent.port)
        assert result["errors"] == {"base": "cannot_connect"}

    agent.failing["health"] = 404
    result = await answer(hass, result, host=agent.host, port=agent.port)
    assert result["errors"] == {"base": "no_agent"}

    agent.failing.clear()
    result = await answer(hass, result, host=agent.host, port=agent.port)
    result = await pair(hass, result, agent)
    result = await answer(hass, result, **CHOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("pi.local", ("pi.local", 8127)),
        (" 192.168.1.5 ", ("192.168.1.5", 8127)),
        ("https://pi.local:8443/devices", ("pi.local", 8443)),
        ("https://pi.local/", ("pi.local", 8127)),
        ("pi.local:8443", ("pi.local", 8443)),
        ("fd00::5", ("fd00::5", 8127)),
        ("https://[fd00::5]:8443/", ("fd00::5", 8443)),
        ("[fd00::5]", ("fd00::5", 8127)),
        ("somebody:secret@pi.local", ("pi.local", 8127)),
    ],
)
def test_the_address_of_the_page_is_one_of_the_agent(typed: str, address: tuple[str, int]) -> None:
    """People copy what stands in their browser's address bar."""
    assert read_address(typed, 8127) == address


async def test_what_does_not_speak_tls_is_told_apart(hass: HomeAssistant, agent: FakeAgent) -> None:
    """On the port of Home Assistant itself somebody answers, but no agent."""

    async def answer_plainly(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer_plainly, agent.host)
    async with server:
        result = await begin(hass, SOURCE_USER)
        port = server.sockets[0].getsockname()[1]
        result = await answer(hass, result, host=agent.host, port=port)

    assert result["errors"] == {"base": "no_agent"}


async def test_what_speaks_tls_but_is_no_agent_is_told_apart(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """Any web server answers something."""
    result = await begin(hass, SOURCE_USER)
    with patch.object(FakeAgent, "_answer", lambda *_: FakeAgent._error(agent, 200, "?")):
        result = await answer(hass, result, host=agent.host, port=agent.port)

    assert result["errors"] == {"base": "no_agent"}


async def test_a_wrong_code_can_be_corrected(hass: HomeAssistant, agent: FakeAgent) -> None:
    """Each refusal says what helps, and the right code goes on."""
    result = await answer(hass, await give_address(hass, agent))

    result = await answer(hass, result, code="123")
    assert result["errors"] == {CONF_CODE: "no_code"}
    assert "POST pair" not in agent.requests

    result = await answer(hass, result, code="00000000")
    assert result["errors"] == {CONF_CODE: "wrong_code"}

    for status, error in [(429, "too_often"), (423, "locked"), (500, "wrong_code")]:
        agent.failing["pair"] = status
        result = await answer(hass, result, code="00000000")
        assert result["errors"] == {CONF_CODE: error}

    agent.failing.clear()
    agent.code = "12345678"
    result = await answer(hass, result, code="12345678")
    assert result["step_id"] == "devices"


async def test_an_agent_that_goes_away_while_pairing_can_come_back(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """Nothing has to be typed again but the code."""
    result = await answer(hass, await give_address(hass, agent))
    await agent.stop()
    result = await answer(hass, result, code="12345678")
    assert result["errors"] == {"base": "cannot_connect"}

    await agent.start()
    agent.code = "12345678"
    result = await answer(hass, result, code="12345678")
    assert result["step_id"] == "devices"


async def test_a_code_is_sent_to_the_compared_certificate_only(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """Who takes the agent's place between comparing and typing does not get the code."""
    result = await answer(hass, await give_address(hass, agent))
    await renewed(agent)
    agent.requests.clear()

    result = await answer(hass, result, code="12345678")

    assert result["errors"] == {"base": "certificate_changed"}
    assert agent.requests == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": "0.0.1"}, "agent_too_old"),
        ({"api": 2}, "integration_too_old"),
        ({"failing": {"info": 500}}, "no_agent"),
    ],
)
async def test_an_agent_that_does_not_fit_gets_its_token_back(
    hass: HomeAssistant, agent: FakeAgent, fields: dict[str, Any], reason: str
) -> None:
    """A flow that ends leaves no token on the agent that nobody uses."""
    for name, value in fields.items():
        setattr(agent, name, value)

    result = await pair(hass, await give_address(hass, agent), agent)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)
    await until(lambda: list(agent.tokens) == ["secret"])


async def test_an_agent_is_added_once(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    """The agent's id counts, however it is reached; its second token is given back."""
    result = await pair(hass, await give_address(hass, agent), agent)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    await until(lambda: list(agent.tokens) == ["secret"])


async def test_a_dialog_that_is_closed_leaves_no_token(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """Whoever changes their mind at the last step leaves nobody on the agent's list."""
    result = await pair(hass, await give_address(hass, agent), agent)
    assert result["step_id"] == "devices"
    assert len(agent.tokens) == 2

    hass.config_entries.flow.async_abort(result["flow_id"])

    await until(lambda: list(agent.tokens) == ["secret"])


async def test_too_many_devices_are_refused(hass: HomeAssistant, agent: FakeAgent) -> None:
    """The cap holds whoever sends the form, and the choice can be corrected."""
    macs = [f"b8:00:00:00:00:{number:02x}" for number in range(MOST_DEVICES + 1)]
    agent.devices = {mac: make_device(mac) for mac in macs}
    result = await pair(hass, await give_address(hass, agent), agent)

    result = await answer(hass, result, devices=macs, share_versions=False)
    assert result["errors"] == {CONF_DEVICES: "too_many"}

    result = await answer(hass, result, devices=macs[:-1], share_versions=False)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_agent_that_has_seen_nothing_yet_can_be_added(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """Everything that comes later is offered."""
    agent.devices = {}
    result = await pair(hass, await give_address(hass, agent), agent)
    result = await answer(hass, result, devices=[], share_versions=False)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].options[CONF_OFFERED_UNTIL] is None


# --- zeroconf ---


async def test_an_agent_that_announces_itself_is_offered(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """The fingerprint is that of the certificate that is shown, whatever was announced."""
    told = {"id": agent.id, "fingerprint": "0" * 64, "devices": "12"}
    found = zeroconf_of(agent, properties=told)
    result = await begin(hass, SOURCE_ZEROCONF, found)
    assert result["step_id"] == "certificate"
    shown = result["description_placeholders"]["fingerprint"]
    assert shown.replace(" ", "") == agent.fingerprint
    flow = hass.config_entries.flow.async_progress()[0]
    title = {"name": "fwid agent on pi, 12 devices seen"}
    assert flow["context"]["title_placeholders"] == title

    result = await pair(hass, result, agent)
    result = await answer(hass, result, **CHOICE)
    assert result["title"] == "fwid agent on pi"
    assert result["result"].unique_id == agent.id


@pytest.mark.parametrize(
    ("devices", "title"),
    [
        ("1", "fwid agent on pi, one device seen"),
        ("0", "fwid agent on pi"),
        ("many", "fwid agent on pi"),
        ("9" * 200, "fwid agent on pi"),
        (None, "fwid agent on pi"),
    ],
    ids=["one", "none", "text", "endless", "no value"],
)
async def test_what_is_announced_of_devices_is_told_only_where_it_can_be(
    hass: HomeAssistant, agent: FakeAgent, devices: str | None, title: str
) -> None:
    """An agent may be of an earlier version, and anybody may announce anything."""
    found = zeroconf_of(agent, properties={"id": agent.id, "devices": devices})
    await begin(hass, SOURCE_ZEROCONF, found)

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": title}


async def test_an_offer_shows_the_latest_number_of_devices(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """There is one offer of an agent, which is left alone once a person types a code."""

    async def announce(devices: str) -> str:
        told = {"id": agent.id, "devices": devices}
        result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent, properties=told))
        assert result["reason"] == "already_in_progress"
        (flow,) = hass.config_entries.flow.async_progress()
        return str(flow["context"]["title_placeholders"]["name"])

    offered = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))
    assert await announce("7") == "fwid agent on pi, 7 devices seen"
    await answer(hass, offered)
    assert await announce("8") == "fwid agent on pi, 7 devices seen"


async def test_agents_are_offered_beside_each_other(hass: HomeAssistant, agent: FakeAgent) -> None:
    """A home may have two, and one that is being added by its address."""
    await begin(hass, SOURCE_USER)
    await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))
    await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent, properties={"id": "another"}))

    assert len(hass.config_entries.flow.async_progress()) == 3


@pytest.mark.parametrize("fields", [{"properties": {}}, {"port": None}])
async def test_an_incomplete_announcement_is_left_alone(
    hass: HomeAssistant, agent: FakeAgent, fields: dict[str, Any]
) -> None:
    """An announcement without id or port is none of an agent."""
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent, **fields))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invalid_discovery")


async def test_an_announced_agent_that_does_not_answer_is_not_offered(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """What cannot be set up is no use to anybody."""
    await agent.stop()
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "cannot_connect")


async def test_an_announcement_moves_the_entry_to_the_new_address(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An agent with another address is followed there without a person."""
    await moved(agent)
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert loaded.data[CONF_PORT] == agent.port
    await until(lambda: agent.followers == 1)


async def test_an_announcement_that_says_nothing_new_asks_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An agent announces itself anew with each device that it sees."""
    agent.requests.clear()
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert agent.requests == []


async def test_an_impostor_cannot_move_the_entry(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Anybody can announce the agent's id; without its certificate that changes nothing."""
    before = dict(entry.data)
    await agent.stop()
    agent.port = 0
    agent.renew_certificate()
    await agent.start()

    result = await begin(hass, SOURCE_ZEROCONF, zeroconf_of(agent))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert dict(entry.data) == before


# --- app ---


async def test_the_app_hands_over_its_token(hass: HomeAssistant, agent: FakeAgent) -> None:
    """With the app no code has to be typed."""
    result = await begin(hass, SOURCE_HASSIO, app_of(agent))
    assert result["step_id"] == "hassio_confirm"

    result = await answer(hass, result)
    assert result["step_id"] == "devices"
    result = await answer(hass, result, **CHOICE)

    assert result["title"] == "fwid"
    assert result["result"].data[CONF_TOKEN] == "app-token"
    assert result["result"].unique_id == agent.id


async def test_the_token_of_an_app_that_is_not_followed_stays_the_apps(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    """It was not asked for here, and the app hands it over again."""
    result = await begin(hass, SOURCE_HASSIO, app_of(agent))
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()

    assert "app-token" in agent.tokens


async def test_the_app_brings_a_new_token_and_address(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """After the app was installed anew, the entry goes on by itself."""
    await moved(agent)
    result = await begin(hass, SOURCE_HASSIO, app_of(agent))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert loaded.data[CONF_TOKEN] == "app-token"
    await until(lambda: agent.followers == 1)
    await until(lambda: list(agent.tokens) == ["app-token"])
    assert not hass.config_entries.flow.async_progress()

    again = await begin(hass, SOURCE_HASSIO, app_of(agent))
    assert again["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert list(agent.tokens) == ["app-token"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({CONF_TOKEN: None}, "invalid_discovery"),
        ({CONF_PORT: "none"}, "invalid_discovery"),
        ({CONF_FINGERPRINT: "short"}, "invalid_discovery"),
        ({CONF_FINGERPRINT: "0" * 64}, "certificate_changed"),
        ({CONF_TOKEN: "another"}, "token_refused"),
        ({CONF_PORT: 1}, "cannot_connect"),
    ],
)
async def test_an_app_that_cannot_be_used_is_not_offered(
    hass: HomeAssistant, agent: FakeAgent, fields: dict[str, Any], reason: str
) -> None:
    """Whatever is wrong with what was handed over, it has a reason."""
    result = await begin(hass, SOURCE_HASSIO, app_of(agent, **fields))

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)


# --- being let in again ---


async def test_after_its_token_was_revoked_a_new_code_is_enough(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The certificate is the pinned one: only the code is asked for."""
    await agent.revoke()
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"

    agent.code = "12345678"
    result = await answer(hass, flow)
    assert result["step_id"] == "pair"
    result = await answer(hass, result, code="12345678")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert loaded.data[CONF_TOKEN] in agent.tokens
    await until(lambda: agent.followers == 1)
    assert loaded.state is ConfigEntryState.LOADED


async def test_another_certificate_is_shown_before_it_is_trusted(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The new fingerprint has to be compared; the old token is given back, the new one kept."""
    await renewed(agent)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()

    result = await answer(hass, flow)
    assert result["step_id"] == "new_certificate"
    result = await pair(hass, result, agent)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert loaded.data[CONF_FINGERPRINT] == agent.fingerprint
    assert list(agent.tokens) == [loaded.data[CONF_TOKEN]]
    await until(lambda: agent.followers == 1)


async def test_another_agent_is_not_let_in_for_the_old_one(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Its id has to be the same; what it gave is given back."""
    agent.id = "00000000-0000-0000-0000-00000000000f"
    agent.tokens = {"of somebody": "else"}
    result = await entry.start_reauth_flow(hass)
    agent.code = "12345678"
    result = await answer(hass, result)
    result = await answer(hass, result, code="12345678")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "other_agent")
    await until(lambda: list(agent.tokens) == ["of somebody"])
    assert entry.data[CONF_TOKEN] == "secret"


async def test_being_let_in_waits_for_an_agent_that_is_away(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """The form stays until the agent is back."""
    await agent.stop()
    agent.tokens.clear()
    result = await entry.start_reauth_flow(hass)
    result = await answer(hass, result)
    assert result["errors"] == {"base": "cannot_connect"}

    await agent.start()
    result = await answer(hass, result)
    assert result["step_id"] == "pair"


async def test_no_code_is_asked_for_where_the_agent_still_lets_us_in(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Another machine had the agent's address for a while; one look is enough."""
    result = await entry.start_reauth_flow(hass)
    result = await answer(hass, result)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data[CONF_TOKEN] == "secret"
    assert list(agent.tokens) == ["secret"]
    await until(lambda: entry.state is ConfigEntryState.LOADED)


# --- elsewhere ---


async def test_an_agent_that_moved_is_followed(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """With the pinned certificate nothing but the address is asked."""
    await moved(agent)
    result = await loaded.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"
    result = await answer(hass, result, host=agent.host, port=1)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await answer(hass, result, host=agent.host, port=agent.port)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert loaded.data[CONF_PORT] == agent.port
    assert loaded.data[CONF_TOKEN] == "secret"
    await until(lambda: agent.followers == 1)


async def test_an_agent_that_moved_with_another_certificate_is_paired_anew(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Another certificate is compared first; the id has to be the same."""
    await renewed(agent)
    result = await entry.start_reconfigure_flow(hass)
    result = await answer(hass, result, host=agent.host, port=agent.port)
    assert result["step_id"] == "new_certificate"
    result = await pair(hass, result, agent)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data[CONF_FINGERPRINT] == agent.fingerprint


# --- options ---


async def test_options_change_what_is_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The entry is reloaded with the choice, and later devices are offered from then on."""
    agent.devices["b8:00:00:00:00:01"] = make_device(
        "b8:00:00:00:00:01", first_seen="2026-03-05T00:00:00.000Z"
    )
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices) == 3)

    result = await hass.config_entries.options.async_init(loaded.entry_id)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "init")
    schema = result["data_schema"].schema
    assert next(key for key in schema if key == CONF_DEVICES).default() == [CAMERA, PLUG]

    many = [PLUG] * (MOST_DEVICES + 1)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {CONF_DEVICES: many, CONF_SHARE_VERSIONS: False}
    )
    assert result["errors"] == {CONF_DEVICES: "too_many"}
    result = await hass.config_entries.options.async_configure(
        result["flow_id"],
        {CONF_DEVICES: [PLUG, "b8:00:00:00:00:01"], CONF_SHARE_VERSIONS: True},
    )
    await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options[CONF_OFFERED_UNTIL] == "2026-03-05T00:00:00+00:00"
    assert loaded.state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.porch_porch_camera_firmware_stability") is None
    assert hass.states.get("sensor.b8_00_00_00_00_01_firmware_stability").state == "stable"


async def test_options_keep_devices_that_the_agent_has_forgotten(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """They can be left out, but nothing goes by itself."""
    del agent.devices[PLUG]
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices) == 1)

    result = await hass.config_entries.options.async_init(loaded.entry_id)

    schema = result["data_schema"].schema
    selector = next(schema[key] for key in schema if key == CONF_DEVICES)
    assert [choice["value"] for choice in selector.config["options"]] == [CAMERA, PLUG]


async def test_options_need_an_agent_that_answers(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Without a word of the agent there is nothing to choose from."""
    result = await hass.config_entries.options.async_init(entry.entry_id)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


# --- arrivals ---

NEW = "b8:00:00:00:00:07"


async def arrive(hass: HomeAssistant, agent: FakeAgent) -> Result:
    """Let a device come into the home, and return the flow that offers it."""
    agent.devices[NEW] = make_device(NEW, name="kettle", first_seen="2026-03-05T00:00:00.000Z")
    agent.tell_changed()
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert flow["context"]["title_placeholders"] == {"name": "kettle"}
    return flow


async def test_a_new_device_is_offered_and_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """It becomes entities only once a person says so."""
    flow = await arrive(hass, agent)
    assert not [s for s in hass.states.async_all() if "kettle" in s.entity_id]

    result = await answer(hass, flow)
    await hass.async_block_till_done()

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "device_added")
    assert loaded.options[CONF_DEVICES] == [CAMERA, PLUG, NEW]
    assert hass.states.get("sensor.kettle_firmware_stability").state == "stable"
    assert not hass.config_entries.flow.async_progress()


async def test_an_offer_shows_what_a_device_calls_itself_as_text(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """A host name that is Markdown or HTML fetches nothing and leads nowhere."""
    agent.devices[NEW] = make_device(NEW, name=CRAFTED, first_seen="2026-03-05T00:00:00.000Z")
    agent.tell_changed()
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": CRAFTED}  # is read as text

    form = await hass.config_entries.flow.async_configure(flow["flow_id"])

    assert is_plain(form["description_placeholders"]["name"])
    assert as_shown(form["description_placeholders"]["name"]) == CRAFTED


async def test_a_new_device_that_is_ignored_is_not_offered_again(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """One answer is enough, and it is forgotten with the agent."""
    flow = await arrive(hass, agent)
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": flow["context"]["unique_id"], "title": "kettle"},
    )
    assert not hass.config_entries.flow.async_progress()

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress()

    await hass.config_entries.async_remove(loaded.entry_id)
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_a_new_device_beyond_the_cap_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The cap holds here as well."""
    flow = await arrive(hass, agent)
    full = [f"b8:00:00:00:01:{number:02x}" for number in range(MOST_DEVICES)]
    hass.config_entries.async_update_entry(loaded, options={**loaded.options, CONF_DEVICES: full})

    result = await answer(hass, flow)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "too_many")


async def test_a_new_device_of_an_agent_that_is_gone_is_not_added(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An offer may be answered at any time, also too late."""
    arrival = {"entry_id": loaded.entry_id, "mac": NEW, "name": "kettle"}
    result = await begin(hass, SOURCE_INTEGRATION_DISCOVERY, arrival)
    with patch.object(hass.config_entries, "async_get_entry", return_value=None):
        result = await answer(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "other_agent")

    result = await begin(
        hass, SOURCE_INTEGRATION_DISCOVERY, {"entry_id": "gone", "mac": NEW, "name": "kettle"}
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "other_agent")


async def test_a_flood_of_new_addresses_creates_next_to_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Invented addresses become no entities, and only a handful of offers, private ones none."""
    entities = len(hass.states.async_all())
    for number in range(500):
        for first, randomised in (("b8", False), ("02", True)):
            mac = f"{first}:00:00:01:{number // 256:02x}:{number % 256:02x}"
            agent.devices[mac] = make_device(
                mac, first_seen="2026-03-05T00:00:00.000Z", randomised=randomised
            )
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices) == 1002)
    await hass.async_block_till_done()

    flows = hass.config_entries.flow.async_progress()
    assert len(flows) == 5
    assert all("_b8:" in flow["context"]["unique_id"] for flow in flows)
    assert len(hass.states.async_all()) == entities
