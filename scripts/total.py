"""Adds up what the parts of a test run reported, and prints one line as the last word.

    python scripts/total.py [--strict] FOLDER

FOLDER holds, for each part NAME, its exit status in `NAME.status` and, if pytest ran, its JUnit
report in `NAME.xml`. A part without a report counts as one check. A test runs in several
environments and may be skipped in some of them; with `--strict`, one that is skipped in all of them
fails the run.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Part:
    """One part of the run: a linter, or pytest in one environment."""

    name: str
    status: int
    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()


def read_part(status_file: Path) -> Part:
    """Read one part's exit status and, where there is one, its JUnit report."""
    name, status = status_file.stem, int(status_file.read_text())
    report = status_file.with_suffix(".xml")
    if not report.exists():
        return Part(name, status)
    tests: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    # The report was written a moment ago by our own pytest.
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        test = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        results = {child.get("type") if child.tag == "skipped" else child.tag for child in case}
        if results & {"failure", "error"}:
            tests["failed"].add(test)
        elif "pytest.skip" in results:
            tests["skipped"].add(test)
        else:
            tests["passed"].add(test)
    return Part(name, status, **{outcome: frozenset(names) for outcome, names in tests.items()})


def skipped_everywhere(parts: Iterable[Part]) -> list[str]:
    """Give the tests (or whole modules) that no part ran."""
    parts = list(parts)
    ran = {test for part in parts for test in part.passed | part.failed}
    skipped = {test for part in parts for test in part.skipped}
    return sorted(
        test
        for test in skipped
        if test not in ran and not any(other.startswith(f"{test}.") for other in ran)
    )


def count_part(part: Part) -> tuple[int, int]:
    """Give how many tests of the part passed and failed; the part itself counts if it broke."""
    passed, failed = len(part.passed), len(part.failed)
    if part.status and not failed:
        return passed, 1
    return (1, 0) if not (passed or failed or part.skipped) else (passed, failed)


def main(arguments: list[str]) -> int:
    """Print the parts, what was skipped everywhere, and the total; 1 if anything failed."""
    strict = "--strict" in arguments
    parts = [read_part(path) for path in sorted(Path(arguments[-1]).glob("*.status"))]
    passed = failed = 0
    for part in parts:
        part_passed, part_failed = count_part(part)
        passed, failed = passed + part_passed, failed + part_failed
        print(f"{'FAILED' if part_failed else 'ok':>6}  {part.name}")
    skipped = skipped_everywhere(parts)
    for test in skipped:
        print(f"{'FAILED' if strict else '':>6}  skipped in every environment: {test}")
    if strict:
        failed, skipped = failed + len(skipped), []
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
