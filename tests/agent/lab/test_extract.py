"""Windows are the same wherever they are made, and what is kept of them is never out of date."""

import os
import shutil
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.lab import extract, feature_cache
from fwid_agent.lab.cases import LabelledDevice
from fwid_agent.lab.corpora import corpus_digest, load_corpus
from fwid_agent.lab.extract import HOUR_NS, Reading, Task
from fwid_agent.types import UnitTable

MADE = Path(__file__).parents[2] / "data/made-corpus"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two devices of the shipped corpus, four days each, in a folder that may be written to."""
    folder = tmp_path / "corpus"
    lines = (MADE / "labels.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines[1:] if line.split(",")[0] in ("bulb", "thermostat")]
    kept = [line for line in kept if line.split(",")[1] <= "2026-01-08"]
    for line in kept:
        device, file = line.split(",")[:2]
        (folder / device).mkdir(parents=True, exist_ok=True)
        shutil.copy(MADE / device / file, folder / device / file)
    (folder / "labels.csv").write_text(lines[0] + "".join(kept))
    return folder


def equal(one: UnitTable, other: UnitTable) -> bool:
    """Whether every column is the same to the last bit."""
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(UnitTable)
    )


def assert_same(some: list[LabelledDevice], others: list[LabelledDevice]) -> None:
    """The same devices, labels and windows."""
    assert [(d.name, d.mac, d.labels) for d in some] == [(d.name, d.mac, d.labels) for d in others]
    assert all(equal(a.windows, b.windows) for a, b in zip(some, others, strict=True))


def test_what_was_kept_is_what_would_be_read(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time no capture is opened, and nothing differs."""
    fresh = load_corpus(corpus, lambda _: None, Reading(cached=False))
    assert not feature_cache.feature_folder().exists()
    first = load_corpus(corpus, lambda _: None)
    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(extract, "read_windows", None)
        again = load_corpus(corpus, told.append)
    assert told == ["bulb", "thermostat"]
    assert_same(fresh, first)
    assert_same(fresh, again)


def test_labels_are_never_kept(corpus: Path) -> None:
    """They are what people correct."""
    load_corpus(corpus, lambda _: None)
    labels = corpus / "labels.csv"
    labels.write_text(labels.read_text().replace("coap 0.26.0", "coap 9"))
    bulb = load_corpus(corpus, lambda _: None)[0]
    assert {label.version for label in bulb.labels.values()} == {"coap 9"}


def test_a_capture_that_changed_is_read_again(corpus: Path) -> None:
    """Its name and time do not matter, its bytes do; and the corpus's own digest says so."""
    before, digest = load_corpus(corpus, lambda _: None), corpus_digest(corpus)
    shutil.copy(corpus / "bulb/2026-01-05.pcap.zst", corpus / "bulb/2026-01-06.pcap.zst")
    after = load_corpus(corpus, lambda _: None)
    assert not equal(before[0].windows, after[0].windows)
    assert equal(before[1].windows, after[1].windows)
    assert corpus_digest(corpus) != digest


def test_the_key_tells_every_way_of_reading_apart(corpus: Path) -> None:
    """Window length, handshakes, device and captures."""
    paths = tuple(str(path) for path in sorted((corpus / "bulb").iterdir()))
    tasks = [
        Task("bulb", 1, paths, HOUR_NS, handshakes=False),
        Task("bulb", 2, paths, HOUR_NS, handshakes=False),
        Task("bulb", 1, paths, HOUR_NS // 2, handshakes=False),
        Task("bulb", 1, paths, HOUR_NS, handshakes=True),
        Task("bulb", 1, paths[1:], HOUR_NS, handshakes=False),
    ]
    assert len({feature_cache.key_of(task) for task in tasks}) == len(tasks)
    renamed = Task("other", 1, paths, HOUR_NS, handshakes=False)
    assert feature_cache.key_of(renamed) == feature_cache.key_of(tasks[0])


def test_the_code_that_reads_is_part_of_the_key() -> None:
    """All that reading imports, however far; what judges is not, so it may change freely."""
    imported: set[str] = set()
    ahead = ["fwid_agent.lab.extract"]
    while ahead:
        path = feature_cache._path_of(ahead[-1])
        name = ahead.pop()
        if path is not None and name not in imported:
            imported.add(name)
            ahead += feature_cache._imports(path)
    assert {f"fwid_agent.core.{name}" for name in ("packets", "flows", "tokens")} <= imported
    assert {"fwid_agent.capture.pcap", "fwid_agent.types", "fwid_agent.tables"} <= imported
    assert "fwid_agent.core.watch" not in imported


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", None])
def test_damaged_or_lost_features_are_made_again(corpus: Path, damage: bytes | None) -> None:
    """A cache is no place to lose a day over."""
    first = load_corpus(corpus, lambda _: None)
    for file in feature_cache.feature_folder().iterdir():
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage)
    assert_same(first, load_corpus(corpus, lambda _: None))


def test_a_cache_that_cannot_be_written_is_done_without(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where its folder would be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(corpus / "labels.csv"))
    assert [device.name for device in load_corpus(corpus, lambda _: None)] == ["bulb", "thermostat"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("bulb,2026-01-05.pcap.zst", "bulb,", "capture 1: has no file"),
        ("bulb,2026-01-05.pcap.zst", "bulb", "capture 1: .*"),
        ("bulb,2026-01-05.pcap.zst", "bulb,/dev/zero", "capture 1: '/dev/zero' is not in this"),
        ("bulb,2026-01-05.pcap.zst", "..,../x", "capture 1: '..' is not in this folder"),
        ("bulb,2026-01-06.pcap.zst", "bulb,2026-01-05.pcap.zst", "capture 2: .* is named before"),
        ("bulb,2026-01-05.pcap.zst,00", "bulb,2026-01-05.pcap.zst,zz", "capture 1: not a MAC"),
        ("bulb,2026-01-06.pcap.zst,00", "bulb,2026-01-06.pcap.zst,02", "capture 2: bulb has anoth"),
        ("device,file,mac", "device,file,max", "lacks the column mac"),
        ("coap 0.26.0", "coap \xff", "is no table of text"),
    ],
)
def test_labels_that_make_no_sense_are_named(
    corpus: Path, was: str, becomes: str, told: str
) -> None:
    """They are somebody else's: nothing outside the folder is opened, nothing counted twice."""
    labels = corpus / "labels.csv"
    assert was in labels.read_text()
    labels.write_bytes(labels.read_text().replace(was, becomes, 1).encode("latin-1"))
    with pytest.raises(UnreadableInputError, match=rf"labels\.csv: {told}"):
        load_corpus(corpus, lambda _: None)


def test_no_labels_at_all_are_named(corpus: Path) -> None:
    """A corpus of nothing has no results."""
    labels = corpus / "labels.csv"
    labels.write_text(labels.read_text().splitlines()[0] + "\n")
    with pytest.raises(UnreadableInputError, match="names no capture"):
        load_corpus(corpus, lambda _: None)


def test_a_pipe_is_not_waited_for(corpus: Path) -> None:
    """Nobody may ever write to it."""
    capture = corpus / "bulb/2026-01-05.pcap.zst"
    capture.unlink()
    os.mkfifo(capture)
    with pytest.raises(UnreadableInputError, match="is no file"):
        load_corpus(corpus, lambda _: None)


def test_a_missing_or_broken_capture_is_named(corpus: Path) -> None:
    """One line, with the file."""
    file = corpus / "bulb/2026-01-06.pcap.zst"
    file.write_bytes(b"no capture")
    with pytest.raises(UnreadableInputError, match="2026-01-06"):
        load_corpus(corpus, lambda _: None)
    file.unlink()
    for ask in (lambda: load_corpus(corpus, lambda _: None), lambda: corpus_digest(corpus)):
        with pytest.raises(UnreadableInputError, match="2026-01-06"):
            ask()


@pytest.mark.lab
@pytest.mark.slow
def test_dask_reads_what_this_process_reads(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By local processes, on a cluster that is there already, and with its errors."""
    distributed = pytest.importorskip("distributed")
    here = load_corpus(corpus, lambda _: None, Reading(cached=False))
    with monkeypatch.context() as patch:
        patch.setattr(extract, "SMALL_BYTES", 0)
        patch.setattr("os.cpu_count", lambda: 2)
        told: list[str] = []
        assert_same(here, load_corpus(corpus, told.append, Reading(cached=False)))
        assert told == ["bulb", "thermostat"]
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True
    )
    with cluster:
        there = Reading(cached=False, cluster=cluster.scheduler_address)
        assert_same(here, load_corpus(corpus, lambda _: None, there))
        (corpus / "bulb/2026-01-06.pcap.zst").write_bytes(b"no capture")
        with pytest.raises(UnreadableInputError, match="2026-01-06"):
            load_corpus(corpus, lambda _: None, there)


@pytest.mark.lab
def test_a_cluster_that_is_not_there_is_named(corpus: Path) -> None:
    """Nothing listens on that port, which is not waited for long."""
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(UsageError, match=r"127\.0\.0\.1:1"),
    ):
        load_corpus(corpus, lambda _: None, Reading(cached=False, cluster="tcp://127.0.0.1:1"))


def test_without_dask_a_corpus_is_read_here_and_a_cluster_is_refused(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named where it is needed."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(extract, "find_spec", lambda name: None)
    monkeypatch.setattr(extract, "SMALL_BYTES", 0)
    assert len(load_corpus(corpus, lambda _: None, Reading(cached=False))) == 2
    with pytest.raises(UsageError, match=r"fwid-agent\[lab\]"):
        load_corpus(corpus, lambda _: None, Reading(cached=False, cluster="tcp://127.0.0.1:1"))
