"""Nobody is judged by models that saw it or its relatives."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.errors import UsageError
from fwid_agent.lab import folds, present
from fwid_agent.lab.bench_run import run_bench
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, unchanged_runs
from fwid_agent.lab.corpus.catalogue import DEVICES
from fwid_agent.lab.extract import Reading
from fwid_agent.lab.fold_run import Ask
from fwid_agent.lab.folds import make_folds, make_transfers, train_on
from fwid_agent.lab.parts import PARTS, stretch
from fwid_agent.lab.present import (
    USUALLY_HELD,
    Corpus,
    Member,
    choose_held,
    read_corpora,
    read_days,
)
from fwid_agent.types import ROWS
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.tables import TLS_SENT, table

MADE = Path(__file__).parents[2] / "data/made-corpus"


def device(name: str, versions: str = "aabb") -> LabelledDevice:
    """A day a letter."""
    windows = table([(day * DAY_NS, day + 1, {(TLS_SENT, 100): 5}) for day in range(len(versions))])
    return LabelledDevice(name, 1, windows, {n + 1: Label(v) for n, v in enumerate(versions)})


def member(corpus: str, family: str, number: int = 0) -> Member:
    """A device of a corpus."""
    made = device(f"{family} {number} ({corpus})")
    return Member(corpus, f"{family} {number}", family, made, None)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30), st.integers(2, 7))
def test_a_family_is_held_out_whole_and_once(families: list[str], count: int) -> None:
    """No family is on both sides; every device is judged once; no fold is empty."""
    members = [member("one", family, number) for number, family in enumerate(families)]
    split = make_folds(members, count)
    for fold in split:
        assert fold.held
        assert not {m.family for m in fold.held} & {m.family for m in fold.rest}
        assert len(fold.held) + len(fold.rest) == len(members)
    held = [m.device.name for fold in split for m in fold.held]
    assert sorted(held) == sorted(m.device.name for m in members)
    assert len(split) == min(count, len(set(families)))


def test_the_family_to_hold_out_is_there_and_not_alone() -> None:
    """The usual vendor, the one wanted, or few devices that can be told from one another."""
    members = [member("one", family, n) for n, family in enumerate("aabbbc")]
    assert choose_held(members, None) == "a"
    assert choose_held(members, "c") == "c"
    assert choose_held([*members, member("one", USUALLY_HELD)], None) == USUALLY_HELD
    with pytest.raises(UsageError, match="d: no such family here; there are a; b; c"):
        choose_held(members, "d")
    with pytest.raises(UsageError, match="of one family only"):
        choose_held(members[:2], None)


def test_every_made_device_has_a_family_of_several() -> None:
    """Nobody is judged by models of others that run on the same software below."""
    families = Counter(present._STACKS.get(device.name, "") for device in DEVICES)
    assert "" not in families
    assert min(families.values()) > 1


def test_both_corpora_of_a_made_device_are_one_family(tmp_path: Path) -> None:
    """Or a model would be measured on a device that it was trained on."""
    shutil.copytree(MADE, tmp_path / "twin")
    members = read_days([MADE, tmp_path / "twin"], Reading(), lambda _: None)
    families = {m.family for m in members if m.original in ("doorcam", "thermostat")}
    assert families == {"Debian, TLS"}
    assert len({m.device.name for m in members}) == len(members) == 12


def test_folds_do_not_depend_on_the_order_of_devices() -> None:
    """So that they are the same wherever the corpora lie."""
    members = [member("one", family) for family in "abcdefg"]
    sides = [
        [sorted(m.device.name for m in fold.held) for fold in make_folds(order, 3)]
        for order in (members, members[::-1])
    ]
    assert sides[0] == sides[1]


def test_a_transfer_holds_out_corpora_of_the_same_devices_together() -> None:
    """Two seeds are the same devices: one must not be trained on to judge the other."""
    members = [
        member("real", "x"),
        *(member(seed, family) for seed in ("seed-1", "seed-2") for family in "ab"),
    ]
    transfers = make_transfers(members)
    assert [
        ({m.corpus for m in each.rest}, {m.corpus for m in each.held}) for each in transfers
    ] == [({"seed-1", "seed-2"}, {"real"}), ({"real"}, {"seed-1", "seed-2"})]
    assert make_transfers(members[1:]) == []


def test_a_device_is_parted_into_its_versions_before_training() -> None:
    """Each is unchanged in itself; where a version is not known, nothing is parted."""
    parts = unchanged_runs(device("some", "aabba"))
    assert [sorted({label.version for label in p.labels.values()}) for p in parts] == [
        ["a"],
        ["b"],
        ["a"],
    ]
    assert [len(part.windows) for part in parts] == [2, 2, 1]
    assert len({part.name for part in parts}) == 3
    unknown = replace(device("some", "ab"), labels={1: Label("a"), 2: Label()})
    assert unchanged_runs(unknown) == [unknown]


def test_models_are_kept_by_what_they_were_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another device, another label or another seed is another model."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trained: list[list[str]] = []
    shipped = folds.shipped_models()

    def train(devices: list[LabelledDevice], seed: int, on_step: object) -> folds.Trained:
        trained.append([each.name for each in devices])
        return replace(shipped, seed=seed)

    monkeypatch.setattr(folds, "train", train)
    some = member("one", "a")
    relabelled = replace(some, device=device(some.device.name, "aaab"))
    assert train_on([some], 1) == train_on([some], 1) == replace(shipped, seed=1)
    assert len(trained) == 1
    for members, seed in (([some], 2), ([relabelled], 1), ([some, member("one", "b")], 1)):
        before = len(trained)
        train_on(members, seed)
        assert len(trained) == before + 1


def test_devices_of_one_family_cannot_be_judged() -> None:
    """There would be nothing to train on."""
    corpus = Corpus("one", "", (member("one", "a"),))
    with pytest.raises(UsageError, match="one family"):
        run_bench([corpus], Ask(), 1, lambda *_: None)


def test_corpora_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    """Two of one name are named by their paths, and no two devices share a name."""
    other = tmp_path / MADE.name
    other.symlink_to(MADE)
    with pytest.raises(UsageError, match="twice"):
        read_corpora([MADE, other], Reading(), lambda _: None)
    (corpus,) = read_corpora([MADE], Reading(), lambda _: None)
    assert corpus.name == "made-corpus"
    assert len({m.device.name for m in corpus.members}) == len(corpus.members)
    assert all(m.fine is None for m in corpus.members)  # nobody says how long its days are


def test_corpora_are_found_where_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the cache folder and beside the working folder; the software of a corpus is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(present, "_CHECKOUT", tmp_path / "elsewhere" / "checkout")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    made = tmp_path / "cache/fwid/corpus"
    beside = tmp_path / present.SHARED
    for folder in (made / "seed-2", made / "seed-1", beside):
        folder.mkdir(parents=True)
        (folder / "labels.csv").touch()
    (made / "stacks").mkdir()
    assert present.find_corpora() == [beside, made / "seed-1", made / "seed-2"]


def test_the_length_of_a_day_is_what_the_corpus_says(tmp_path: Path) -> None:
    """A file that says nothing of use is as good as none."""
    assert present._day_ns(tmp_path) is None
    for text, day_ns in (
        ('{"day_s": 180}', 180_000_000_000),
        ('{"day_s": "long"}', None),
        ('{"day_s": 0}', None),
        ("{", None),
        ("[]", None),
    ):
        (tmp_path / "order.json").write_text(text)
        assert present._day_ns(tmp_path) == day_ns


def test_without_http_no_such_row_is_left() -> None:
    """In the days and in their parts."""
    (corpus,) = read_corpora([MADE], Reading(), lambda _: None)
    http = [index for index, row in enumerate(ROWS) if row.protocol == "http"]
    assert any(m.device.windows.sums[:, http].any() for m in corpus.members)
    for m in present.leave_out_http(corpus).members:
        assert not m.device.windows.sums[:, http].any()
        assert not np.isin(m.device.windows.tokens["row"], http).any()


def test_a_compressed_day_is_spread_over_its_date() -> None:
    """A window a part, whatever the length of the compressed day; the last takes what is over."""
    part_ns = 45_000_000_000
    begin = 7 * DAY_NS + 6 * 3600 * 1_000_000_000
    starts = [begin + k * part_ns for k in (0, 1, 3, 4)]
    windows = table([(start, 1, {(TLS_SENT, 100): 1}) for start in starts])
    some = LabelledDevice("some", 1, windows, {1: Label("a")})
    spread = stretch(some, PARTS * part_ns).windows
    quarter = DAY_NS // PARTS
    assert spread.start_ns.tolist() == [7 * DAY_NS + k * quarter for k in (0, 1, 3, 3)]
    assert np.array_equal(spread.sums, windows.sums)
