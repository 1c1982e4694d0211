"""Adding an agent: its address, its certificate, its code, and the devices to show."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.hass_dict import HassKey

from .arrival_flow import ArrivalFlow
from .const import CONF_CODE, CONF_FINGERPRINT, DEFAULT_PORT, DOMAIN, MOST_DEVICES
from .enrolment import check_choice, make_options, make_schema
from .introduction import Errors, Introduction, read_address
from .markdown import as_text
from .options_flow import FwidOptionsFlow

_PORT = NumberSelector(NumberSelectorConfig(min=1, max=65535, step=1, mode=NumberSelectorMode.BOX))
_ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(_PORT, vol.Coerce(int)),
    }
)
_CODE_SCHEMA = vol.Schema({vol.Required(CONF_CODE): TextSelector()})
_OFFERS: HassKey[dict[str, FwidConfigFlow]] = HassKey(f"{DOMAIN}_offers")


class FwidConfigFlow(ArrivalFlow, domain=DOMAIN):
    """Adds an agent, lets it in again, finds it elsewhere, and offers its new devices."""

    VERSION = 1
    _title = ""
    _announced = ""  # id of an agent that announced itself; anybody can claim it
    _met_agent: Introduction | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> FwidOptionsFlow:
        return FwidOptionsFlow()

    @property
    def _agent(self) -> Introduction:
        if self._met_agent is None:
            self._met_agent = Introduction(self.hass)
        return self._met_agent

    @override
    @callback
    def async_remove(self) -> None:
        if self._met_agent is not None:  # a dialog may be closed at any step
            self.hass.async_create_task(self._met_agent.leave(), f"{DOMAIN} leave")
        self._is_offered_no_more()

    # --- ways in ---------------------------------------------------------------------------------

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the agent is."""
        errors: Errors = {}
        if user_input is not None:
            address = read_address(user_input[CONF_HOST], user_input[CONF_PORT])
            errors = await self._agent.look_at(*address)
            if not errors:
                return await self.async_step_certificate()
        schema = self.add_suggested_values_to_schema(_ADDRESS_SCHEMA, user_input)
        return self.async_show_form(step_id="user", data_schema=schema, errors=errors)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take an agent that announces itself; nothing that it says of itself is trusted."""
        agent_id, port = discovery_info.properties.get("id"), discovery_info.port
        if not agent_id or not port:
            return self.async_abort(reason="invalid_discovery")
        self._announced = str(agent_id)
        self._title = discovery_info.name.removesuffix(f".{discovery_info.type}")
        title = {"name": await self._name_find(discovery_info.properties.get("devices"))}
        if (offer := self._offers.get(self._announced)) is not None:
            offer.async_update_title_placeholders(title)
            return self.async_abort(reason="already_in_progress")
        self.context["title_placeholders"] = title
        entry = await self.async_set_unique_id(self._announced)
        if entry is not None:
            await self._follow_elsewhere(entry, discovery_info.host, port)
        if await self._agent.look_at(discovery_info.host, port):
            return self.async_abort(reason="cannot_connect")
        self._offers[self._announced] = self
        return await self.async_step_certificate()

    async def _follow_elsewhere(self, entry: ConfigEntry, host: str, port: int) -> NoReturn:
        """Abort; only who shows the pinned certificate moves an entry, as anybody can announce."""
        if (host, port) == (entry.data.get(CONF_HOST), entry.data.get(CONF_PORT)):
            self._abort_if_unique_id_configured()
        errors = await self._agent.look_at(host, port)
        if not errors and self._agent.address.fingerprint == entry.data.get(CONF_FINGERPRINT):
            self._abort_if_unique_id_configured(updates={CONF_HOST: host, CONF_PORT: port})
        raise AbortFlow("already_configured")

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take the app, which hands over its token and certificate by the Supervisor."""
        try:
            self._agent.take(discovery_info.config)
        except KeyError, ValueError:
            return self.async_abort(reason="invalid_discovery")
        self._title = "fwid"
        info, problem = await self._agent.ask()
        if info is None:
            return self.async_abort(reason=problem)
        entry, given = await self.async_set_unique_id(info.id), self._agent.keep()
        if entry is not None and entry.data.get(CONF_TOKEN, "") not in ("", given[CONF_TOKEN]):
            # Nobody uses the old one once the entry is loaded anew, which begins right below.
            self.hass.async_create_task(self._agent.revoke(entry.data[CONF_TOKEN]))
        self._abort_if_unique_id_configured(updates=given)
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to follow the app."""
        if user_input is not None:
            return await self.async_step_devices()
        self._set_confirm_only()
        return self.async_show_form(step_id="hassio_confirm")

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the agent is now; with the pinned certificate nothing else is asked."""
        entry = self._get_reconfigure_entry()
        errors: Errors = {}
        if user_input is not None:
            address = read_address(user_input[CONF_HOST], user_input[CONF_PORT])
            errors = await self._agent.look_at(*address)
            if not errors and self._agent.address.fingerprint != entry.data[CONF_FINGERPRINT]:
                return await self.async_step_new_certificate()
            if not errors:
                host, port = address
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_HOST: host, CONF_PORT: port}
                )
        schema = self.add_suggested_values_to_schema(_ADDRESS_SCHEMA, user_input or entry.data)
        return self.async_show_form(step_id="reconfigure", data_schema=schema, errors=errors)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Be let in again: the token is gone, or the certificate is another one."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look at who answers there now."""
        entry = self._get_reauth_entry()
        errors: Errors = {}
        if user_input is not None:
            errors = await self._agent.look_at(entry.data[CONF_HOST], entry.data[CONF_PORT])
            if not errors and self._agent.address.fingerprint != entry.data[CONF_FINGERPRINT]:
                return await self.async_step_new_certificate()
            if not errors and await self._agent.still_admits(entry.data[CONF_TOKEN]):
                return self.async_update_reload_and_abort(entry)  # somebody else was there
            if not errors:
                return await self.async_step_pair()
        return self.async_show_form(
            step_id="reauth_confirm",
            description_placeholders={"agent": as_text(entry.title)},
            errors=errors,
        )

    # --- trust -----------------------------------------------------------------------------------

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Have the person compare the certificate's fingerprint."""
        if user_input is not None:
            self._is_offered_no_more()  # from now on something is typed, which a new title ends
            return await self.async_step_pair()
        return self._show_certificate("certificate")

    async def async_step_new_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Have the person compare a fingerprint that is not the pinned one."""
        if user_input is not None:
            return await self.async_step_pair()
        return self._show_certificate("new_certificate")

    def _show_certificate(self, step: str) -> ConfigFlowResult:
        self._set_confirm_only()
        return self.async_show_form(
            step_id=step,
            description_placeholders={
                "host": as_text(self._agent.address.host),
                "fingerprint": _in_groups(self._agent.address.fingerprint),
            },
        )

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the agent shows."""
        errors: Errors = {}
        if user_input is not None:
            errors = await self._agent.pair(user_input[CONF_CODE])
            if not errors:
                return await self._paired()
        return self.async_show_form(step_id="pair", data_schema=_CODE_SCHEMA, errors=errors)

    async def _paired(self) -> ConfigFlowResult:
        info, problem = await self._agent.ask()
        if info is None:
            return self.async_abort(reason=problem)
        entry = await self.async_set_unique_id(info.id, raise_on_progress=False)
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return await self._let_in_again(entry)
        if entry is not None:
            return self.async_abort(reason="already_configured")
        return await self.async_step_devices()

    async def _let_in_again(self, found: ConfigEntry | None) -> ConfigFlowResult:
        reauth = self.source == SOURCE_REAUTH
        entry = self._get_reauth_entry() if reauth else self._get_reconfigure_entry()
        if found is None or found.entry_id != entry.entry_id:
            return self.async_abort(reason="other_agent")
        await self._agent.revoke(entry.data[CONF_TOKEN])
        return self.async_update_reload_and_abort(entry, data=self._agent.keep())

    # --- devices ---------------------------------------------------------------------------------

    async def async_step_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which devices to show."""
        errors: Errors = {}
        if user_input is not None and not (errors := check_choice(user_input)):
            options = make_options(user_input, self._agent.devices)
            title = self._title or f"fwid agent on {self._agent.address.host}"
            return self.async_create_entry(title=title, data=self._agent.keep(), options=options)
        schema = self.add_suggested_values_to_schema(
            make_schema(self.hass, self._agent.devices), user_input
        )
        return self.async_show_form(
            step_id="devices",
            data_schema=schema,
            errors=errors,
            description_placeholders={
                "seen": str(len(self._agent.devices)),
                "most": str(MOST_DEVICES),
            },
        )

    # --- within ----------------------------------------------------------------------------------

    async def _name_find(self, devices: str | None) -> str:
        """Return what a discovery is called: the agent, and how many devices it has seen."""
        if devices is None or not re.fullmatch(r"[1-9]\d{0,4}", devices):
            return self._title
        language = self.hass.config.language
        words = await async_get_translations(self.hass, language, "common", {DOMAIN})
        text = words[f"component.{DOMAIN}.common.{'found_one' if devices == '1' else 'found'}"]
        return text.format(agent=self._title, count=devices)

    @property
    def _offers(self) -> dict[str, FwidConfigFlow]:
        """The flows that offer agents that announced themselves, by the agents' ids."""
        return self.hass.data.setdefault(_OFFERS, {})

    @callback
    def _is_offered_no_more(self) -> None:
        if self._offers.get(self._announced) is self:
            del self._offers[self._announced]


def _in_groups(fingerprint: str) -> str:
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
