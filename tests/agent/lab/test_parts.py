"""Units that are shorter or longer than a day find the same change, each in its own time."""

from dataclasses import replace

import pytest
from fwid_agent.core.evidence import Judge, Likeness
from fwid_agent.lab import bench_run
from fwid_agent.lab.bench_run import run_bench
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice
from fwid_agent.lab.fold_run import Ask, FoldResult
from fwid_agent.lab.folds import Fold
from fwid_agent.lab.parts import LENGTHS, PARTS, watch_by_length
from fwid_agent.lab.present import Corpus, Member
from fwid_agent.pipeline.models import load_prior

from tests.agent.core.tables import TLS_SENT, table

JUDGE = Judge(load_prior(), lambda asked: [Likeness(1.0, 1.0) for _ in asked], 0.1 / 365)


def quartered(versions: str) -> LabelledDevice:
    """A day a letter, in quarters, each with two sizes of which one is the version's own."""
    part_ns = DAY_NS // PARTS
    windows = table(
        [
            (
                day * DAY_NS + part * part_ns,
                day + 1,
                {(TLS_SENT, 100 + ord(version)): 40, (TLS_SENT, 60): 40},
            )
            for day, version in enumerate(versions)
            for part in range(PARTS)
        ]
    )
    return LabelledDevice("some", 1, windows, {n + 1: Label(v) for n, v in enumerate(versions)})


def test_every_length_tells_a_change_and_nothing_else() -> None:
    """After two units or more, because two have to agree; the days that are learnt are the same."""
    for each in watch_by_length(quartered("a" * 8 + "b" * 8), JUDGE, 4):
        (change,) = each.outcome.changes
        assert change.day == 8 / each.length_days
        assert change.told_after is not None
        assert change.told_after >= 2
        assert not each.outcome.false_alarms


def test_every_length_learns_two_units_at_the_least() -> None:
    """A unit of two days and two days of learning would be one, which says nothing of spread."""
    states = [
        sum(day.state.value == "learning" for day in each.outcome.days)
        for each in watch_by_length(quartered("a" * 12), JUDGE, 2)
    ]
    # The state is that after the unit: the last one that is learnt ends the learning.
    assert [count + 1 for count in states] == [max(round(2 / length), 2) for length in LENGTHS]


def member(corpus: str, name: str) -> Member:
    """A device with enough days to be judged by."""
    device = replace(quartered("aaaaaaaa"), name=f"{name} ({corpus})")
    return Member(corpus, name, name, device, None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Fold, Ask]]:
    """What folds are asked; they answer nothing."""
    seen: list[tuple[Fold, Ask]] = []

    def run_fold(fold: Fold, ask: Ask) -> FoldResult:
        seen.append((fold, ask))
        return FoldResult(fold.name, len(fold.rest), {}, (), (), (), (), (), (), ())

    monkeypatch.setattr(bench_run, "run_fold", run_fold)
    return seen


def test_the_bench_runs_every_fold_and_every_transfer(asked: list[tuple[Fold, Ask]]) -> None:
    """Years are shared by all devices; a transfer asks the default only, and simulates nothing."""
    corpora = [
        Corpus("one", "1", (member("one", "a"), member("one", "b"))),
        Corpus("two", "2", (member("two", "c"),)),
    ]
    told: list[tuple[int, int]] = []
    bench = run_bench(corpora, Ask(years=6), 1, lambda done, total: told.append((done, total)))
    assert told == [(n, 5) for n in range(1, 6)]
    assert [fold.name for fold in bench.folds] == ["fold 1", "fold 2", "fold 3"]
    assert [fold.name for fold in bench.transfers] == ["one", "two"]
    folds = asked[:3]
    assert {(ask.years, ask.devices, ask.default_only) for _, ask in folds} == {(6, 3, False)}
    assert {(ask.years, ask.default_only) for _, ask in asked[3:]} == {(0, True)}
    assert {ask.drift_of for _, ask in folds} == {"one"}
    assert bench.header.corpora == {"one": "1", "two": "2"}


def test_shipped_models_are_not_transferred(asked: list[tuple[Fold, Ask]]) -> None:
    """What they were trained on is not ours to choose."""
    corpora = [Corpus("one", "1", (member("one", "a"),)), Corpus("two", "2", (member("two", "c"),))]
    bench = run_bench(corpora, Ask(shipped=True), 1, lambda *_: None)
    assert len(bench.folds) == len(asked) == 2
    assert bench.transfers == ()
    assert "shipped" in bench.header.models
