"""A stolen card shows no token, and a revoked one is worth nothing."""

import json
from pathlib import Path

import pytest
from fwid_agent.api.tokens import TokenStore
from fwid_agent.errors import StoreError, UsageError

DAY_NS = 86_400 * 10**9


def test_the_file_holds_no_token_and_is_for_the_agent_alone(tmp_path: Path) -> None:
    """Whoever reads the card, or another user, learns nothing that lets him in."""
    path = tmp_path / "tokens.json"
    secret = TokenStore(path).add("Home Assistant", 0)

    assert path.stat().st_mode & 0o777 == 0o600
    assert secret not in path.read_text()
    (kept,) = json.loads(path.read_text())["tokens"]
    assert kept["name"] == "Home Assistant"
    assert kept["created"] == "1970-01-01T00:00:00.000Z"
    assert len(secret) == 43  # 32 bytes


def test_a_token_lets_in_after_a_restart_and_no_other_does(tmp_path: Path) -> None:
    """Pairing is for years; what looks like a token is none."""
    path = tmp_path / "tokens.json"
    secret = TokenStore(path).add("card", 0)
    store = TokenStore(path)

    token = store.verify(secret, 0)
    assert token is not None
    assert token.name == "card"
    for wrong in ("", secret[:-1], secret + "A", secret.swapcase(), token.sha256, "\udcff", "ä"):
        assert store.verify(wrong, 0) is None


def test_the_day_of_the_last_use_is_kept_and_written_once_a_day(tmp_path: Path) -> None:
    """People see which token is dead; the card is not worn out by requests."""
    path = tmp_path / "tokens.json"
    store = TokenStore(path)
    secret = store.add("card", 0)
    store.verify(secret, DAY_NS)
    written = path.stat().st_ino
    store.verify(secret, DAY_NS + 1)

    assert path.stat().st_ino == written
    assert TokenStore(path).tokens()[0].last_used == "1970-01-02"


def test_a_revoked_token_is_told_of_and_gone_for_good(tmp_path: Path) -> None:
    """Those who hold connections learn of it before revoking is done."""
    path = tmp_path / "tokens.json"
    store = TokenStore(path)
    kept, gone = store.add("one", 0), store.add("two", 0)
    told: list[str] = []
    stop = store.on_revoked(told.append)
    first, second = store.tokens()
    store.revoke(second.id)
    stop()
    store.on_revoked(lambda _: None)

    assert told == [second.id]
    assert store.verify(gone, 0) is None
    assert TokenStore(path).verify(gone, 0) is None
    assert TokenStore(path).verify(kept, 0) is not None
    with pytest.raises(UsageError, match="no token"):
        store.revoke(second.id)
    store.revoke(first.id)
    assert told == [second.id]


def test_a_token_that_cannot_be_kept_is_not_given(tmp_path: Path) -> None:
    """A client would be let in until the next restart only, and nobody would know why."""
    store = TokenStore(tmp_path / "missing" / "tokens.json")
    with pytest.raises(StoreError, match="No such file"):
        store.add("card", 0)
    assert store.tokens() == ()


def test_a_full_disk_turns_no_client_away(tmp_path: Path) -> None:
    """That the day of the last use cannot be written is logged, and that is all."""
    folder = tmp_path / "state"
    folder.mkdir()
    store = TokenStore(folder / "tokens.json")
    secret = store.add("card", 0)
    (folder / "tokens.json").unlink()
    folder.rmdir()
    assert store.verify(secret, DAY_NS) is not None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version": 2, "tokens": []}', b"\xff"])
def test_a_file_that_is_none_of_ours_is_said_to_be_so(tmp_path: Path, data: bytes) -> None:
    """Never silently an empty list: everybody would be locked out, or a downgrade hidden."""
    path = tmp_path / "tokens.json"
    path.write_bytes(data)
    with pytest.raises(StoreError, match=str(path)):
        TokenStore(path)


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    """A restored backup may come with any mode."""
    path = tmp_path / "tokens.json"
    TokenStore(path).add("card", 0)
    path.chmod(0o644)
    TokenStore(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_there_are_never_more_tokens_than_can_be_compared(tmp_path: Path) -> None:
    """Each request is held against all of them."""
    store = TokenStore(tmp_path / "tokens.json")
    for number in range(64):
        store.add(str(number), 0)
    with pytest.raises(UsageError, match="revoke one"):
        store.add("one more", 0)
