"""What the API asks of the running agent.

`ready`, `reason_texts` and `subscribe` are called in the event loop and answer from memory. Every
other method is called in one thread of the API's own, one call at a time: it may read the store or
wait for the analysis, and delays no other client's connection but only the next call. `backup`
alone takes so long that it has a thread of its own.

Times are nanoseconds since the epoch, devices are 48-bit integers. Records are dicts of JSON
values in the form that `messages` gives them. A method that is asked for something that makes no
sense (an unknown device, version or event) raises `errors.UsageError`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from fwid_agent.api.messages import Notice
from fwid_agent.api.values import Category, Source
from fwid_agent.types import Event

Record = dict[str, Any]
Which = Literal["before", "after", "difference"]


class EventPage(Protocol):
    """Events after some `seq`, oldest first; the store's own page is one."""

    @property
    def events(self) -> Sequence[Event]:
        """At most as many as were asked for."""

    @property
    def gap(self) -> bool:
        """Events that were asked for are no longer kept, or the store is another one."""

    @property
    def last_seq(self) -> int:
        """Of the whole store; 0 where nothing ever happened."""


class AgentApi(Protocol):
    """The running agent, as the API sees it."""

    def info(self) -> Record:
        """Who the agent is and what it captures: `messages.Info`."""

    def devices(self) -> list[Record]:
        """All devices: `messages.Device` each."""

    def device(self, mac: int) -> Record | None:
        """One device: `messages.Device`; None where it was never seen."""

    def history(self, mac: int, since_ns: int) -> list[Record]:
        """What was decided of units from this time on, oldest first: `messages.Judged` each."""

    def contacts(self, mac: int, since_ns: int) -> list[Record]:
        """How much it talked, and with whom, from this time on: `messages.Contact` each."""

    def image(self, mac: int, which: Which) -> bytes | None:
        """A fingerprint image as PNG; None while there is none."""

    def enrol(self, mac: int) -> None:
        """Watch a device that was seen."""

    def accept(self, mac: int) -> None:
        """Take what the device does now as its new normal."""

    def relearn(self, mac: int) -> None:
        """Forget what is usual for the device and learn it anew."""

    def mute(self, mac: int, until_ns: int | None) -> None:
        """Raise no alarm until then (a past time ends it), or until further notice (None)."""

    def wrong_alarm(self, mac: int, event_id: str) -> None:
        """Keep that a person calls this event's alarm wrong."""

    def label(self, mac: int, version: int, text: str) -> None:
        """Name a version."""

    def name(self, mac: int, text: str | None) -> None:
        """Call a device so; None: what it calls itself again."""

    def set_kind(
        self, mac: int, label: str | None, category: Category | None, source: Source
    ) -> None:
        """Keep what a device is said to be; None: forget what this source said."""

    def retrain(self) -> Record:
        """Start to train the model that identifies devices: `messages.Identification`.

        Raises:
            UsageError: devices are not identified, or one is being trained.

        """

    def roll_back_identifier(self) -> Record:
        """Use the model before again: `messages.Identification`; raises as `retrain`."""

    def expect_update(self, mac: int, until_ns: int) -> None:
        """Mark changes until then as expected: an update was started."""

    def backup(self) -> Path:
        """Copy the store; the copy is the caller's to remove."""

    def events(self, after_seq: int, limit: int, device: str | None = None) -> EventPage:
        """Stored events after `after_seq`, oldest first; of one device where it is named."""

    def reason_texts(self, event: Event) -> Sequence[str]:
        """The reasons of an event in words; from memory."""

    def subscribe(self, callback: Callable[[Event | Notice], None]) -> Callable[[], None]:
        """Have each event told in the event loop, in order, once stored; returns how to end it.

        What is told beside events is not stored: see `messages.Notice`.
        """

    def metrics(self) -> Mapping[str, float]:
        """Figures by their Prometheus names without the prefix `fwid_`; `…_total` only grows."""

    def ready(self) -> bool:
        """Whether packets are captured and judged."""
