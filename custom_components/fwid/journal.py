"""What has to survive restarts: which of the agent's events was told last."""

from typing import TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_VERSION = 1


class _Stored(TypedDict):
    last_seq: int


class Journal:
    """How far an entry has followed its agent's events."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Know nothing yet."""
        self._store: Store[_Stored] = Store(hass, _VERSION, f"{DOMAIN}.{entry_id}", private=True)
        self._saved: int | None = None
        self.last_seq: int | None = None  # None: this entry has never followed its agent

    async def async_load(self) -> None:
        """Read what an earlier run has left."""
        if (stored := await self._store.async_load()) is not None:
            self.last_seq = self._saved = stored["last_seq"]

    async def async_save(self) -> None:
        """Keep what was told, so that it is not told again."""
        if self.last_seq is not None and self.last_seq != self._saved:
            await self._store.async_save({"last_seq": self.last_seq})
            self._saved = self.last_seq

    async def async_remove(self) -> None:
        """Leave nothing behind."""
        await self._store.async_remove()
