"""What has to survive restarts: which event was told last, and what the agent was told of what."""

from typing import NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_VERSION = 1


class _Stored(TypedDict):
    last_seq: int
    kinds: NotRequired[list[str]]


class Journal:
    """How far an entry has followed its agent's events."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Know nothing yet."""
        self._store: Store[_Stored] = Store(hass, _VERSION, f"{DOMAIN}.{entry_id}", private=True)
        self._saved: _Stored | None = None
        self.last_seq: int | None = None  # None: this entry has never followed its agent
        self.kinds: set[str] = set()  # MACs of devices that the agent was told the kind of

    async def async_load(self) -> None:
        """Read what an earlier run has left."""
        if (stored := await self._store.async_load()) is not None:
            self.last_seq, self.kinds = stored["last_seq"], set(stored.get("kinds", ()))
            self._saved = stored

    async def async_save(self) -> None:
        """Keep what was told, so that it is not told again."""
        if self.last_seq is None:
            return
        wanted: _Stored = {"last_seq": self.last_seq}
        if self.kinds:
            wanted["kinds"] = sorted(self.kinds)
        if wanted != self._saved:
            await self._store.async_save(wanted)
            self._saved = wanted

    async def async_remove(self) -> None:
        """Leave nothing behind."""
        await self._store.async_remove()
