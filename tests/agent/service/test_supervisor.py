"""The token that Home Assistant is given by its Supervisor."""

from pathlib import Path

import pytest
from fwid_agent.api.tokens import TokenStore
from fwid_agent.service.supervisor import find_supervisor, token_for_home_assistant

NOW_NS = 10**18


def give(folder: Path) -> tuple[str, TokenStore]:
    """Do what each start of the agent does."""
    tokens = TokenStore(folder / "tokens.json")
    return token_for_home_assistant(tokens, folder / "ha.token", NOW_NS), tokens


def test_it_is_the_same_at_each_start(tmp_path: Path) -> None:
    """A changed one would be news to Home Assistant each time."""
    first, tokens = give(tmp_path)
    second, again = give(tmp_path)
    assert second == first
    assert again.verify(first, NOW_NS) is not None
    assert len(tokens.tokens()) == len(again.tokens()) == 1


def test_a_revoked_one_is_not_given_again(tmp_path: Path) -> None:
    """Whoever revoked it meant it."""
    first, tokens = give(tmp_path)
    tokens.revoke(tokens.tokens()[0].id)
    second, tokens = give(tmp_path)
    assert second != first
    assert tokens.verify(first, NOW_NS) is None


@pytest.mark.parametrize("damage", [None, b"", b"\xff\xfe", b"another"])
def test_one_that_nobody_knows_any_more_does_not_stay(tmp_path: Path, damage: bytes | None) -> None:
    """However often the file is lost, there is one token, and others are left alone."""
    _, tokens = give(tmp_path)
    tokens.add("a phone", NOW_NS)
    path = tmp_path / "ha.token"
    path.unlink() if damage is None else path.write_bytes(damage)
    second, tokens = give(tmp_path)
    assert tokens.verify(second, NOW_NS) is not None
    assert sorted(token.name for token in tokens.tokens()) == [
        "Home Assistant, by its Supervisor",
        "a phone",
    ]


def test_its_file_is_the_agents_alone(tmp_path: Path) -> None:
    """It is kept in plain."""
    give(tmp_path)
    assert (tmp_path / "ha.token").stat().st_mode & 0o777 == 0o600


def test_the_supervisors_own_token_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a log that prints what it has."""
    monkeypatch.setenv("SUPERVISOR_TOKEN", "very secret")
    assert "secret" not in repr(find_supervisor())
    monkeypatch.delenv("SUPERVISOR_TOKEN")
    assert find_supervisor() is None
