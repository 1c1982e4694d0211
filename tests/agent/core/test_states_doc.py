"""docs/states.md shows the table that runs.

`python tests/agent/core/test_states_doc.py` remakes it.
"""

import re
from pathlib import Path

from fwid_agent.core.stability import TRANSITIONS
from fwid_agent.types import State

DOCUMENT = Path(__file__).parents[3] / "docs" / "states.md"
GENERATED = re.compile(r"(?<=<!-- generated: begin -->\n).*(?=<!-- generated: end -->)", re.DOTALL)


def ways() -> list[tuple[str, str, str]]:
    """Every (from, to, why), with `quiet` led back to each state that it is entered from."""
    rows = []
    for (start, trigger), to in TRANSITIONS.items():
        back = [a for (a, _), b in TRANSITIONS.items() if b is State.QUIET and a is not None]
        rows += [(start or "", end, trigger.value) for end in ([to] if to else back)]
    return rows


def state_diagram() -> str:
    """The transitions as a Mermaid state diagram and as a table."""
    arrows = [f"    {a or '[*]'} --> {b}: {why.replace('`', '')}" for a, b, why in ways()]
    rows = [f"| {a or '–'} | {b} | {why} |" for a, b, why in ways()]
    diagram = ["```mermaid", "stateDiagram-v2", *arrows, "```"]
    return "\n".join([*diagram, "", "| from | to | when |", "|---|---|---|", *rows, ""])


def test_the_document_shows_the_table_that_runs() -> None:
    """Diagram and table of docs/states.md are made from TRANSITIONS."""
    found = GENERATED.search(DOCUMENT.read_text())
    assert found is not None
    assert found.group() == state_diagram()


if __name__ == "__main__":
    DOCUMENT.write_text(GENERATED.sub(lambda _: state_diagram(), DOCUMENT.read_text()))
