"""The login of a FRITZ!Box: AVM's own examples, and answers that are none."""

import hashlib

import pytest
from fwid_agent.capture.fritzbox_login import NO_SESSION, SessionInfo, answer, read_session
from fwid_agent.errors import CaptureError
from hypothesis import given
from hypothesis import strategies as st

ANSWER = (
    '<?xml version="1.0" encoding="utf-8"?><SessionInfo><SID>0000000000000000</SID>'
    "<Challenge>2$60000$aa11$6000$bb22</Challenge><BlockTime>16</BlockTime><Rights></Rights>"
    '<Users><User>guest</User><User last="1">fritz &amp; co</User></Users></SessionInfo>'
)


@pytest.mark.parametrize(
    ("challenge", "password", "expected"),
    [
        (
            "2$10000$5A1711$2000$5A1722",
            "1example!",
            "5A1722$1798a1672bca7c6463d6b245f82b53703b0f50813401b03e4045a5861e689adb",
        ),
        ("1234567z", "äbc", "1234567z-9e224a41eeefa284df7bb0f26c2913e2"),
    ],
)
def test_answers_are_those_of_the_published_examples(
    challenge: str, password: str, expected: str
) -> None:
    """Both kinds of challenge, with the examples of AVM's technical note."""
    assert answer(challenge, password) == expected


def test_letters_beyond_latin_are_points_in_the_old_answer() -> None:
    """As the note asks for; the new answer takes every letter."""
    assert answer("abc", "pass€") == answer("abc", "pass.")
    assert answer("2$1$aa$1$bb", "pass€") != answer("2$1$aa$1$bb", "pass.")


def test_a_session_is_read() -> None:
    """Every field of a real answer's form; names are taken out of their XML."""
    expected = SessionInfo(NO_SESSION, "2$60000$aa11$6000$bb22", 16, "fritz & co")
    assert read_session(ANSWER) == expected
    assert read_session("<SID>0123456789abcdef</SID>") == SessionInfo("0123456789abcdef", "", 0, "")


@given(st.text(max_size=200))
def test_what_is_no_answer_is_one_line(text: str) -> None:
    """Another web server at that address, or a broken one."""
    with pytest.raises(CaptureError, match="like no FRITZ!Box"):
        read_session(text)


@given(st.text(max_size=80))
def test_no_challenge_breaks_it(challenge: str) -> None:
    """There is an answer that does not hold the password, or one line."""
    try:
        made = answer(challenge, "secret")
    except CaptureError as error:
        made = str(error)
    assert "secret" not in made
    assert "\n" not in made


@pytest.mark.parametrize("rounds", ["0", "1000001", "9999999"])
def test_an_endless_login_is_refused(rounds: str) -> None:
    """Whoever stands in for the box cannot keep this machine busy."""
    with pytest.raises(CaptureError, match="rounds"):
        answer(f"2${rounds}$aa$1000$bb", "secret")


@given(st.binary(min_size=1, max_size=20), st.binary(min_size=1, max_size=20), st.text(max_size=20))
def test_two_rounds_of_key_derivation(first: bytes, second: bytes, password: str) -> None:
    """The box computes the same of what it knows."""
    try:
        secret = password.encode()
    except UnicodeEncodeError:
        return
    made = answer(f"2$3${first.hex()}$2${second.hex()}", password)
    once = hashlib.pbkdf2_hmac("sha256", secret, first, 3)
    assert made == f"{second.hex()}${hashlib.pbkdf2_hmac('sha256', once, second, 2).hex()}"
