"""What a person says to a device's watch: accept a change, or learn it anew."""

from fwid_agent.core.stability import Accepted, DeviceState, Relearn, Rules, step
from fwid_agent.errors import StoreError
from fwid_agent.pipeline.memory import read_watch_state, write_state
from fwid_agent.store import Progress, Store
from fwid_agent.types import format_mac


def read_state(store: Store, device: int) -> DeviceState:
    """Return the state of a device; raises StoreError where it has none yet."""
    return read_watch_state(_text(store, device))


def steer(store: Store, device: int, given: Accepted | Relearn, now_ns: int) -> DeviceState:
    """Take a person's word for a device, store what follows, and return the new state."""
    text = _text(store, device)
    state, events = step(read_watch_state(text), given, now_ns, Rules(store.agent))
    forget = isinstance(given, Relearn)
    changed = write_state(text, state, forget=forget)
    store.commit_progress(Progress(states={device: changed}, events=events))
    return state


def _text(store: Store, device: int) -> str:
    text = store.states().get(device)
    if text is None:
        raise StoreError(f"{store.path}: {format_mac(device)} has not been judged yet")
    return text
