"""What a household has learnt: each device's days of one version, as its watch sees them.

The label is the MAC address. That a version lasted is what the watch says, so a day under suspicion
is nobody's, and what a person has accepted as a change parts two versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fwid_agent.core.periods import make_period, select_units
from fwid_agent.core.scan import Watch
from fwid_agent.pipeline.memory import read_watch, remembers_since
from fwid_agent.store import Store
from fwid_agent.tables import merge_tables
from fwid_agent.types import SUM_INDEX, State, UnitTable

LEAST_DAYS = 5  # three to learn from, two to measure on
HELD_DAYS = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """A device's days of one version, oldest first."""

    device: int  # MAC
    days: tuple[UnitTable, ...]  # each with packets

    def __post_init__(self) -> None:
        """Refuse a silent day: it cannot be compared."""
        if not all(day.sums[:, :, SUM_INDEX["packets"]].any() for day in self.days):
            raise ValueError("a silent day is no day of a stretch")

    @property
    def learnt(self) -> "Stretch":
        """The days to learn from."""
        return Stretch(self.device, self.days[:-HELD_DAYS])


def read_stretches(store: Store, unit_ns: int) -> list[Stretch]:
    """Read every device's days; versions of fewer than LEAST_DAYS are left out."""
    found: list[Stretch] = []
    for mac, text in sorted(store.states().items()):
        since_ns = remembers_since(text, unit_ns)
        _, units = store.restorable(mac, unit_ns, since_ns)
        watch, _ = read_watch(text, units, unit_ns)
        found += [Stretch(mac, days) for days in list_versions(watch, unit_ns)]
    return found


def list_versions(watch: Watch, unit_ns: int) -> Iterator[tuple[UnitTable, ...]]:
    """Yield the days of each version of a watch, the running one last."""
    running = [watch.baseline]
    if watch.state.state is State.STABLE:
        running.append(watch.newest)  # else it may be the day of an update
    tables = [table for table in running if table is not None]
    for table in (*watch.earlier.values(), *([merge_tables(tables)] if tables else [])):
        days = split_days(table, unit_ns)
        if len(days) >= LEAST_DAYS:
            yield days


def split_days(table: UnitTable, unit_ns: int) -> tuple[UnitTable, ...]:
    """Split a device's traffic into its days."""
    period = make_period(table, "day", unit_ns)
    return tuple(select_units(period, [day]).observations for day in range(period.units))
