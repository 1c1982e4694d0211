"""One agent as Home Assistant follows it: states are pushed, events are told exactly once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .backoff import Backoff
from .client import AgentClient, Which
from .const import CONF_DEVICES, DOMAIN
from .errors import AgentError, CertificateError, RefusedError, TokenError, UnfitError
from .explanations import explain
from .issues import find_issues, find_version_issue, show_issues
from .journal import Journal
from .models import Changed, Event, Gap, Judged, Kind, Message
from .siblings import find_name
from .snapshot import Snapshot, take_snapshot
from .words import Strings

type FwidConfigEntry = ConfigEntry[FwidCoordinator]
type EventListener = Callable[[Event], None]

_LOGGER = logging.getLogger(__name__)
_MOST_WAITING = 500  # messages; then the agent is left waiting, and at last drops us


class FwidCoordinator(DataUpdateCoordinator[Snapshot]):
    """Keeps the snapshot of one agent, and tells what happens."""

    config_entry: FwidConfigEntry

    def __init__(self, hass: HomeAssistant, entry: FwidConfigEntry, client: AgentClient) -> None:
        """Follow the agent that this client asks."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=DOMAIN, always_update=False)
        self.client = client
        self.journal = Journal(hass, entry.entry_id)
        self.enrolled: tuple[str, ...] = tuple(entry.options[CONF_DEVICES])
        self._event_listeners: list[EventListener] = []
        self._clock_lead = timedelta()  # of the agent's clock
        self._following: asyncio.Task[None] | None = None

    @property
    def agent_id(self) -> str:
        """Of the agent, for ever."""
        assert self.config_entry.unique_id is not None
        return self.config_entry.unique_id

    @property
    def strings(self) -> Strings:
        """Words in the language of Home Assistant."""
        language = self.hass.config.language
        return async_get_cached_translations(self.hass, language, "common", DOMAIN)

    def name_of(self, mac: str) -> str:
        """Return what people call a device: by Home Assistant, by itself, or by its address."""
        known = self.data.devices.get(mac)
        return find_name(self.hass, mac) or (known.name if known else None) or mac

    # --- states ----------------------------------------------------------------------------------

    @override
    async def _async_setup(self) -> None:
        await self.journal.async_load()

    @override
    async def _async_update_data(self) -> Snapshot:
        try:
            snapshot = await self._read()
            self._check_agent(snapshot)
        except (TokenError, CertificateError) as error:
            raise ConfigEntryAuthFailed(**explain(error)) from error
        except AgentError as error:
            raise UpdateFailed(**explain(error)) from error
        if self.journal.last_seq is None:  # what happened before we came is history
            self.journal.last_seq = snapshot.info.last_seq
            await self.journal.async_save()
        self._show_issues(snapshot)
        return snapshot

    async def _read(self) -> Snapshot:
        info = await self.client.info()
        self._clock_lead = info.time - dt_util.utcnow() if info.time else timedelta()
        return take_snapshot(info, await self.client.devices(), self.data)

    def _check_agent(self, snapshot: Snapshot) -> None:
        if snapshot.info.id != self.agent_id:
            raise UnfitError("other_agent")
        issue = find_version_issue(snapshot.info)
        if issue is not None:
            show_issues(self.hass, self.config_entry.entry_id, self.config_entry.title, [issue])
            raise UnfitError(issue.key, issue.placeholders)

    def _show_issues(self, snapshot: Snapshot) -> None:
        names = {
            mac: find_name(self.hass, mac) or snapshot.devices[mac].name or mac
            for mac in self.enrolled
            if mac in snapshot.devices
        }
        issues = find_issues(snapshot, names, dt_util.utcnow())
        show_issues(self.hass, self.config_entry.entry_id, self.config_entry.title, issues)

    # --- events ----------------------------------------------------------------------------------

    @callback
    def async_listen(self, listener: EventListener) -> CALLBACK_TYPE:
        """Have each event told; returns how to end it."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    @callback
    def async_follow(self) -> None:
        """Begin to follow the agent's events."""
        self._following = self.config_entry.async_create_background_task(
            self.hass, self._follow(), f"{DOMAIN} events"
        )

    async def async_stop(self) -> None:
        """Follow no longer; what comes from now on is told after the next start."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
            self._following = None
        await self.journal.async_save()

    async def _follow(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._follow_once(backoff)
            except TokenError as error:
                self.async_set_update_error(UpdateFailed(**explain(error)))
                self.config_entry.async_start_reauth(self.hass)
                return
            except CertificateError as error:
                # Nothing was sent. Whoever has the agent's address now may leave it again.
                self.async_set_update_error(UpdateFailed(**explain(error)))
                self.config_entry.async_start_reauth(self.hass)
            except UnfitError as error:  # until agent or integration is updated
                self.async_set_update_error(UpdateFailed(**explain(error)))
            except AgentError as error:
                _LOGGER.debug("Connection lost: %s", error)
                # A first failure may be no more than a restart: nobody is told yet.
                if backoff.failures:
                    self.async_set_update_error(UpdateFailed(**explain(error)))
            except Exception as error:  # of ours: it must not end the following in silence
                if self.last_update_success:
                    _LOGGER.exception("The agent could not be followed; trying again")
                self.async_set_update_error(error)
            await asyncio.sleep(backoff.next_s())

    async def _follow_once(self, backoff: Backoff) -> None:
        """Follow one connection until it ends; raises AgentError."""
        waiting: asyncio.Queue[Message | Exception] = asyncio.Queue(_MOST_WAITING)
        pump = asyncio.create_task(self._pump(waiting))
        try:
            while True:
                batch = [await waiting.get()]
                while not waiting.empty():
                    batch.append(waiting.get_nowait())
                messages = [one for one in batch if not isinstance(one, Exception)]
                if messages:
                    await self._take(messages)
                    backoff.reset()
                for one in batch:
                    if isinstance(one, Exception):
                        raise one
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump

    async def _pump(self, waiting: asyncio.Queue[Message | Exception]) -> None:
        """Take messages in while others are told; the last one is why there are no more."""
        try:
            async with aclosing(self.client.stream(self.journal.last_seq or 0)) as messages:
                async for message in messages:
                    await waiting.put(message)
        except Exception as error:  # whatever it is, it is raised where the messages are taken
            await waiting.put(error)

    async def _take(self, messages: list[Message]) -> None:
        """Tell what happened, after the states that it has led to."""
        was_lost = not self.last_update_success
        snapshot = await self._read()
        self._check_agent(snapshot)
        self._show_issues(snapshot)
        self.async_set_updated_data(snapshot)
        if was_lost:
            _LOGGER.info("Connected to the agent again")
            self._ask_no_more()
        for message in messages:
            match message:
                case Event():
                    self._tell(message)
                    await asyncio.sleep(0)  # many of them leave room for others
                case Gap(last_seq):
                    _LOGGER.warning("The agent no longer has some events that were not told yet")
                    self.journal.last_seq = min(last_seq, self.journal.last_seq or 0)
                case Changed():
                    pass
        await self.journal.async_save()

    @callback
    def _ask_no_more(self) -> None:
        """End what asks a person to be let in: it was not needed."""
        for flow in list(self.config_entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    def _tell(self, event: Event) -> None:
        self.journal.last_seq = event.seq
        if event.type is None:
            _LOGGER.debug("An event of an unknown kind: %d", event.seq)
            return
        for listener in tuple(self._event_listeners):
            try:
                listener(event)
            except Exception:  # of one listener: the others are told nevertheless
                _LOGGER.exception("An event could not be taken: %d", event.seq)

    # --- asking and acting -----------------------------------------------------------------------

    async def async_act(self, mac: str, action: str, **words: Any) -> None:  # noqa: ANN401 - JSON
        """Have the agent do something; raises a translated HomeAssistantError."""
        device = await self._ask(self.client.act(mac, action, **words))
        self.async_set_updated_data(self.data.with_device(device))

    async def async_set_kind(self, mac: str, kind: Kind | None, source: str) -> None:
        """Say what a device is, or no longer; raises a translated HomeAssistantError."""
        self._check_kinds()
        await self.async_act(
            mac,
            "kind",
            label=kind.label if kind else None,
            category=kind.category.told if kind and kind.category else None,
            source=source,
        )

    async def async_retrain(self) -> None:
        """Have the model trained anew; raises a translated HomeAssistantError."""
        self._check_kinds()
        await self._ask(self.client.retrain())
        await self.async_request_refresh()

    def _check_kinds(self) -> None:
        """Ask nothing that an older agent does not know: it takes that for a stranger's."""
        if not self.data.info.knows_kinds:
            unfit = UnfitError("no_kinds", {"agent": self.config_entry.title})
            raise ServiceValidationError(**explain(unfit))

    async def async_expect_update(self, mac: str, until: datetime) -> None:
        """Tell the agent that an update was started; until a time of our clock."""
        await self.async_act(mac, "expect-update", until=self._agent_time(until).isoformat())

    async def async_mute(self, mac: str, until: datetime | None) -> None:
        """Have no alarm raised until a time of our clock, or until further notice."""
        then = None if until is None else self._agent_time(until).isoformat()
        await self.async_act(mac, "mute", until=then)

    async def async_history(self, mac: str, days: int) -> tuple[Judged, ...]:
        """What was decided of a device lately; raises a translated HomeAssistantError."""
        since = self._agent_time(dt_util.utcnow() - timedelta(days=days))
        return await self._ask(self.client.history(mac, since))

    async def async_image(self, mac: str, which: Which) -> bytes | None:
        """A fingerprint image as PNG; raises a translated HomeAssistantError."""
        return await self._ask(self.client.image(mac, which))

    def _agent_time(self, time: datetime) -> datetime:
        """Turn a time of our clock into one of the agent's."""
        return time.astimezone(UTC) + self._clock_lead

    async def _ask[T](self, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except RefusedError as error:
            raise ServiceValidationError(**explain(error)) from error
        except (TokenError, CertificateError) as error:
            self.config_entry.async_start_reauth(self.hass)
            raise HomeAssistantError(**explain(error)) from error
        except AgentError as error:
            raise HomeAssistantError(**explain(error)) from error
