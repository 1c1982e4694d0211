"""The daily bench counts what an owner would have seen, and blames no one for what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.lab.cases import Label, LabelledDevice
from fwid_agent.lab.daily import Day, weigh_days
from fwid_agent.lab.visible import LEVEL, least_chance, tell_apart
from fwid_agent.types import EventType, State

from tests.agent.core.tables import DAY_NS, TLS_SENT, table


def lived(versions: str, alarms: str, hard: dict[int, str] | None = None) -> tuple[Day, ...]:
    """A day a letter: its version; "!" or "<": a change or a return was told, "?": suspected."""
    told: dict[str, tuple[EventType, ...]] = {
        "!": (EventType.VERSION_CHANGED,),
        "<": (EventType.RETURNED_TO_KNOWN_VERSION,),
        "~": (EventType.BEHAVES_DIFFERENTLY,),
    }
    return tuple(
        Day(
            Label(version, hard=(hard or {}).get(day, "")),
            State.SUSPECTED if mark == "?" else State.STABLE,
            0.0,
            told.get(mark, ()),
        )
        for day, (version, mark) in enumerate(zip(versions, alarms, strict=True))
    )


def test_a_change_is_told_once_and_counted_from_its_first_day() -> None:
    """Told on the first day of the new version is after one day; a second alarm is false."""
    outcome = weigh_days("some", lived("aaaabbbb", ".....!.!"), 2)
    assert [(each.day, each.told_after) for each in outcome.changes] == [(4, 2)]
    assert [each.day for each in outcome.false_alarms] == [7]


def test_days_on_which_a_change_is_pending_are_not_calm() -> None:
    """Two learnt days, two calm ones, one pending, and from the alarm on calm again."""
    assert weigh_days("some", lived("aaaabbbb", ".....!.."), 2).calm_days == 2 + 3
    assert weigh_days("some", lived("aaaabbbb", "........"), 2).calm_days == 2


def test_a_change_that_is_never_told_is_missed_also_when_the_next_one_is() -> None:
    """An alarm tells the latest change, not one before it."""
    outcome = weigh_days("some", lived("aaaabbcc", "......!."), 2)
    assert [each.told_after for each in outcome.changes] == [None, 1]
    assert not outcome.false_alarms


def test_a_rollback_is_told_by_its_own_event() -> None:
    """`behaves_differently` is no alarm; a return to a known version is one."""
    outcome = weigh_days("some", lived("aaabbbaa", "..~.!.<."), 2)
    assert [each.told_after for each in outcome.changes] == [2, 1]
    assert not outcome.false_alarms


def test_a_change_while_learning_is_nobodys_to_find() -> None:
    """It is in the baseline."""
    outcome = weigh_days("some", lived("abbbbb", "......"), 3)
    assert not outcome.changes
    assert outcome.calm_days == 3


def test_false_alarms_name_what_happened() -> None:
    """On the day that aroused the suspicion: an alarm takes two days."""
    happened = {2: "doubled", 3: "reboot", 4: "idle", 6: "lossy"}
    alarms = weigh_days("some", lived("aaaaaaa", "...?!.!", happened), 2).false_alarms
    assert [each.hard for each in alarms] == ["reboot", "lossy"]


def device(sizes: list[int], versions: str) -> LabelledDevice:
    """A day each, with one size that is always there and one that is the day's."""
    windows = table(
        [
            (day * DAY_NS, day + 1, {(TLS_SENT, 60): 9, (TLS_SENT, size): 5})
            for day, size in enumerate(sizes)
        ]
    )
    return LabelledDevice("some", 1, windows, {n + 1: Label(v) for n, v in enumerate(versions)})


def test_the_oracle_sees_what_splits_the_days() -> None:
    """One size gone for another on each of four days against four: 2 of 70 labellings do so."""
    split = device([100] * 4 + [102] * 4, "aaaabbbb")
    assert tell_apart(split, "a", "b") == pytest.approx(2 / 70 / 0.8)
    assert tell_apart(split, "a", "b") <= LEVEL


def test_the_oracle_knows_the_same_device_of_other_corpora() -> None:
    """Two days against two can be labelled in six ways; twice as many in 36 of each corpus' own."""
    few = device([100] * 2 + [102] * 2, "aabb")
    assert tell_apart(few, "a", "b") > LEVEL
    assert tell_apart(few, "a", "b", [few]) == pytest.approx(2 / 70 / 0.8)
    other = device([100] * 2, "cc")
    assert tell_apart(few, "a", "b", [other]) == tell_apart(few, "a", "b")


def test_the_oracle_does_not_take_settings_or_a_holiday_for_a_version() -> None:
    """What splits the days is what the labels say besides; within each there is no difference."""
    split = device([100] * 7 + [102] * 7, "aaaaaabbbbbbbb")
    assert tell_apart(split, "a", "b") <= LEVEL
    for named in ({"settings": "1"}, {"address": "1"}, {"hard": "holiday"}):
        labels = {
            n + 1: Label("a" if n < 4 else "b", **(named if n > 4 else {})) for n in range(10)
        }
        assert tell_apart(replace(split, labels=labels), "a", "b") == 1.0


def test_the_oracle_leaves_out_the_day_of_the_update() -> None:
    """It has both versions in it."""
    split = device([100] * 4 + [101] + [102] * 4, "aaaabbbbb")
    labels = {**split.labels, 5: Label("b", update="episode")}
    assert tell_apart(replace(split, labels=labels), "a", "b") == pytest.approx(2 / 70 / 0.8)


def test_the_oracle_sees_nothing_where_labels_are_names_only() -> None:
    """Sizes that vary freely are no sign of a version; nor is a version that never ran."""
    sizes = np.random.default_rng(3).integers(100, 104, 8).tolist()
    assert tell_apart(device(sizes, "aaaabbbb"), "a", "b") > LEVEL
    assert tell_apart(device(sizes, "aaaaaaaa"), "a", "b") == 1.0


@pytest.mark.parametrize("versions", ["aaab", "aaaabbbb", "aaaa"])
def test_no_chance_is_smaller_than_the_days_allow(versions: str) -> None:
    """A clean split reaches it; one new day of four cannot be told from chance."""
    split = device([100 + 4 * (version == "b") for version in versions], versions)
    least = least_chance(split, "a", "b")
    assert tell_apart(split, "a", "b") >= least
    assert (least <= LEVEL) == (versions == "aaaabbbb")
