"""One device while it is watched, and what is weighed of it where devices become too many."""

from dataclasses import dataclass, field

from fwid_agent.core.room import Resident
from fwid_agent.core.scan import Watch
from fwid_agent.store import DeviceRow
from fwid_agent.types import ContactTable, State, UnitTable


@dataclass(slots=True)
class WatchedDevice:
    """One device during the run."""

    watch: Watch
    judged_ns: int  # start of the newest judged unit
    open: list[UnitTable] = field(default_factory=list)  # windows of units that have not ended
    contacts: list[ContactTable] = field(default_factory=list)  # the same windows'
    windows: int = 0  # with traffic
    newest: set[tuple[int, int]] = field(default_factory=set)  # of them: those that may go on


def resident(row: DeviceRow, device: WatchedDevice | None, wanted: bool) -> Resident:
    """Say what speaks for keeping a device."""
    state = None if device is None else device.watch.state
    return Resident(
        row.device,
        row.last_seen_ns,
        row.packets_sent,
        0 if state is None else state.learned_units,
        learnt=state is not None and State.LEARNING not in (state.state, state.before_quiet),
        wanted=wanted,
    )
