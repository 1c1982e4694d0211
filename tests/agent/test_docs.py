"""The documents say what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is a file of the repository."""
    targets = re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
    relative = [target for target in targets if not target.startswith("http")]
    missing = [target for target in relative if not (page.parent / target).exists()]
    assert not missing


def test_the_readme_is_short() -> None:
    """Two screens at most."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 90
