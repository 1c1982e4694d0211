"""What devices behave like, as people see it, and the agent's model that says so."""

from typing import Any

import pytest
from homeassistant.auth.models import User
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.fwid.const import DOMAIN
from custom_components.fwid.diagnostics import async_get_config_entry_diagnostics
from custom_components.fwid.evidence import collect_evidence
from custom_components.fwid.models import Category
from custom_components.fwid.parsing import parse_device, parse_info
from custom_components.fwid.system_health import describe_health
from tests.integration.conftest import CAMERA, PLUG, as_shown, device_id_of, until
from tests.integration.fake_agent import FakeAgent, make_device, make_identified

IDENTIFIED = "sensor.wemo_identified_as"


async def test_a_device_is_shown_as_what_it_behaves_like(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """A label of the agent's model, none that it knows, and nothing while it was not identified."""
    assert hass.states.get(IDENTIFIED).state == STATE_UNKNOWN
    assert "certainty" not in hass.states.get(IDENTIFIED).attributes

    agent.identify(PLUG)
    await until(lambda: hass.states.get(IDENTIFIED).state == "Philips Hue bridge")
    told = {"category": "hub", "certainty": 93, "model": "home", "agrees": None}
    assert hass.states.get(IDENTIFIED).attributes.items() >= told.items()

    agent.identify(PLUG, label=None, category=None, certainty=0.95, agrees=False)
    await until(lambda: hass.states.get(IDENTIFIED).state == "none_known")
    told = {"category": None, "certainty": 95, "agrees": False}
    assert hass.states.get(IDENTIFIED).attributes.items() >= told.items()

    await agent.stop()
    await until(lambda: hass.states.get(IDENTIFIED).state == STATE_UNAVAILABLE)


async def test_a_forgotten_device_is_identified_as_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The entity does not stumble over a device that the agent knows no longer."""
    del agent.devices[PLUG]
    agent.tell_changed()
    await until(lambda: hass.states.get(IDENTIFIED).state == STATE_UNAVAILABLE)
    entity = hass.data["entity_components"]["sensor"].get_entity(IDENTIFIED)
    assert (entity.native_value, entity.extra_state_attributes) == (None, None)


@pytest.mark.parametrize("older", [False, True])
async def test_what_an_agent_cannot_say_is_not_shown(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent, older: bool
) -> None:
    """No sensor where nothing is identified; it comes when the agent begins with it."""
    known, agent.identification, agent.is_older = agent.identification, None, older
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: agent.answers["GET devices"] == 2)
    await hass.async_block_till_done()
    assert hass.states.get(IDENTIFIED) is None
    info = entry.runtime_data.data.info
    assert (info.identification, info.knows_kinds) == (None, not older)

    agent.identification, agent.is_older = known, False
    agent.tell_changed()
    await until(lambda: hass.states.get(IDENTIFIED))
    agent.identify(PLUG)
    await until(lambda: hass.states.get(IDENTIFIED).state == "Philips Hue bridge")


async def test_another_day_with_the_same_answer_is_no_change(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Automations are not woken, and the recorder is not filled, by a later time alone."""
    agent.identify(PLUG)
    await until(lambda: hass.states.get(IDENTIFIED).state == "Philips Hue bridge")
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    agent.identify(PLUG, time="2026-03-02T00:00:00.000Z")
    agent.set_device(CAMERA, state="suspected")
    agent.tell_changed()
    await until(lambda: changes)
    await hass.async_block_till_done()
    assert not [event for event in changes if "wemo" in event.data["entity_id"]]


def test_a_later_agents_words_break_nothing() -> None:
    """Of a category, a model or a reason that is not known yet."""
    identified = make_identified(category="Toys", model="cloud", agrees=True)
    kind = {"label": "Robot", "category": "Toys", "source": "a neighbour"}
    device = parse_device(make_device(CAMERA, identified=identified, kind=kind))
    assert device.identified is not None
    assert device.kind is not None
    assert (device.identified.category, device.kind.category) == (None, None)
    old = {"getting_old": True, "old_because": "boredom"}
    about = parse_info(
        {"id": "1", "version": "9", "started": "2026-03-01T00:00:00Z", "identification": old}
    ).identification
    assert about is not None
    assert (about.old_because, about.devices) == ("boredom", 0)


def test_the_agents_words_for_categories_are_ours() -> None:
    """Each is told as the agent calls it, and read back as the same."""
    for category, told in {
        Category.SURVEILLANCE: "Surveillance", Category.MEDIA: "Media", Category.AUDIO: "Audio",
        Category.HUB: "Hub", Category.APPLIANCE: "Appliance",
        Category.HOME_AUTOMATION: "Home Automation",
    }.items():  # fmt: skip
        assert category.told == told
        kind = {"label": "x", "category": told}
        device = parse_device(make_device(CAMERA, kind=kind))
        assert device.kind is not None
        assert device.kind.category is category


# --- a model that gets old ---


@pytest.mark.parametrize(
    ("because", "key"),
    [
        ("age", "model_old_age"),
        ("changed", "model_old_changed"),
        ("new_devices", "model_old_new_devices"),
        ("worse", "model_old_worse"),
        ("boredom", "model_old"),
        (None, "model_old"),
    ],
)
async def test_an_old_model_is_a_repair_that_goes_by_itself(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    because: str | None,
    key: str,
) -> None:
    """With the reason; not while another is being trained, and not once it is."""
    issues = ir.async_get(hass).issues
    agent.tell_model(getting_old=True, old_because=because)
    await until(lambda: issues)
    (issue,) = issues.values()
    assert (issue.translation_key, issue.is_fixable) == (key, True)
    assert issue.translation_placeholders is not None
    assert as_shown(issue.translation_placeholders["agent"]) == "fwid (pi)"

    agent.tell_model(getting_old=True, old_because=because, running=True)
    await until(lambda: not issues)
    agent.tell_model()
    await until(lambda: not loaded.runtime_data.data.info.identification.running)
    assert not issues


async def start_repair(hass: HomeAssistant, agent: FakeAgent) -> Any:
    """Let the model get old, and open the repair; returns the form."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    await hass.async_block_till_done()
    agent.tell_model(getting_old=True, old_because="age")
    await until(lambda: ir.async_get(hass).issues)
    (_, issue_id), *_ = ir.async_get(hass).issues
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return await manager.async_init(DOMAIN, data={"issue_id": issue_id})


async def confirm(hass: HomeAssistant, form: Any) -> Any:
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return await manager.async_configure(form["flow_id"], {})


async def test_the_repair_has_the_model_trained(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """After one question; the repair is gone, and comes back if the model stays the old one."""
    form = await start_repair(hass, agent)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "confirm")
    assert "retrain" not in str(agent.requests)

    done = await confirm(hass, form)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert agent.requests.count("POST retrain") == 1
    await until(lambda: loaded.runtime_data.data.info.identification.running)
    assert not ir.async_get(hass).issues

    agent.tell_model(getting_old=True, old_because="age")
    await until(lambda: ir.async_get(hass).issues)


async def test_a_repair_that_cannot_be_done_says_why(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The agent's own line reaches the person, and the repair stays."""
    form = await start_repair(hass, agent)
    agent.failing["retrain"] = 409
    done = await confirm(hass, form)
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "not_started")
    assert "a fault that a test wants" in done["description_placeholders"]["reason"]
    assert ir.async_get(hass).issues


async def test_a_repair_of_an_agent_that_is_gone_ends(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An entry may be unloaded while its repair is open."""
    form = await start_repair(hass, agent)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    done = await confirm(hass, form)
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "not_loaded")


# --- actions ---


async def set_kind(hass: HomeAssistant, **data: Any) -> None:
    data["device_id"] = device_id_of(hass, CAMERA)
    await hass.services.async_call(DOMAIN, "set_kind", data, blocking=True)


async def test_a_person_says_what_a_device_is(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """By name and category, by name alone, and no longer."""
    await set_kind(hass, label="D-Link camera", category="home_automation")
    await set_kind(hass, label="D-Link camera")
    assert loaded.runtime_data.data.devices[CAMERA].kind.label == "D-Link camera"
    await set_kind(hass)
    assert [words for _, _, words in agent.actions] == [
        {"label": "D-Link camera", "category": "Home Automation", "source": "person"},
        {"label": "D-Link camera", "category": None, "source": "person"},
        {"label": None, "category": None, "source": "person"},
    ]
    assert loaded.runtime_data.data.devices[CAMERA].kind is None
    with pytest.raises(ServiceValidationError) as raised:
        await set_kind(hass, category="hub")
    assert raised.value.translation_key == "no_label"


async def test_an_older_agent_is_asked_nothing_that_it_does_not_know(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """It would take that for a stranger's, and Home Assistant would think it was shut out."""
    agent.is_older = True
    agent.tell_changed()
    await until(lambda: not loaded.runtime_data.data.info.knows_kinds)
    for ask in (set_kind(hass, label="x"), loaded.runtime_data.async_retrain()):
        with pytest.raises(ServiceValidationError) as raised:
            await ask
        assert raised.value.translation_key == "no_kinds"
    assert (agent.actions, agent.requests.count("POST retrain")) == ([], 0)


async def test_an_administrator_has_the_model_trained(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    hass_admin_user: User,
    hass_read_only_user: User,
) -> None:
    """It concerns every device, so nobody else may; a second time is refused while one runs."""

    async def retrain(entry_id: str, user: User | None) -> None:
        context = Context(user_id=user.id if user else None)
        await hass.services.async_call(
            DOMAIN, "retrain", {"config_entry_id": entry_id}, blocking=True, context=context
        )

    with pytest.raises(Unauthorized):
        await retrain(loaded.entry_id, hass_read_only_user)
    assert "POST retrain" not in agent.requests
    await retrain(loaded.entry_id, hass_admin_user)
    with pytest.raises(HomeAssistantError, match="a model is being trained"):
        await retrain(loaded.entry_id, None)
    with pytest.raises(ServiceValidationError) as raised:
        await retrain("nobody", None)
    assert raised.value.translation_key == "no_agent"
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as raised:
        await retrain(loaded.entry_id, None)
    assert raised.value.translation_key == "not_loaded"


# --- what is given away ---


async def test_diagnostics_hide_what_a_person_calls_a_device(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """A label may be anybody's words; how certain it is may be shown."""
    agent.set_device(CAMERA, kind={"label": "Ann's camera", "source": "person"})
    agent.set_device(PLUG, identified=make_identified(label=None))
    agent.identify(CAMERA, label="Ann's camera")
    await until(lambda: loaded.runtime_data.data.devices[CAMERA].identified)

    given = await async_get_config_entry_diagnostics(hass, loaded)
    assert "Ann" not in str(given)
    assert given["devices"]["device 1"]["identified"]["certainty"] == 0.934
    assert given["devices"]["device 2"]["identified"]["label"] is None
    assert given["agent"]["identification"]["type"] == "forest"


async def test_evidence_says_what_the_device_is_and_behaves_like(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Whoever is shown the evidence sees both."""
    evidence = await collect_evidence(loaded.runtime_data, CAMERA, 1)
    assert (evidence["kind"], evidence["identified"]) == (None, None)
    agent.set_device(CAMERA, kind={"label": "Camera", "category": "Surveillance"})
    agent.identify(CAMERA)
    await until(lambda: loaded.runtime_data.data.devices[CAMERA].identified)
    evidence = await collect_evidence(loaded.runtime_data, CAMERA, 1)
    assert evidence["kind"] == {
        "label": "Camera", "category": "surveillance", "source": "person",
    }  # fmt: skip
    identified = evidence["identified"]
    assert isinstance(identified, dict)
    assert dt_util.parse_datetime(str(identified.pop("time")))
    assert identified == {
        "label": "Philips Hue bridge", "category": "hub", "certainty": 0.934, "model": "home",
        "agrees": None,
    }  # fmt: skip


async def test_system_information_counts_identified_devices(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """How many were identified, and how many models are getting old."""
    before = await describe_health(hass)
    assert (before["devices_identified"], before["models_old"]) == (0, 0)
    agent.identify(PLUG)
    agent.tell_model(getting_old=True, old_because="worse")
    await until(lambda: ir.async_get(hass).issues)
    after = await describe_health(hass)
    assert (after["devices_identified"], after["models_old"]) == (1, 1)
