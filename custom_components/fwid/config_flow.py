"""Getting to know an agent: its address, its certificate, its code, and the devices to show."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.ssl import get_default_no_verify_context

from .arrivals import Arrival, arrival_id
from .client import Address, AgentClient, read_fingerprint
from .const import CONF_CODE, CONF_DEVICES, CONF_FINGERPRINT, DEFAULT_PORT, DOMAIN, MOST_DEVICES
from .coordinator import FwidConfigEntry
from .enrolment import check_choice, make_options, make_schema
from .errors import AgentError, CertificateError, RefusedError, TokenError, UnreachableError
from .issues import find_version_issue
from .markdown import as_text
from .models import AgentInfo, Device

CLIENT_NAME = "Home Assistant"
_PORT = NumberSelector(NumberSelectorConfig(min=1, max=65535, step=1, mode=NumberSelectorMode.BOX))
_ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(_PORT, vol.Coerce(int)),
    }
)
_CODE_SCHEMA = vol.Schema({vol.Required(CONF_CODE): TextSelector()})
_PROBLEMS: Mapping[type[AgentError], str] = {
    CertificateError: "certificate_changed",
    TokenError: "token_refused",
    UnreachableError: "cannot_connect",
}
_NOT_PAIRED = {403: "wrong_code", 423: "locked", 429: "too_often"}


class FwidConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an agent, lets it in again, finds it elsewhere, and offers its new devices."""

    VERSION = 1

    def __init__(self) -> None:
        """Know nothing yet."""
        self._address: Address | None = None
        self._token = ""
        self._title = ""
        self._announced = ""  # id of an agent that announced itself; anybody can claim it
        self._devices: tuple[Device, ...] = ()
        self._arrival: Arrival | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> FwidOptionsFlow:
        return FwidOptionsFlow()

    # --- ways in ---------------------------------------------------------------------------------

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the agent is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._look_at(_host(user_input[CONF_HOST]), user_input[CONF_PORT])
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
        found = await self._name_find(discovery_info.properties.get("devices"))
        self.context["title_placeholders"] = {"name": found}
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            return self.async_abort(reason="already_in_progress")
        errors = await self._look_at(discovery_info.host, port)
        entry = await self.async_set_unique_id(self._announced)
        if entry is not None:
            # Anybody can announce anything: only the pinned certificate moves an entry.
            shown = self._address
            if shown and shown.fingerprint == entry.data.get(CONF_FINGERPRINT):
                self._abort_if_unique_id_configured(
                    updates={CONF_HOST: shown.host, CONF_PORT: shown.port}
                )
            return self.async_abort(reason="already_configured")
        if errors:
            return self.async_abort(reason="cannot_connect")
        return await self.async_step_certificate()

    @override
    def is_matching(self, other_flow: Self) -> bool:
        """Return whether the agent is offered already; the offer then shows what it says now."""
        if other_flow.source != SOURCE_ZEROCONF or other_flow._announced != self._announced:
            return False
        step = other_flow.cur_step
        if step is not None and step["step_id"] == "certificate":  # nothing is typed there
            other_flow.async_update_title_placeholders(self.context["title_placeholders"])
        return True

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take the app, which hands over its token and certificate by the Supervisor."""
        config = discovery_info.config
        try:
            self._address = Address(
                str(config[CONF_HOST]), int(config[CONF_PORT]), str(config[CONF_FINGERPRINT])
            )
            self._token = str(config[CONF_TOKEN])
        except KeyError, ValueError:
            return self.async_abort(reason="invalid_discovery")
        self._title = "fwid"
        info, problem = await self._get_to_know()
        if info is None:
            return self.async_abort(reason=problem)
        await self.async_set_unique_id(info.id)
        self._abort_if_unique_id_configured(updates=self._data())
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
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._look_at(_host(user_input[CONF_HOST]), user_input[CONF_PORT])
            if not errors and self._address is not None:
                if self._address.fingerprint == entry.data[CONF_FINGERPRINT]:
                    return self.async_update_reload_and_abort(
                        entry,
                        data_updates={
                            CONF_HOST: self._address.host,
                            CONF_PORT: self._address.port,
                        },
                    )
                return await self.async_step_new_certificate()
        schema = self.add_suggested_values_to_schema(_ADDRESS_SCHEMA, user_input or entry.data)
        return self.async_show_form(step_id="reconfigure", data_schema=schema, errors=errors)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Be let in again: the token is gone, or the certificate is another one."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look at who answers there now."""
        entry, errors = self._get_reauth_entry(), {}
        if user_input is not None:
            errors = await self._look_at(entry.data[CONF_HOST], entry.data[CONF_PORT])
            if not errors and self._address is not None:
                if self._address.fingerprint == entry.data[CONF_FINGERPRINT]:
                    return await self.async_step_pair()
                return await self.async_step_new_certificate()
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
        assert self._address is not None
        self._set_confirm_only()
        return self.async_show_form(
            step_id=step,
            description_placeholders={
                "host": as_text(self._address.host),
                "fingerprint": _in_groups(self._address.fingerprint),
            },
        )

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the agent shows."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._pair(re.sub(r"\D", "", user_input[CONF_CODE]))
            if not errors:
                return await self._paired()
        return self.async_show_form(step_id="pair", data_schema=_CODE_SCHEMA, errors=errors)

    async def _pair(self, code: str) -> dict[str, str]:
        if len(code) != 8:
            return {CONF_CODE: "no_code"}
        try:
            self._token = await self._client().pair(code, CLIENT_NAME)
        except RefusedError as error:
            return {CONF_CODE: _NOT_PAIRED.get(error.status, "wrong_code")}
        except AgentError as error:
            return {"base": _problem(error)}
        return {}

    async def _paired(self) -> ConfigFlowResult:
        info, problem = await self._get_to_know()
        if info is None:
            await self._give_token_back()
            return self.async_abort(reason=problem)
        entry = await self.async_set_unique_id(info.id, raise_on_progress=False)
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return await self._let_in_again(entry)
        if entry is not None:
            await self._give_token_back()
            return self.async_abort(reason="already_configured")
        return await self.async_step_devices()

    async def _let_in_again(self, found: ConfigEntry | None) -> ConfigFlowResult:
        reauth = self.source == SOURCE_REAUTH
        entry = self._get_reauth_entry() if reauth else self._get_reconfigure_entry()
        if found is None or found.entry_id != entry.entry_id:
            await self._give_token_back()
            return self.async_abort(reason="other_agent")
        old, new = entry.data[CONF_TOKEN], self._token
        self._token = old
        await self._give_token_back()  # nobody uses it from now on
        self._token = new
        return self.async_update_reload_and_abort(entry, data=self._data())

    # --- devices ---------------------------------------------------------------------------------

    async def async_step_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which devices to show."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := check_choice(user_input)):
            options = make_options(user_input, self._devices)
            assert self._address is not None
            title = self._title or f"fwid agent on {self._address.host}"
            return self.async_create_entry(title=title, data=self._data(), options=options)
        schema = self.add_suggested_values_to_schema(
            make_schema(self.hass, self._devices), user_input
        )
        return self.async_show_form(
            step_id="devices",
            data_schema=schema,
            errors=errors,
            description_placeholders={"seen": str(len(self._devices)), "most": str(MOST_DEVICES)},
        )

    @override
    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer a device that is new in the home."""
        entry = self.hass.config_entries.async_get_entry(discovery_info["entry_id"])
        if entry is None:
            return self.async_abort(reason="other_agent")
        await self.async_set_unique_id(arrival_id(str(entry.unique_id), discovery_info["mac"]))
        self._abort_if_unique_id_configured()
        self._arrival = Arrival(**discovery_info)  # type: ignore[typeddict-item]
        self.context["title_placeholders"] = {"name": discovery_info["name"]}
        return await self.async_step_arrival()

    async def async_step_arrival(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to show it."""
        assert self._arrival is not None
        if user_input is None:
            self._set_confirm_only()
            return self.async_show_form(
                step_id="arrival",
                description_placeholders={
                    "name": as_text(self._arrival["name"]),
                    "mac": self._arrival["mac"],
                },
            )
        entry = self.hass.config_entries.async_get_entry(self._arrival["entry_id"])
        if entry is None:
            return self.async_abort(reason="other_agent")
        enrolled = {*entry.options[CONF_DEVICES], self._arrival["mac"]}
        if len(enrolled) > MOST_DEVICES:
            return self.async_abort(
                reason="too_many", description_placeholders={"most": str(MOST_DEVICES)}
            )
        return self.async_update_reload_and_abort(
            entry,
            options={**entry.options, CONF_DEVICES: sorted(enrolled)},
            reason="device_added",
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

    async def _look_at(self, host: str, port: int) -> dict[str, str]:
        """See who answers there, before anything is told to them."""
        try:
            fingerprint = await read_fingerprint(host, port, get_default_no_verify_context())
            self._address = Address(host, port, fingerprint)
            await self._client().check()
        except AgentError as error:
            return {"base": _problem(error)}
        return {}

    async def _get_to_know(self) -> tuple[AgentInfo | None, str]:
        """Ask the agent who it is; returns why it cannot be followed where it cannot."""
        client = self._client()
        try:
            info = await client.info()
            self._devices = await client.devices()
        except AgentError as error:
            return None, _problem(error)
        issue = find_version_issue(info)
        return (info, "") if issue is None else (None, issue.key)

    async def _give_token_back(self) -> None:
        with suppress(AgentError):
            await self._client().revoke_token()

    def _client(self) -> AgentClient:
        assert self._address is not None
        return AgentClient(async_get_clientsession(self.hass), self._address, self._token or None)

    def _data(self) -> dict[str, Any]:
        assert self._address is not None
        return {
            CONF_HOST: self._address.host,
            CONF_PORT: self._address.port,
            CONF_FINGERPRINT: self._address.fingerprint,
            CONF_TOKEN: self._token,
        }


class FwidOptionsFlow(OptionsFlowWithReload):
    """Changes which devices are shown, and what the agent is told."""

    config_entry: FwidConfigEntry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        devices = tuple(self.config_entry.runtime_data.data.devices.values())
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := check_choice(user_input)):
            return self.async_create_entry(data=make_options(user_input, devices))
        schema = self.add_suggested_values_to_schema(
            make_schema(self.hass, devices, self.config_entry.options), user_input
        )
        return self.async_show_form(
            step_id="init",
            data_schema=schema,
            errors=errors,
            description_placeholders={"seen": str(len(devices)), "most": str(MOST_DEVICES)},
        )


def _host(text: str) -> str:
    """Return the host of what a person typed, which may be the address of the agent's page."""
    return text.strip().removeprefix("https://").rstrip("/")


def _problem(error: AgentError) -> str:
    return _PROBLEMS.get(type(error), "no_agent")


def _in_groups(fingerprint: str) -> str:
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
