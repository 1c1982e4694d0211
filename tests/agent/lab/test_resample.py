"""Simulated years hold nothing but captures of one version."""

from dataclasses import replace

import pytest
from fwid_agent.core.evidence import Judge, Likeness
from fwid_agent.lab.cases import Label, LabelledDevice
from fwid_agent.lab.resample import LEAST_CAPTURES, YEAR_DAYS, one_version, run_years
from fwid_agent.pipeline.models import load_prior

from tests.agent.core.tables import DAY_NS, TLS_SENT, table

JUDGE = Judge(load_prior(), lambda asked: [Likeness(1.0, 1.0) for _ in asked])


def device(versions: str, days: list[int]) -> LabelledDevice:
    """A capture a letter, with a size that is its version's own; "?" is not known."""
    windows = table(
        [
            (day * DAY_NS + number, number + 1, {(TLS_SENT, 100 + ord(version)): 5})
            for number, (version, day) in enumerate(zip(versions, days, strict=True))
        ]
    )
    labels = {number + 1: Label(v) for number, v in enumerate(versions) if v != "?"}
    return LabelledDevice("some", 1, windows, labels)


@pytest.mark.parametrize(
    ("versions", "days", "size"),
    [
        ("aaabbbbb", [1, 1, 1, 2, 2, 3, 3, 3], ord("b")),  # known: dates do not matter
        ("???????", [1, 1, 2, 2, 2, 2, 2], ord("?")),  # unknown: one date only
        ("aaaabbbb", list(range(8)), None),
        ("", [], None),
    ],
)
def test_only_captures_of_one_version_are_drawn(
    versions: str, days: list[int], size: int | None
) -> None:
    """Of a version that is known, or else of one date; too few are none."""
    pool = one_version(device(versions, days)) if versions else []
    assert {int(unit.tokens["value"][0]) for unit in pool} == ({100 + size} if size else set())
    assert len(pool) in (0, LEAST_CAPTURES)


def test_only_captures_of_one_set_up_are_drawn() -> None:
    """A new setting stays, and the day of an update has two versions in it."""
    one = device("aaaaaaaaaaaa", list(range(12)))
    labels = {n: Label("a", settings=str(int(n > 5))) for n in range(1, 13)}
    pool = one_version(replace(one, labels={**labels, 6: Label("a", update="episode")}))
    assert [int(unit.start_ns[0]) // DAY_NS for unit in pool] == list(range(6, 12))


def test_every_alarm_of_an_unchanged_device_is_a_false_one() -> None:
    """Years are shared out among the devices that have captures enough; the seed decides."""
    steady, poor = device("aaaaaa", [1] * 6), device("ab", [1, 2])
    devices = [replace(steady, name=name) for name in ("one", "two")] + [poor]
    outcomes = list(run_years(devices, JUDGE, 3, 3, seed=1))

    assert [outcome.device for outcome in outcomes] == ["one", "two", "one"]
    assert {len(outcome.days) for outcome in outcomes} == {3 + YEAR_DAYS}
    assert {outcome.calm_days for outcome in outcomes} == {YEAR_DAYS}
    assert not any(outcome.changes or outcome.false_alarms for outcome in outcomes)
