"""The tables in the documentation are those of a run, put there by a program."""

from pathlib import Path

import pytest

from scripts.renew_results import BEGIN, END, renew, renew_page

PAGE = Path(__file__).parents[3] / "docs/results.md"


def test_only_what_stands_between_the_marks_is_renewed(tmp_path: Path) -> None:
    """Words around stay, and renewing twice is renewing once."""
    (tmp_path / "images").mkdir()
    (tmp_path / "results.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    (tmp_path / "tables.md").write_text("| new |\n")
    (tmp_path / "roc.png").write_bytes(b"picture")
    for _ in range(2):
        renew(tmp_path, tmp_path)
        page = (tmp_path / "results.md").read_text()
        assert page == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert (tmp_path / "images/bench-roc.png").read_bytes() == b"picture"


def test_a_page_without_marks_is_left_alone() -> None:
    """Nothing is lost silently."""
    with pytest.raises(ValueError, match="begin"):
        renew_page("no marks", "new")


def test_the_page_of_results_can_be_renewed() -> None:
    """It has the marks, once each and in order."""
    page = PAGE.read_text()
    assert page.count(BEGIN) == 1
    assert page.index(BEGIN) < page.index(END)
