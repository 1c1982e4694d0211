"""Whom root becomes: somebody who can do it, and never root where there is anybody else."""

import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fwid_agent.service.caller import choose_user, find_caller

_NOBODY, _DAEMON = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
_PYTHON = Path("/usr/bin/python3")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not _PYTHON.exists(), reason="needs root, and a Python for everybody"
)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter, with a program that everybody may read."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    (made / "fwid_agent.py").touch()
    monkeypatch.setattr(sys, "executable", str(_PYTHON))
    monkeypatch.setenv("PYTHONPATH", str(made))
    yield made
    shutil.rmtree(made)


def test_who_called_sudo_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a user whom there is, who is not root, and who can read the program."""
    monkeypatch.setenv("SUDO_UID", str(_NOBODY.pw_uid))
    assert find_caller() == _NOBODY
    for wrong in ("0", "", "nobody", "4000000001", "99999999999999"):
        monkeypatch.setenv("SUDO_UID", wrong)
        assert find_caller() is None
    monkeypatch.setenv("SUDO_UID", str(_NOBODY.pw_uid))
    folder.chmod(0o700)
    assert find_caller() is None


def test_the_store_is_used_by_whose_it_is(folder: Path) -> None:
    """The service's store does not become that of whoever called sudo."""
    store = folder / "of" / "fwid.db"
    store.parent.mkdir()
    os.chown(store.parent, _DAEMON.pw_uid, _DAEMON.pw_gid)
    assert choose_user(store, _NOBODY) == "daemon"
    store.touch()
    os.chown(store, _DAEMON.pw_uid, _DAEMON.pw_gid)
    assert choose_user(store, _NOBODY) == "daemon"


def test_a_new_store_is_the_callers(folder: Path) -> None:
    """Unless they could not reach it, or not write to a folder that is there."""
    assert choose_user(folder / "new" / "fwid.db", _NOBODY) == "nobody"
    assert choose_user(folder / "fwid.db", _NOBODY) is None
    assert choose_user(folder / "new" / "fwid.db", None) is None
    (folder / "closed").mkdir(mode=0o700)
    assert choose_user(folder / "closed" / "new" / "fwid.db", _NOBODY) is None
