"""The tables count what folds brought home, and the pictures show it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fwid_agent.lab.ablation import CASE_DAYS, CaseScore, Thresholds
from fwid_agent.lab.bench_misses import find_false_alarms, find_misses
from fwid_agent.lab.bench_plots import draw_plots
from fwid_agent.lab.bench_record import drift_counts, make_record, write_record
from fwid_agent.lab.bench_run import Bench, Header
from fwid_agent.lab.bench_tables import in_days, tabulate
from fwid_agent.lab.bench_words import write_words
from fwid_agent.lab.cases import DAY_NS, Kind, Label, LabelledDevice
from fwid_agent.lab.counting import Count, Rate
from fwid_agent.lab.daily import Day, Outcome, weigh_days
from fwid_agent.lab.drift import Drifted, What
from fwid_agent.lab.fold_run import FoldResult, Sight, Watched, without_days
from fwid_agent.lab.methods import DEFAULT
from fwid_agent.lab.parts import ByLength
from fwid_agent.lab.present import Corpus, Member
from fwid_agent.types import EventType, State

from tests.agent.core.tables import TLS_SENT, table

OTHER = "another row"


def lived(device: str, versions: str, alarms: str) -> Outcome:
    """A day a letter, two of them learnt; "!" is an alarm."""
    days = tuple(
        Day(
            Label(version, "minor" if at and versions[at - 1] != version else ""),
            State.STABLE,
            0.0,
            (EventType.VERSION_CHANGED,) if mark == "!" else (),
        )
        for at, (version, mark) in enumerate(zip(versions, alarms, strict=True))
    )
    return weigh_days(device, days, 2)


def watched(row: str, outcome: Outcome, levels: Mapping[float, Outcome]) -> Watched:
    """What a row told of a device."""
    return Watched(row, outcome, {level: without_days(each) for level, each in levels.items()})


def case(row: str, device: str, kind: Kind, day: int, score: float) -> CaseScore:
    """A case with the threshold 1."""
    return CaseScore(row, device, kind, day, Label("b", "minor"), CASE_DAYS, score, 1.0)


def member(corpus: str, name: str) -> Member:
    """A device of one day; nothing looks at its traffic here."""
    windows = table([(DAY_NS, 1, {(TLS_SENT, 100): 1})])
    made = LabelledDevice(name, 1, windows, {1: Label("a")})
    return Member(corpus, name, name, made, None)


def fold(number: int, device: str, chance: float, told: str, least: float = 0.01) -> FoldResult:
    """One device with a change on its fifth day, whose default told what is given."""
    versions = "aaaabbbb"
    default, calm = lived(device, versions, told), lived(device, versions, "........")
    wild = lived(device, versions, "...!.!..")
    return FoldResult(
        f"fold {number}",
        1,
        {DEFAULT: Thresholds(1.0, 1.0), OTHER: Thresholds(0.5, 2.0)},
        (
            watched(OTHER, calm, {0.1: wild, 1.0: calm}),
            watched(DEFAULT, default, {0.1: default, 3.0: wild}),
        ),
        (
            case(OTHER, device, Kind.STABLE, 2, 0.5),
            case(OTHER, device, Kind.CHANGED, 4, 0.4),
            case(DEFAULT, device, Kind.STABLE, 2, 0.2),
            case(DEFAULT, device, Kind.CHANGED, 4, 1.2),
        ),
        (Sight(device, 4, "a", "b", chance, least),),
        (ByLength(0.5, lived(device, "aaaaaaaabbbb", ".........!..")),),
        (),
        (Drifted(device, What.SIZE, 0.1, 3 * number, None),),
        (without_days(lived(device, "aaaaaaaa", ".....!..")),),
    )


@pytest.fixture
def bench() -> Bench:
    """Two folds of a device each; only the first one's change is visible."""
    return Bench(
        Header(1, 2, 0.1, False, "of a test", {"numpy": "2"}, {"seed-1": "ab" * 32}),
        (
            Corpus(
                "seed-1",
                "ab" * 32,
                tuple(member("seed-1", name) for name in ("one", "two", "three")),
            ),
        ),
        (fold(1, "one", 0.01, ".....!.."), fold(2, "two", 0.4, "...!....")),
        (),
    )


def test_rows_are_counted_over_all_folds(bench: Bench) -> None:
    """Visible changes apart from those that nobody can see, alarms before a change as false."""
    tables = tabulate(bench, 1)
    assert tables is not None
    other, default = tables.rows
    assert (tables.visible, tables.invisible) == (1, 1)
    assert default.noticed.told == Count(1, 1)
    assert default.noticed.told_invisible == Count(0, 1)
    assert default.noticed.delay_median == 2.0
    assert default.noticed.alarms.events == 1
    assert default.changed == Count(2, 2)
    assert default.changed_visible == Count(1, 1)
    assert default.stable == Count(2, 2)
    assert default.auc == 1.0
    assert other.auc == 0.0
    assert default.per_device == {name: (Count(1, 1), Count(1, 1)) for name in ("one", "two")}


def test_too_few_days_for_the_oracle_are_no_proof(bench: Bench) -> None:
    """A change that it could not see anyhow is neither visible nor invisible."""
    tables = tabulate(bench, 1)
    few = replace(bench, folds=(*bench.folds, fold(3, "three", 0.2, ".....!..", least=0.2)))
    more = tabulate(few, 1)
    assert tables is not None
    assert more is not None
    assert tables.too_few == Count(0, 0)
    assert (more.visible, more.invisible, more.too_few) == (1, 1, Count(1, 1))


def test_a_row_is_held_against_the_default_at_as_many_false_alarms(bench: Bench) -> None:
    """The wild level alarms in vain twice, the default once: it does not count."""
    tables = tabulate(bench, 1)
    assert tables is not None
    other, default = tables.rows
    assert {point.level: point.alarms.events for point in other.curve} == {0.1: 2, 1.0: 0}
    assert other.told_at_default == Count(0, 1)
    assert default.told_at_default == Count(1, 1)


def test_units_that_are_no_days_are_counted_in_days(bench: Bench) -> None:
    """Two half days of delay are one day; whether a change is visible goes by its versions."""
    tables = tabulate(bench, 1)
    assert tables is not None
    halves = tables.kinds.by_length[0.5]
    assert halves.told == Count(1, 1)
    assert halves.told_invisible == Count(1, 1)
    assert halves.delay_median == 1.0
    days = (12 - 2 - 1) * 2 * 0.5  # all but what is learnt and the unit in which it was pending
    assert halves.alarms.time == pytest.approx(days / 365.25)
    assert in_days(halves, 1.0) == halves


def test_simulated_years_and_drift_are_counted(bench: Bench) -> None:
    """Every alarm of an unchanged device is a false one."""
    tables = tabulate(bench, 1)
    assert tables is not None
    assert tables.simulated == Rate(2, pytest.approx(12 / 365.25))
    assert drift_counts(bench) == [
        {
            "what": What.SIZE,
            "speed": 0.1,
            "alarmed": Count(2, 2),
            "different": Count(0, 2),
            "days_median": 6,
        }
    ]


def test_the_record_is_plain_and_has_every_interval(bench: Bench, tmp_path: Path) -> None:
    """Nothing but what JSON holds: no NaN, which no other program reads."""
    tables = tabulate(bench, 1)
    record = make_record(bench, tables)
    file = write_record(record, tmp_path / "new" / "out")
    text = file.read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    row = record["days"]["rows"][1]
    low, high = Count(2, 2).interval()
    assert row["stable"] == {"hits": 2, "total": 2, "low": low, "high": high}
    assert record["header"]["corpora"] == {"seed-1": "ab" * 32}
    assert record["folds"][0]["held_out"] == ["one"]


def test_a_corpus_of_dates_has_no_table_of_days(bench: Bench) -> None:
    """Its cases stand for themselves."""
    empty = Bench(bench.header, bench.corpora, (), ())
    assert tabulate(empty, 1) is None
    assert make_record(empty, None)["days"] is None


def test_the_words_hold_figures_against_goals(bench: Bench, tmp_path: Path) -> None:
    """One visible change of one, told after two days; one false alarm in a few days is too many."""
    words = write_words(bench, tabulate(bench, 1), tmp_path).read_text()
    few = "not missed, for all that so few can show"
    assert f"| visible changes told | 1/1 (21–100 %) | 95 % | {few} |" in words
    assert "| after | 2, 90 %: 2 | 2 days in the median | yes |" in words
    assert "a device-year) | 0.1 a device-year | **missed** |" in words
    for line in words.splitlines():
        if line.startswith("|"):
            assert line.count("|") > 2
            assert line.endswith("|")


def test_misses_are_visible_changes_that_were_not_told() -> None:
    """Neither what was told nor what nobody can see; the worst, with its days, comes first."""
    folds = [
        fold(1, "told", 0.01, ".....!.."),
        fold(2, "unseen", 0.4, "........"),
        fold(3, "missed", 0.01, "........"),
    ]
    (miss,) = find_misses(folds)
    assert (miss.device, miss.what) == ("missed", "b")
    assert [day for day, _ in miss.scores] == list(range(-4, 4))


def test_a_goal_is_reached_only_where_the_interval_shows_it(bench: Bench, tmp_path: Path) -> None:
    """No alarm in a few days is no rate, and no change at all is no recall."""
    calm = replace(bench, folds=(fold(1, "one", 0.4, "........"),))
    words = write_words(calm, tabulate(calm, 1), tmp_path).read_text()
    assert "| 0.1 a device-year | not missed, for all that so few can show |" in words
    assert "| visible changes told | 0/0 | 95 % | not asked |" in words
    assert "2 days in the median | not asked |" in words
    assert "The worst cases" not in words


def test_what_went_wrong_is_listed(bench: Bench, tmp_path: Path) -> None:
    """Alarms on days of one version, with their days around, beside what was missed."""
    (alarm,) = find_false_alarms(bench.folds)
    assert (alarm.device, alarm.day, alarm.what) == ("two", 3, "")
    assert [day for day, _ in alarm.scores] == list(range(-3, 5))
    missed = replace(bench, folds=(*bench.folds, fold(3, "three", 0.01, "........")))
    words = write_words(missed, tabulate(missed, 1), tmp_path).read_text()
    assert "| false alarm | two | 4 | nothing | 0.00 |" in words
    assert "| missed change | three | 5 | b | 0.00 |" in words


@pytest.mark.lab
def test_pictures_are_drawn(bench: Bench, tmp_path: Path) -> None:
    """Each is a PNG that is not empty."""
    pytest.importorskip("matplotlib")
    tables = tabulate(bench, 1)
    assert tables is not None
    missed = replace(bench, folds=(*bench.folds, fold(3, "three", 0.01, "........")))
    files = draw_plots(missed, tables, tmp_path / "plots")
    assert {file.name for file in files} == {
        "roc.png",
        "delays.png",
        "hard_days.png",
        "drift.png",
        "misses.png",
        "false_alarms.png",
    }
    for file in files:
        assert file.read_bytes().startswith(b"\x89PNG")
        assert file.stat().st_size > 5000
