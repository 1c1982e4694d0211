"""The card as a resource of dashboards: served, listed with its version, and taken away again."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from homeassistant.components.http import StaticPathConfig
from homeassistant.components.lovelace.const import LOVELACE_DATA, MODE_STORAGE
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.core import HomeAssistant

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)
_FILE = Path(__file__).parent / "frontend/fwid-card.js"
URL = f"/{DOMAIN}/frontend/{_FILE.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to the list of resources."""

    create: bool
    update: str | None  # id of the one to bring up to date
    delete: tuple[str, ...]  # ids of further ones


def plan_resource(listed: list[dict[str, str]], wanted: str | None) -> Plan:
    """Return what makes the list hold this address once, and no other of ours.

    Args:
        listed: the resources that there are.
        wanted: the card's address with its version; None where it is to be gone.

    """
    ours = [item for item in listed if item["url"].partition("?")[0] == URL]
    if wanted is None:
        return Plan(False, None, tuple(item["id"] for item in ours))
    if not ours:
        return Plan(True, None, ())
    first, *others = ours
    stale = first["id"] if first["url"] != wanted else None
    return Plan(False, stale, tuple(item["id"] for item in others))


async def async_serve_card(hass: HomeAssistant) -> None:
    """Serve the built card to browsers."""
    if await hass.async_add_executor_job(_FILE.is_file):
        await hass.http.async_register_static_paths(
            [StaticPathConfig(URL, str(_FILE), cache_headers=True)]
        )


async def async_show_card(hass: HomeAssistant) -> None:
    """List the card among the resources."""
    version = await hass.async_add_executor_job(_read_version)
    if version is not None:
        await _reconcile(hass, f"{URL}?v={version}")


async def async_remove_card(hass: HomeAssistant) -> None:
    """List the card no longer."""
    await _reconcile(hass, None)


def _read_version() -> str | None:
    try:
        return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:12]
    except FileNotFoundError:
        return None


async def _reconcile(hass: HomeAssistant, wanted: str | None) -> None:
    lovelace = hass.data.get(LOVELACE_DATA)
    if lovelace is None:
        return
    resources = lovelace.resources
    if lovelace.resource_mode != MODE_STORAGE or not isinstance(
        resources, ResourceStorageCollection
    ):
        if wanted is not None and not any(
            item["url"] == wanted for item in resources.async_items()
        ):
            _LOGGER.warning(
                "The resources of dashboards are kept in YAML. To use the card, add to lovelace: "
                "resources: - url: %s, type: module",
                wanted,
            )
        return
    await resources.async_get_info()  # loads them
    plan = plan_resource(resources.async_items(), wanted)
    if plan.create:
        await resources.async_create_item({"res_type": "module", "url": wanted})
    if plan.update is not None:
        await resources.async_update_item(plan.update, {"url": wanted})
    for item_id in plan.delete:
        await resources.async_delete_item(item_id)
