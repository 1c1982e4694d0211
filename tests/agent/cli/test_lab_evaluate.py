"""The bench from the command line, on the small made corpus that is shipped."""

import json
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.lab.bench_record import RESULTS
from fwid_agent.lab.bench_words import WORDS
from fwid_agent.lab.methods import DEFAULT

from tests.agent.cli.conftest import Fwid

MADE = Path(__file__).parents[2] / "data/made-corpus"
PLOTS = {"roc.png", "delays.png", "hard_days.png", "drift.png"}


@pytest.mark.lab
@pytest.mark.slow
def test_the_quick_bench_tells_everything(fwid: Fwid, tmp_path: Path) -> None:
    """Tables, JSON and pictures, from the captures that come with the tests."""
    pytest.importorskip("matplotlib")
    ended = fwid("lab", "evaluate", MADE, "--quick", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert "corpus made-corpus: sha256" in ended.out
    assert "numpy" in ended.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == PLOTS | {RESULTS, WORDS}

    words = (tmp_path / "out" / WORDS).read_text()
    assert f"| **{DEFAULT}** |" in words
    record: dict[str, Any] = json.loads((tmp_path / "out" / RESULTS).read_text())
    rows = {row["row"]: row for row in record["days"]["rows"]}
    assert len(rows) == 8
    for row in rows.values():
        for name in ("stable", "changed", "changed_visible"):
            count = row[name]
            assert 0 <= count["low"] <= count["hits"] / max(count["total"], 1) <= count["high"] <= 1
        # Every row is asked of the same cases and the same changes.
        assert row["stable"]["total"] == rows[DEFAULT]["stable"]["total"] > 0
        assert row["changed"]["total"] == rows[DEFAULT]["changed"]["total"] > 0
        assert row["noticed"]["told"]["total"] == record["days"]["visible"] > 0
        assert row["told_at_default"]["hits"] <= row["noticed"]["told"]["total"]
    assert rows[DEFAULT]["noticed"]["told"]["hits"] > 0
    assert {line["what"] for line in record["drift"]} == {"size", "volume"}
    assert set(record["header"]["corpora"]) == {"made-corpus"}


def test_a_folder_without_a_corpus_is_named(fwid: Fwid, tmp_path: Path) -> None:
    """One line, and the code of an input that cannot be read."""
    ended = fwid("lab", "evaluate", tmp_path)
    assert ended.code == 3
    assert str(tmp_path) in ended.err


def test_without_any_corpus_it_says_where_to_get_one(
    fwid: Fwid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing beside the checkout, nothing made."""
    monkeypatch.setattr("fwid_agent.lab.present.find_corpora", lambda: [])
    ended = fwid("lab", "evaluate")
    assert ended.code == 2
    assert "fwid lab corpus" in ended.err


def test_one_corpus_cannot_be_named_twice(fwid: Fwid) -> None:
    """Its devices would be trained on and judged at once."""
    ended = fwid("lab", "evaluate", MADE, MADE)
    assert ended.code == 2
    assert str(MADE) in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", MADE, "--rate", "0"),
        ("evaluate", MADE, "--rate", "nan"),
        ("evaluate", MADE, "--seed", "-1"),
        ("evaluate", MADE, "--learning", "1"),
        ("evaluate", MADE, "--learning", "14"),
        ("evaluate", MADE, "--simulate", "-1"),
        ("days", MADE, "--rate", "-1"),
        ("days", MADE, "--learning", "0"),
        ("days", MADE, "--simulate", "-1"),
        ("refine", MADE, "--learning", "0"),
        ("refine", MADE, "--learning", "100"),
        ("train", MADE, "--out", "/proc/nowhere"),
        ("corpus", "--days", "100000"),
    ],
)
def test_what_makes_no_sense_is_one_line(fwid: Fwid, words: tuple[object, ...]) -> None:
    """A slip of the hand is no bug of ours, and never half a result."""
    ended = fwid("lab", *words)
    assert ended.code == 2
    # An old version of rich ends what it drew by an empty line.
    assert len(ended.err.strip().splitlines()) == 1
    assert "this is a bug" not in ended.err


def test_a_family_that_is_not_there_is_named(fwid: Fwid, tmp_path: Path) -> None:
    """With those that are."""
    ended = fwid("lab", "train", MADE, "--out", tmp_path / "models", "--hold-out", "D-Link")
    assert ended.code == 2
    assert "D-Link: no such family here; there are Debian, TLS; " in ended.err
