"""Whatever is wrong with the file ends in one line that names it, and never costs what it held."""

import os
import random
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fwid_agent.errors import StoreError
from fwid_agent.store import DeviceRow, Progress, SessionProgress, Store, database
from fwid_agent.store.migrations import MIGRATIONS, Migration

from tests.made_tables import DAY_NS, HOUR_NS, assert_same, make_table

MAC = 0xB0C554000001


def progress(hours: range, seed: int = 1) -> Progress:
    return Progress(
        session=SessionProgress("fingerprint", "day1.pcap", hours.stop),
        windows={MAC: make_table(seed, [hour * HOUR_NS for hour in hours])},
        devices=[DeviceRow(MAC, 0, 1, 1, 1, 1)],
    )


def read_everything(store: Store) -> None:
    for device in store.devices():
        store.windows(device.device)
        store.units(device.device, DAY_NS)
        store.verdicts(device.device)
        store.labels(device.device)
    store.events()
    store.states()


@contextmanager
def one_line(path: Path, *words: str) -> Iterator[None]:
    with pytest.raises(StoreError) as caught:
        yield
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


# --- opening -------------------------------------------------------------------------------------


def test_a_new_store_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """It says who is at home when; also in a folder that others may look into."""
    tmp_path.chmod(0o755)
    with Store.open(tmp_path / "home.db") as store:
        store.commit_progress(progress(range(3)))
        made = sorted(tmp_path.iterdir())
        assert [path.name for path in made] == ["home.db", "home.db-shm", "home.db-wal"]
        assert [path.stat().st_mode & 0o777 for path in made] == [0o600] * 3


def test_a_missing_store_is_made_only_when_asked(path: Path) -> None:
    """Looking at a store makes none."""
    with one_line(path, "no store"):
        Store.open(path, create=False)
    assert not path.exists()


def test_folders_are_made_as_needed(tmp_path: Path) -> None:
    """The default store lies in a folder that nobody has made yet."""
    with Store.open(tmp_path / "state" / "fwid" / "fwid.db") as store:
        assert store.devices() == ()


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    """The line names the file and both versions."""
    Store.open(path).close()
    newer = len(MIGRATIONS) + 1
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()
    before = path.read_bytes()
    with one_line(path, f"version {newer}", f"up to {len(MIGRATIONS)}"):
        Store.open(path)
    assert path.read_bytes() == before


def write_text(path: Path) -> None:
    path.write_text("not a database " * 100)


def write_other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()


@pytest.mark.parametrize("write", [write_text, write_other_database])
def test_another_file_is_refused_and_left_alone(path: Path, write: Callable[[Path], None]) -> None:
    """Neither a text nor another program's database becomes a store."""
    write(path)
    before = path.read_bytes()
    with one_line(path, "not a fwid store"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """Nor is a file a folder."""
    with one_line(tmp_path, "cannot be opened"):
        Store.open(tmp_path)
    (tmp_path / "file").touch()
    with one_line(tmp_path / "file" / "fwid.db"):
        Store.open(tmp_path / "file" / "fwid.db")


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of someone else, with the rights of nobody in particular (root may do all)."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        if os.getuid() == 0:
            os.seteuid(0)
        Path(name).chmod(0o755)


def test_a_store_without_the_right_to_write(as_nobody: Path) -> None:
    """It is said, when opening or at the first commit."""
    path = as_nobody / "fwid.db"
    Store.open(path).close()
    path.chmod(0o444)
    as_nobody.chmod(0o555)
    if os.getuid() == 0:
        os.seteuid(65534)
    with one_line(path, "right"), Store.open(path) as store:
        store.commit_progress(progress(range(1)))


@pytest.mark.parametrize("writer", [False, True], ids=["alone", "beside a writer"])
def test_a_store_that_may_only_be_read(as_nobody: Path, writer: bool) -> None:
    """It tells what is in it, refuses to be changed in one line, and nothing is left beside it."""
    path = as_nobody / "fwid.db"
    store = Store.open(path)
    store.commit_progress(progress(range(2)))
    known = store.devices()
    if not writer:
        store.close()
    for file in as_nobody.iterdir():
        file.chmod(0o444)
    as_nobody.chmod(0o555)
    files = sorted(as_nobody.iterdir())
    if os.getuid() == 0:
        os.seteuid(65534)
    with Store.open(path, create=False) as opened:
        assert known
        assert opened.devices() == known
        with one_line(path, "read-only"):
            opened.label(known[0].device, 1, "1.0")
    assert sorted(as_nobody.iterdir()) == files
    store.close()


def test_a_store_that_another_program_writes_to(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some patience it is said; afterwards the store works as before."""
    monkeypatch.setattr(database, "_BUSY_S", 0.01)
    with Store.open(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with one_line(path, "another program"):
            store.commit_progress(progress(range(1)))
        other.execute("ROLLBACK")
        other.close()
        store.commit_progress(progress(range(1)))
        assert len(store.windows(MAC)) == 1


# --- migrations ----------------------------------------------------------------------------------


def test_an_older_store_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds is kept, and each migration is done once."""
    with Store.open(path) as store:
        store.commit_progress(progress(range(3)))
        before = store.windows(MAC)
    added = Migration("add notes", ("ALTER TABLE devices ADD COLUMN note TEXT",))
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, added))
    for _ in range(2):
        with Store.open(path) as store:
            assert_same(store.windows(MAC), before)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a migration is none: the store stays at its version."""
    with Store.open(path) as store:
        store.commit_progress(progress(range(3)))
    wrong = Migration("wrong", ("CREATE TABLE half (x)", "no SQL"))
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", (*MIGRATIONS, wrong))
        with one_line(path):
            Store.open(path)
    with Store.open(path) as store:
        assert len(store.windows(MAC)) == 3
    tables = sqlite3.connect(path).execute("SELECT name FROM sqlite_schema").fetchall()
    assert ("half",) not in tables


# --- disks ---------------------------------------------------------------------------------------


def commit_hours(store: Store, stored: list[int]) -> None:
    for hour in range(10_000):
        store.commit_progress(progress(range(hour, hour + 1)))
        stored.append(hour)


def fill(store: Store) -> int:
    """Commit hour after hour until the disk is full; gives how many were stored."""
    stored: list[int] = []
    with pytest.raises(StoreError, match="disk is full"):
        commit_hours(store, stored)
    return len(stored)


def test_a_full_disk_keeps_what_was_stored(path: Path) -> None:
    """The commit that does not fit is undone as a whole, and with room it can be repeated."""
    with Store.open(path) as store:
        store._connection.execute("PRAGMA max_page_count = 60")
        stored = fill(store)
        assert stored > 0
        assert len(store.windows(MAC)) == stored
        assert store.session("fingerprint") == SessionProgress("fingerprint", "day1.pcap", stored)
        store._connection.execute("PRAGMA max_page_count = 1000")
        store.commit_progress(progress(range(stored, stored + 1)))
    with Store.open(path, create=False) as store:
        assert len(store.windows(MAC)) == stored + 1


def test_a_real_full_disk_keeps_what_was_stored(tmp_path: Path) -> None:
    """The same on a file system of one megabyte, where write-ahead log and file compete."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        with Store.open(tmp_path / "fwid.db") as store:
            stored = fill(store)
            assert stored > 0
            assert len(store.windows(MAC)) == stored
        with Store.open(tmp_path / "fwid.db", create=False) as store:
            assert len(store.windows(MAC)) == stored
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_never_ends_in_another_error(path: Path, seed: int) -> None:
    """Bytes overwritten anywhere: either it can be read, or one line says what is wrong."""
    with Store.open(path) as store:
        store.commit_progress(progress(range(20)))
    data = bytearray(path.read_bytes())
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 20, 400])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    try:
        with Store.open(path, create=False) as store:
            read_everything(store)
            store.commit_progress(progress(range(20)))
    except StoreError as error:
        message = str(error)
    else:
        message = f"{path}: as good as new"
    assert message.startswith(f"{path}: ")


@pytest.mark.parametrize("body", [b"", b"\x01", b"\x02anything", b"\x01not compressed"])
def test_a_damaged_window_is_said(path: Path, body: bytes) -> None:
    """A body of no known layout is an error, not an empty window."""
    with Store.open(path) as store:
        store.commit_progress(progress(range(2)))
        store._connection.execute("UPDATE windows SET body = ?", (body,))
        with one_line(path, "damaged"):
            store.windows(MAC)
        with one_line(path, "damaged"):
            store.commit_progress(progress(range(2)))
