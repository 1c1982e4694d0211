"""How the text of arguments is read."""

import pytest
from fwid_agent.cli.compare import spread_options
from fwid_agent.cli.options import read_duration, read_mac
from fwid_agent.cli.output import plain
from fwid_agent.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("1.5H", 5400), ("1d", 86_400)]
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    """Each unit of time is read, in either case."""
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "0s", "0.5s", "1w", "1h30m", "nan", "१h"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """The error shows how to write it."""
    with pytest.raises(UsageError, match="write 90s, 15m, 1h or 1d"):
        read_duration(text)


@pytest.mark.parametrize(
    "text", ["90:8d:78:a8:e1:43", "90-8D-78-A8-E1-43", "908d.78a8.e143", "908D78A8E143"]
)
def test_an_address_is_read_in_any_notation(text: str) -> None:
    """People copy addresses from stickers, routers and switches."""
    assert read_mac(text) == 0x908D78A8E143


def test_what_is_no_address_is_refused() -> None:
    """The error names what was written."""
    with pytest.raises(UsageError, match="'90:8d'; write it as aa:bb:cc:dd:ee:ff"):
        read_mac("90:8d")


def test_options_take_captures_in_a_row() -> None:
    """`--test a b` as a shell's `*` gives it, in each way of writing an option."""
    given_ = ["--baseline", "a", "b", "--device", "m", "--test=c", "d", "-", "--json"]

    assert spread_options(given_) == [
        "--baseline", "a", "--baseline", "b", "--device", "m",
        "--test=c", "--test", "d", "--test", "-", "--json",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["--device", "m", "--json", "-h", "x"])))
def test_other_arguments_are_left_as_they_are(arguments: list[str]) -> None:
    """Nothing is read differently because captures may stand in a row."""
    assert spread_options(arguments) == arguments


@given(st.text())
def test_printed_text_is_one_line_that_steers_no_terminal(text: str) -> None:
    """A file may be named anything; escape sequences in names stay without effect."""
    assert plain(text).isprintable()
    assert len(plain(text)) == len(text)
