"""Which devices to show: offered by name, the known ones chosen beforehand, never too many."""

from collections.abc import Iterable, Mapping
from typing import Any

import voluptuous as vol
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import (
    CONF_DEVICES,
    CONF_OFFERED_UNTIL,
    CONF_SHARE_KINDS,
    CONF_SHARE_VERSIONS,
    MOST_DEVICES,
)
from .models import Device
from .siblings import find_name


@callback
def make_schema(
    hass: HomeAssistant, devices: Iterable[Device], options: Mapping[str, Any] | None = None
) -> vol.Schema:
    """Return the form; without options yet, what Home Assistant knows is chosen beforehand."""
    names = {device.mac: find_name(hass, device.mac) for device in devices}
    known = [mac for mac, name in names.items() if name]
    others = {device.mac: device.name or "" for device in devices if not names[device.mac]}
    chosen = list(options[CONF_DEVICES]) if options else sorted(known)[:MOST_DEVICES]
    # Those that the agent no longer knows stay on the list, so that they can be left out.
    gone = [mac for mac in chosen if mac not in names]
    order = [
        *sorted(known, key=lambda mac: (names[mac] or "").casefold()),
        *sorted(others, key=lambda mac: (not others[mac], others[mac].casefold(), mac)),
        *gone,
    ]
    choices = [
        SelectOptionDict(value=mac, label=_label(names.get(mac) or others.get(mac), mac))
        for mac in order
    ]
    agreed = options or {}
    selector = SelectSelector(
        SelectSelectorConfig(options=choices, multiple=True, mode=SelectSelectorMode.DROPDOWN)
    )
    return vol.Schema(
        {
            vol.Required(CONF_DEVICES, default=chosen): selector,
            **{
                vol.Required(what, default=bool(agreed.get(what))): BooleanSelector()
                for what in (CONF_SHARE_VERSIONS, CONF_SHARE_KINDS)
            },
        }
    )


def check_choice(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a choice, as errors of the form."""
    return {CONF_DEVICES: "too_many"} if len(chosen[CONF_DEVICES]) > MOST_DEVICES else {}


def make_options(chosen: Mapping[str, Any], offered: Iterable[Device]) -> dict[str, Any]:
    """Return the options that a choice among these makes; later devices are offered anew."""
    latest = max((device.first_seen for device in offered), default=None)
    return {
        CONF_DEVICES: sorted(chosen[CONF_DEVICES]),
        CONF_SHARE_VERSIONS: chosen[CONF_SHARE_VERSIONS],
        CONF_SHARE_KINDS: chosen[CONF_SHARE_KINDS],
        CONF_OFFERED_UNTIL: latest.isoformat() if latest else None,
    }


def _label(name: str | None, mac: str) -> str:
    return f"{name} ({mac})" if name else mac
