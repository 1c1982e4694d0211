"""Is a model getting old, and is it time to train another? From what a store holds, and the clock.

*age*: newer days last longer, and after two weeks what is left of an answer depends on luck.
*changed*: a device that it learnt has a new version. *new_devices*: one that it did not learn has
days enough. *worse*: on the newest days it is right on ten points fewer than when it was accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fwid_agent.identify.kept import InUse
from fwid_agent.retrain.days import Household
from fwid_agent.retrain.scores import measure
from fwid_agent.store import Store
from fwid_agent.types import EventType, parse_mac, parse_time

OldBecause = Literal["age", "changed", "new_devices", "worse"]
OLD_AFTER, AGAIN_AFTER, NOT_BEFORE = timedelta(days=14), timedelta(days=7), timedelta(days=1)
_LEAST_DEVICES = 2
_WORSE = 0.10  # of the share of right device-days
_LEAST_JUDGED = 5  # device-days: of fewer, one is more than ten points
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the model in use, at a time."""

    labelled: frozenset[int]  # devices with a label and days enough to be learnt
    first_ns: int | None  # the oldest day of a labelled device
    knows: frozenset[int]
    trained_ns: int | None  # None: there is none of this home's own
    changed_ns: int | None  # the latest version change of a device that it knows, since then
    accuracy: float | None  # at acceptance
    accuracy_now: float | None  # on the newest days; None: too few


def look_at(store: Store, home: Household, used: InUse) -> Standing:
    """Look at a store; raises StoreError."""
    model = used.identifier
    own = used.number is not None
    trained_ns = model.about.trained_ns if own else None
    first = [day.start_ns for day in (*home.learnt, *home.held)]
    changed_ns = None
    if trained_ns is not None:
        changed_ns = _latest_change(store, model.knows, trained_ns)
    judged = [day for day in home.held if day.device in model.knows] if own else []
    enough = len(judged) >= _LEAST_JUDGED
    return Standing(
        frozenset(home.labels),
        min(first, default=None),
        model.knows if own else frozenset(),
        trained_ns,
        changed_ns,
        model.about.accuracy,
        measure(model, judged).accuracy if enough else None,
    )


def _latest_change(store: Store, devices: frozenset[int], since_ns: int) -> int | None:
    latest = store.latest_events(EventType.VERSION_CHANGED)
    times = [parse_time(event.time) for mac, event in latest.items() if parse_mac(mac) in devices]
    return max((time_ns for time_ns in times if time_ns > since_ns), default=None)


def old_because(standing: Standing, now_ns: int) -> OldBecause | None:
    """Say why a model is getting old; None where it is not."""
    begin_ns = standing.trained_ns if standing.trained_ns is not None else standing.first_ns
    if begin_ns is None or not standing.labelled:
        return None
    if now_ns - begin_ns > _span_ns(OLD_AFTER):
        return "age"
    if standing.trained_ns is None:
        return None
    if standing.changed_ns is not None:
        return "changed"
    if _is_worse(standing):
        return "worse"
    return "new_devices" if standing.labelled - standing.knows else None


def _is_worse(standing: Standing) -> bool:
    if standing.accuracy is None or standing.accuracy_now is None:
        return False
    return standing.accuracy_now < standing.accuracy - _WORSE


@dataclass(frozen=True, slots=True)
class Tries:
    """When a model was tried, and accepted, last; None: never."""

    last: datetime | None = None
    accepted: datetime | None = None


def is_due(standing: Standing, tries: Tries, now: datetime, settle: timedelta) -> bool:
    """Say whether it is time to train.

    Args:
        standing: of the model in use.
        tries: what was tried before.
        now: a clock that was set back waits for nothing.
        settle: how long a new version is to have been there.

    """
    if len(standing.labelled) < _LEAST_DEVICES:
        return False
    if tries.last is None or not timedelta() <= now - tries.last < AGAIN_AFTER:
        return True
    changed_ns = standing.changed_ns
    if changed_ns is None or now - tries.last < NOT_BEFORE:
        return False
    learnt = tries.accepted is not None and _ns(tries.accepted) > changed_ns + _span_ns(settle)
    return not learnt and _ns(now) >= changed_ns + _span_ns(settle)


def tries_of(attempts: Sequence[Mapping[str, object]]) -> Tries:
    """Read the record of attempts."""
    accepted = [each for each in attempts if each.get("outcome") == "accepted"]
    return Tries(_when(attempts), _when(accepted))


def _when(attempts: Sequence[Mapping[str, object]]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(attempts[-1].get("time"))) if attempts else None
    except ValueError:
        return None


def _span_ns(span: timedelta) -> int:
    return int(span.total_seconds()) * _SECOND_NS


def _ns(time: datetime) -> int:
    return int(time.timestamp()) * _SECOND_NS
