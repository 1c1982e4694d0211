"""Labels that contradict what their devices do: two that were swapped teach a model nonsense.

A model that learns two devices under each other's name is right by its own measure, for the newest
day bears the same labels. What tells it is the model in use: a device that it knows, that still
behaves as that, and that is now called what another of its devices was, has not become the other.
Such a label is not believed, and the device is learnt under its name of before, until somebody says
that the labels are right as they are. A name that no device had is a new name, and is believed.
"""

from collections.abc import Mapping, Sequence

from fwid_agent.identify.identifier import Identifier
from fwid_agent.retrain.days import Day, Household


def find_doubtful(home: Household, used: Identifier) -> dict[int, str]:
    """Return the devices whose label is not believed, each with the one that it had before."""
    taken = {known.label: frozenset(known.devices) for known in used.classes}
    found = {}
    for device, label in home.labels.items():
        own = used.class_of(device)
        if own is None or own.label == label or not taken.get(label, frozenset()) - {device}:
            continue
        days = [day for day in (*home.learnt, *home.held) if day.device == device]
        if _behaves_as(used, days, own.label, label):
            found[device] = own.label
    return found


def _behaves_as(used: Identifier, days: Sequence[Day], own: str, other: str) -> bool:
    """Say whether more of the days are taken for what the device was than for its new label."""
    said = [used.identify(day.values).candidate for day in days]
    return said.count(own) > said.count(other)


def categories_of(used: Identifier) -> Mapping[str, str | None]:
    """Return the category of each label that a model knows."""
    return {known.label: known.category for known in used.classes}
