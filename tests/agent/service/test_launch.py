"""What `fwid run` does while it still has every right."""

import os
import pwd
from pathlib import Path

import pytest
from fwid_agent.service.launch import claim_store

_NOBODY = pwd.getpwnam("nobody")
_WHOM = (_NOBODY.pw_uid, _NOBODY.pw_gid)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")


def _owner(path: Path) -> int:
    return path.lstat().st_uid


def test_only_the_store_is_given_away(tmp_path: Path) -> None:
    """What a link beside it leads to, or has a similar name, stays whose it was."""
    store, secret = tmp_path / "fwid.db", tmp_path / "secret"
    secret.touch()
    store.touch()
    for name in ("fwid.db-wal", "fwid.db-shm", "fwid.db.sock", "fwid.db.link"):
        (tmp_path / name).symlink_to(secret)
    claim_store(store, _WHOM)
    assert _owner(store) == _WHOM[0]
    assert _owner(secret) == _owner(tmp_path) == _owner(tmp_path / "fwid.db.link") == 0


def test_every_folder_that_is_made_is_given_away(tmp_path: Path) -> None:
    """Whoever is become has to be able to remove it again; a folder that was there stays."""
    claim_store(tmp_path / "state" / "fwid" / "fwid.db", _WHOM)
    assert _owner(tmp_path / "state") == _owner(tmp_path / "state" / "fwid") == _WHOM[0]
    assert _owner(tmp_path) == 0
