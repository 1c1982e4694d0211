"""Puts what `fwid lab evaluate --out FOLDER` wrote into the documentation."""

import shutil
import sys
from pathlib import Path

BEGIN, END = "<!-- tables of fwid lab evaluate: begin -->", "<!-- end -->"


def renew_page(page: str, tables: str) -> str:
    """Return the page with these tables between its marks; raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}"


def renew(results: Path, docs: Path) -> None:
    """Renew the page and its pictures."""
    page = docs / "results.md"
    tables = (results / "tables.md").read_text("utf-8")
    page.write_text(renew_page(page.read_text("utf-8"), tables), "utf-8")
    for picture in results.glob("*.png"):
        shutil.copy(picture, docs / "images" / f"bench-{picture.name}")


if __name__ == "__main__":
    renew(Path(sys.argv[1]), Path(sys.argv[2]))
