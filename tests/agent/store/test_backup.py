"""Copies of a store: of one moment, whole, and never in the place of something else."""

import os
import sqlite3
from pathlib import Path

import pytest
from fwid_agent.errors import StoreError
from fwid_agent.store import DeviceRow, Progress, Store
from fwid_agent.store.backup import back_up, restore


def add(store: Store, device: int) -> None:
    row = DeviceRow(device, 1, 2, 3, 4, 5)
    store.commit_progress(Progress(devices=[row], states={device: "{}"}))


def devices(path: Path) -> list[int]:
    with Store.open(path, create=False) as store:
        return [row.device for row in store.devices()]


def test_a_copy_holds_what_was_stored_when_it_was_made(tmp_path: Path) -> None:
    """Also from a store that is open and written to afterwards; nobody else may read it."""
    path, copy = tmp_path / "home.db", tmp_path / "far" / "copy.db"
    with Store.open(path) as store:
        add(store, 1)
        back_up(path, copy)
        add(store, 2)
        agent = store.agent
    assert devices(copy) == [1]
    assert copy.stat().st_mode & 0o077 == 0
    assert sorted(one.name for one in copy.parent.iterdir()) == ["copy.db"]
    with Store.open(copy) as copied:
        assert copied.agent == agent


def test_a_restored_store_is_the_copy_and_the_old_one_is_kept(tmp_path: Path) -> None:
    """On the same machine, or one that never had a store."""
    path, copy, other = tmp_path / "home.db", tmp_path / "copy.db", tmp_path / "new" / "home.db"
    with Store.open(path) as store:
        add(store, 1)
        back_up(path, copy)
        add(store, 2)
    restore(copy, path)
    restore(copy, other)
    assert devices(path) == devices(other) == [1]
    assert devices(path.with_name("home.db.before-restore")) == [1, 2]
    assert copy.exists()


def test_what_lies_beside_a_store_goes_with_it(tmp_path: Path) -> None:
    """On a new machine the agent is the same to everybody; its store holds no key all the same."""
    old, new, copy = (
        tmp_path / "old" / "home.db",
        tmp_path / "new" / "home.db",
        tmp_path / "copy.db",
    )
    Store.open(old).close()
    key = b"-----BEGIN PRIVATE KEY-----" + bytes(range(32, 127)) * 50
    old.with_name("key.pem").write_bytes(key)
    old.with_name("diary.txt").write_text("dear diary")
    names = ("key.pem", "missing.json")
    assert back_up(old, copy, names) == ("key.pem",)
    assert copy.stat().st_mode & 0o077 == 0
    assert b"dear diary" not in copy.read_bytes()
    new.parent.mkdir()
    new.with_name("key.pem").write_bytes(b"another")
    assert restore(copy, new, names) == ("key.pem",)
    restored = new.with_name("key.pem")
    assert restored.read_bytes() == key
    assert restored.stat().st_mode & 0o077 == 0
    assert new.with_name("key.pem.before-restore").read_bytes() == b"another"
    assert b"PRIVATE KEY" not in new.read_bytes()
    with Store.open(new, create=False) as store:
        assert store.devices() == ()


def test_a_copy_cannot_put_files_where_it_likes(tmp_path: Path) -> None:
    """Whatever names a made-up copy holds: only the files of an agent are taken from it."""
    path, copy = tmp_path / "store" / "home.db", tmp_path / "copy.db"
    Store.open(copy).close()
    with sqlite3.connect(copy) as connection:
        connection.execute("CREATE TABLE carried (name TEXT PRIMARY KEY, data BLOB)")
        connection.execute("INSERT INTO carried VALUES ('../evil', 'x'), ('fwid.toml', 'x')")
    connection.close()
    assert restore(copy, path, ("key.pem",)) == ()
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["copy.db", "home.db", "store"]


def test_a_link_beside_a_store_is_not_carried(tmp_path: Path) -> None:
    """Root takes no copy of what whoever owns the folder cannot read."""
    path, secret = tmp_path / "home.db", tmp_path / "secret"
    Store.open(path).close()
    secret.write_text("of somebody else")
    path.with_name("key.pem").symlink_to(secret)
    with pytest.raises(StoreError, match="symbolic links"):
        back_up(path, tmp_path / "copy.db", ("key.pem",))
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have somebody else's files")
def test_what_root_restores_is_whose_the_store_was(tmp_path: Path) -> None:
    """The service has to open it; without a store it is the folder's. No link is followed."""
    folder, copy, secret = tmp_path / "service", tmp_path / "copy.db", tmp_path / "secret"
    folder.mkdir()
    os.chown(folder, 4321, 4322)
    path = folder / "home.db"
    Store.open(tmp_path / "first.db").close()
    back_up(tmp_path / "first.db", copy)
    secret.write_text("untouched")
    path.with_name("home.db.part").symlink_to(secret)
    restore(copy, path)
    os.chown(path, 1234, 1235)
    restore(copy, path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)
    assert path.with_name("home.db.before-restore").stat().st_uid == 1234
    path.unlink()
    restore(copy, path)
    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322)
    assert secret.read_text() == "untouched"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A copy never takes the place of a file."""
    path, copy = tmp_path / "home.db", tmp_path / "letter.txt"
    Store.open(path).close()
    copy.write_text("dear diary")
    with pytest.raises(StoreError, match="is there already"):
        back_up(path, copy)
    assert copy.read_text() == "dear diary"


@pytest.mark.parametrize("content", [b"", b"no store at all", b"SQLite format 3\0" + bytes(200)])
def test_what_is_no_copy_is_refused_and_the_store_stays(tmp_path: Path, content: bytes) -> None:
    """A wrong file costs nothing."""
    path, copy = tmp_path / "home.db", tmp_path / "copy.db"
    with Store.open(path) as store:
        add(store, 1)
    copy.write_bytes(content)
    with pytest.raises(StoreError, match=r"copy\.db: "):
        restore(copy, path)
    assert devices(path) == [1]
    assert not list(tmp_path.glob("*.part*"))


def test_a_missing_store_and_a_missing_copy_are_named(tmp_path: Path) -> None:
    """One line each."""
    with pytest.raises(StoreError, match=r"home\.db: there is no store"):
        back_up(tmp_path / "home.db", tmp_path / "copy.db")
    with pytest.raises(StoreError, match=r"copy\.db: there is no such file"):
        restore(tmp_path / "copy.db", tmp_path / "home.db")
