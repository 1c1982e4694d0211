import subprocess
import sys
from pathlib import Path

import pytest

from scripts import total

SOURCE = """
import pytest

def test_passes(): pass

def test_is_skipped_unless_asked_for():
    if {skip}: pytest.skip("not here")

@pytest.mark.xfail
def test_has_a_known_fault(): assert False
"""


def report(folder: Path, name: str, source: str) -> None:
    """Leave what scripts/test leaves of one part: a real pytest's report and exit status."""
    (folder / "test_made.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    run = subprocess.run(
        [*command, "--rootdir", folder, f"--junit-xml={folder / name}.xml", folder],
        check=False,
        capture_output=True,
    )
    (folder / f"{name}.status").write_text(str(run.returncode))


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_passed_tests_and_checks_are_added_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A linter counts as one check beside the tests, and a known fault is no failure."""
    report(tmp_path, "agent", SOURCE.format(skip=False))
    (tmp_path / "ruff.status").write_text("0")

    assert total.main(["--strict", str(tmp_path)]) == 0
    assert last_line(capsys) == "4 passed, 0 failed, 0 skipped"


def test_a_test_that_runs_in_one_environment_may_be_skipped_in_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What needs a package of one environment is proved there."""
    report(tmp_path, "agent", SOURCE.format(skip=True))
    report(tmp_path, "tflite", SOURCE.format(skip=False))

    assert total.main(["--strict", str(tmp_path)]) == 0
    assert last_line(capsys) == "5 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(
    ("options", "status", "line"),
    [
        ([], 0, "2 passed, 0 failed, 1 skipped"),
        (["--strict"], 1, "2 passed, 1 failed, 0 skipped"),
    ],
)
def test_a_test_that_runs_nowhere_fails_a_strict_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    status: int,
    line: str,
) -> None:
    """Nothing is taken for proved that never ran."""
    report(tmp_path, "agent", SOURCE.format(skip=True))

    assert total.main([*options, str(tmp_path)]) == status
    assert last_line(capsys) == line


def test_a_module_that_is_skipped_as_a_whole_counts_as_not_run(tmp_path: Path) -> None:
    """importorskip at the top of a file hides all its tests; that is no way around the rule."""
    report(tmp_path, "agent", "import pytest\npytest.importorskip('no_such_package')\n")

    assert total.main(["--strict", str(tmp_path)]) == 1


@pytest.mark.parametrize(
    "source", ["def test_fails(): assert False", "not python", "", "import no_such_package"]
)
def test_a_part_that_fails_or_runs_no_test_fails_the_run(tmp_path: Path, source: str) -> None:
    """A broken part can never look green, whatever it counted."""
    report(tmp_path, "agent", source)

    assert total.main([str(tmp_path)]) == 1


def test_a_check_that_fails_without_a_report_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A linter, or an environment that could not be made, has no report."""
    (tmp_path / "ruff.status").write_text("1")

    assert total.main([str(tmp_path)]) == 1
    assert last_line(capsys) == "0 passed, 1 failed, 0 skipped"
