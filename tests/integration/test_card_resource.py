"""The card among the resources of dashboards: once, up to date, gone with the integration."""

from pathlib import Path
from typing import Any

import pytest
from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.card import URL, Plan, plan_resource
from tests.integration.fake_agent import FakeAgent

BUILT = Path(__file__).parents[2] / "custom_components/fwid/frontend/fwid-card.js"
OTHER = {"id": "other", "type": "module", "url": "/hacsfiles/other-card.js?hacstag=1"}
NEW, OLD = f"{URL}?v=new", f"{URL}?v=old"


def item(name: str, url: str) -> dict[str, str]:
    return {"id": name, "type": "module", "url": url}


@pytest.mark.parametrize(
    ("listed", "wanted", "plan"),
    [
        ([], NEW, Plan(True, None, ())),
        ([OTHER], NEW, Plan(True, None, ())),
        ([OTHER, item("a", NEW)], NEW, Plan(False, None, ())),
        ([item("a", OLD)], NEW, Plan(False, "a", ())),
        ([item("a", URL)], NEW, Plan(False, "a", ())),
        ([item("a", OLD), item("b", NEW)], NEW, Plan(False, "a", ("b",))),
        ([OTHER, item("a", OLD), item("b", URL)], None, Plan(False, None, ("a", "b"))),
        ([OTHER], None, Plan(False, None, ())),
    ],
    ids=["none", "other", "current", "old", "bare", "twice", "away", "gone"],
)
def test_the_plan_leaves_one_of_ours_and_all_of_others(
    listed: list[dict[str, str]], wanted: str | None, plan: Plan
) -> None:
    """A second copy of the card would fail to define its elements."""
    assert plan_resource(listed, wanted) == plan


def ours(hass: HomeAssistant) -> list[dict[str, Any]]:
    items = hass.data[LOVELACE_DATA].resources.async_items()
    return [each for each in items if each["url"].startswith(URL)]


@pytest.fixture
async def lovelace(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "lovelace", {})


async def test_the_card_is_listed_with_its_version_and_served(
    hass: HomeAssistant, lovelace: None, loaded: MockConfigEntry, hass_client_no_auth: Any
) -> None:
    """A dashboard finds it without anybody adding it by hand; a new version is loaded anew."""
    (resource,) = ours(hass)
    assert resource["type"] == "module"
    assert "?v=" in resource["url"]

    client = await hass_client_no_auth()
    response = await client.get(resource["url"])
    assert response.status == 200
    assert await response.read() == BUILT.read_bytes()
    assert "javascript" in response.headers["Content-Type"]


async def test_nothing_but_what_is_built_is_served(
    hass: HomeAssistant, lovelace: None, loaded: MockConfigEntry, hass_client_no_auth: Any
) -> None:
    """Static paths ask for no login: the integration's own files must not be among them."""
    client = await hass_client_no_auth()
    folder = URL.rpartition("/")[0]

    for path in ("../manifest.json", "..%2fmanifest.json", "../__init__.py", ""):
        response = await client.get(f"{folder}/{path}")
        assert response.status >= 400, path


async def test_an_older_version_is_replaced_at_the_next_start(
    hass: HomeAssistant, lovelace: None, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Browsers keep the card for a month: only another address brings a new one."""
    resources = hass.data[LOVELACE_DATA].resources
    (resource,) = ours(hass)
    await resources.async_update_item(resource["id"], {"url": OLD})

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()

    assert ours(hass) == [resource]


async def test_removing_the_integration_takes_the_card_away_and_nothing_else(
    hass: HomeAssistant, lovelace: None, loaded: MockConfigEntry
) -> None:
    """No dashboard asks for a file that is gone."""
    resources = hass.data[LOVELACE_DATA].resources
    await resources.async_create_item({"res_type": "module", "url": OTHER["url"]})

    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()

    assert [each["url"] for each in resources.async_items()] == [OTHER["url"]]


async def test_where_resources_are_kept_in_yaml_the_log_says_what_to_add(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    agent: FakeAgent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The integration does not write into files of the person."""
    config = {"lovelace": {"resource_mode": "yaml", "resources": []}}
    assert await async_setup_component(hass, "lovelace", config)

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    (record,) = [each for each in caplog.records if URL in each.getMessage()]
    assert record.levelname == "WARNING"
    assert "type: module" in record.getMessage()
    assert ours(hass) == []


async def test_without_dashboards_the_integration_works_all_the_same(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Some homes have none."""
    assert LOVELACE_DATA not in hass.data
    assert loaded.state.value == "loaded"
