"""What root makes for somebody is where they look for it, and theirs."""

import os
import pwd
from pathlib import Path

import pytest
from fwid_agent.lab.corpus.place import cache_folder, hand_over, make_folder, stacks_folder

_DAEMON = pwd.getpwnam("daemon")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root with a home, and no other word on where caches are."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SUDO_UID", raising=False)


@pytest.mark.usefixtures("root")
def test_a_corpus_goes_to_who_called_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They judge it without sudo; what root runs stays where they cannot write."""
    stacks = stacks_folder()
    assert cache_folder() == stacks.parent == tmp_path / ".cache/fwid/corpus"
    monkeypatch.setenv("SUDO_UID", str(_DAEMON.pw_uid))
    assert cache_folder() == Path(_DAEMON.pw_dir) / ".cache/fwid/corpus"
    assert stacks_folder() == stacks
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cache_folder() == tmp_path / ".cache/fwid/corpus"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("number", ["", "0", "x", "4000000001", "99999999999999"])
def test_nobody_called(number: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root alone keeps all for itself."""
    monkeypatch.setenv("SUDO_UID", number)
    assert cache_folder() == tmp_path / ".cache/fwid/corpus"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_what_is_new_is_given_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A link that somebody laid gives nothing away."""
    monkeypatch.setenv("SUDO_UID", str(_DAEMON.pw_uid))
    secret, link = tmp_path / "secret", tmp_path / "link"
    secret.touch()
    link.symlink_to(secret)
    make_folder(tmp_path / "one/two")
    hand_over([link, tmp_path / "nothing"])
    owners = {path.name: path.lstat().st_uid for path in tmp_path.rglob("*")}
    daemon = _DAEMON.pw_uid
    assert owners == {"one": daemon, "two": daemon, "link": daemon, "secret": 0}
    assert tmp_path.stat().st_uid == 0
