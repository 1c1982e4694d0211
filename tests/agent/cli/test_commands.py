"""Every command from its arguments to what it prints, on real captures."""

import os
import re
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from fwid_agent.store import Store

from tests.agent.cli.conftest import CAPTURES, SENSOR, Fwid

MAC = 0x908D78A8E143


def test_replay_prints_verdicts_and_at_last_a_summary(
    fwid: Fwid, sensor_captures: list[Path]
) -> None:
    """The documented keys, one object a line, nothing else on standard output."""
    ended = fwid("replay", *sensor_captures, "--json")
    *verdicts, summary = ended.records()

    assert ended.code == 0
    assert verdicts
    for verdict in verdicts:
        assert verdict["type"] == "verdict"
        assert {"time", "device", "state", "version", "g", "reasons"} <= verdict.keys()
    assert summary["type"] == "summary"
    assert {"packets", "bytes", "undecoded", "flows", "devices", "seconds"} <= summary.keys()
    assert SENSOR in [device["mac"] for device in summary["devices"]]
    for device in summary["devices"]:
        keys = {"mac", "packets_sent", "packets_received", "bytes", "windows", "state"}
        assert keys <= device.keys()


def test_replay_without_a_store_keeps_nothing(
    fwid: Fwid, sensor_captures: list[Path], tmp_path: Path
) -> None:
    """Not even in the user's own folders."""
    fwid("replay", sensor_captures[0])

    assert list(tmp_path.rglob("*.db")) == []


def test_people_read_a_table(fwid: Fwid, sensor_captures: list[Path]) -> None:
    """Numbers have separators, lines are whole although nobody's terminal is that wide."""
    ended = fwid("replay", *sensor_captures)

    assert ended.err == ""
    assert "packets/s" in ended.out
    assert "…" not in ended.out
    assert "\x1b" not in ended.out


def test_a_capture_that_breaks_off_counts_up_to_there(
    fwid: Fwid, sensor_captures: list[Path], tmp_path: Path
) -> None:
    """What was read is summed up first; then one line names file and place, and the code is 3."""
    import zstandard

    packed = sensor_captures[0].read_bytes()
    whole = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:-5])

    ended = fwid("replay", cut, "--json")
    summary = ended.records()[-1]

    assert ended.code == 3
    assert summary["type"] == "summary"
    assert summary["packets"] > 0
    assert ended.err.startswith(f"fwid: {cut}: byte ")
    assert ended.err.count("\n") == 1


def test_compare_answers_with_the_documented_keys(fwid: Fwid, sensor_captures: list[Path]) -> None:
    """The laboratory question as a program asks it."""
    first, second = sensor_captures[:2], sensor_captures[2:]
    ended = fwid(
        "compare", "--device", "908d.78a8.e143", "--baseline", *first, "--test", *second,
        "--unit", "file", "--json",
    )  # fmt: skip
    (answer,) = ended.records()

    assert ended.code == 0
    assert answer["device"] == SENSOR
    assert answer["verdict"] in ("stable", "changed", "different", "insufficient")
    assert (answer["units_baseline"], answer["units_test"]) == (len(first), len(second))
    assert {
        "g", "g_low", "g_high", "similarity_baseline", "similarity_test", "cause", "reasons"
    } <= answer.keys()  # fmt: skip


def test_compare_says_what_is_missing(fwid: Fwid, sensor_captures: list[Path]) -> None:
    """One date of baseline is too little, and a person is told so."""
    first, second = sensor_captures[0], sensor_captures[1]
    ended = fwid("compare", "--device", SENSOR, "--baseline", first, "--test", second)

    assert ended.code == 0
    assert "insufficient: too little to say" in ended.out
    assert "missing: " in ended.out


def test_devices_and_show_tell_what_the_store_knows(fwid: Fwid, store: Path) -> None:
    """The list and the single device agree."""
    listed = fwid("devices", "--store", store, "--json").records()
    (shown,) = fwid("show", SENSOR, "--store", store, "--json").records()
    (same,) = [record for record in listed if record["device"] == SENSOR]

    assert same == {key: value for key, value in shown.items() if key in same}
    assert len(shown["verdicts"]) == 5
    reasoned = [verdict for verdict in shown["verdicts"] if verdict["reasons"]]
    assert reasoned
    assert all(verdict["units_baseline"] and verdict["units_test"] for verdict in reasoned)
    assert next(event["type"] for event in shown["events"]) == "new_device"
    assert SENSOR in fwid("devices", "--store", store).out
    assert "5 units judged" in fwid("show", SENSOR, "--store", store).out


def test_a_version_can_be_named(fwid: Fwid, store: Path) -> None:
    """The name shows wherever the number did; brackets in it are text."""
    ended = fwid("label", SENSOR, "[bold]1.1.0[/nonsense]", "--store", store)
    listed = fwid("devices", "--store", store).out

    assert ended.code == 0
    assert "[bold]1.1.0[/nonsense]" in listed
    (shown,) = fwid("show", SENSOR, "--store", store, "--json").records()
    assert shown["label"] == "[bold]1.1.0[/nonsense]"


def test_a_version_that_never_was_cannot_be_named(fwid: Fwid, store: Path) -> None:
    """A slip of the finger must not invent versions."""
    ended = fwid("label", SENSOR, "9.9", "--number", 7, "--store", store)

    assert ended.code == 2
    assert "has no version 7" in ended.err


def test_relearn_and_accept_steer_the_device(fwid: Fwid, store: Path) -> None:
    """Relearning starts anew; accepting where nothing changed leaves the state as it is."""
    (relearnt,) = fwid("relearn", SENSOR, "--store", store, "--json").records()
    (accepted,) = fwid("accept", SENSOR, "--store", store, "--json").records()
    with Store.open(store, create=False) as opened:
        assert opened.verdicts(MAC)  # what was decided stays known

    assert relearnt["state"] == accepted["state"] == "learning"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replay", "no-such-file"], 3, "no-such-file: no such file"),
        (["replay", "x", "--unit", "week"], 2, "'--unit': 'week' is not one of 'day', 'file'"),
        (["replay", "x", "--window", "1w"], 2, "'1w' is no duration"),
        (
            ["replay", "x", "--window", "7m"],
            2,
            "--window 7m: a day of 86400 s is no multiple of it",
        ),
        (["replay", "x", "--store", ""], 2, "--store: names no file"),
        (["devices", "--store", ""], 2, "--store: names no file"),
        (["replay", "x", "--store", "no/x.db"], 4, "no/x.db: there is no folder no; make it first"),
        (["replay", "x", "--speed", "0"], 2, "'0' is no speed"),
        (["replay", "x", "--speed", "1e300"], 2, "'1e300' is no speed"),
        (["replay", "x", "--test", "y"], 2, "No such option: --test"),
        (["replay", "x", "--config", "no.toml"], 2, "no.toml: No such file"),
        (["compare", "--device", "12", "--baseline", "a", "--test", "b"], 2, "not a MAC address"),
        (["compare", "--device", SENSOR, "--baseline", "a"], 2, "Missing option '--test'"),
        (["devices"], 4, "there is no store"),
        (["show", SENSOR, "--store", CAPTURES / "labels.csv"], 4, "not a fwid store"),
        (["report", "x.html", "--store", "no.db"], 4, "no.db: there is no store"),
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["lab", "nonsense"], 2, "No such command 'nonsense'; `fwid lab --help` says"),
        (["--nonsense"], 2, "No such option: --nonsense; `fwid --help` says"),
    ],
)
def test_an_error_is_said_clearly(fwid: Fwid, arguments: list[str], code: int, said: str) -> None:
    """One line and the documented code."""
    ended = fwid(*arguments)

    assert ended.code == code
    assert ended.err.startswith("fwid: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err
    assert ended.out == ""


def test_a_bug_is_one_line_unless_asked(
    fwid: Fwid, monkeypatch: pytest.MonkeyPatch, sensor_captures: list[Path]
) -> None:
    """The traceback is for those who want it."""

    def fail(*_: object, **__: object) -> None:
        raise LookupError("lost\nit")

    monkeypatch.setattr("fwid_agent.pipeline.replay", fail)
    ended = fwid("replay", sensor_captures[0])

    assert ended.code == 1
    assert ended.err.startswith("fwid: this is a bug (LookupError: lost")
    assert ended.err.count("\n") == 1
    asked = fwid("--debug", "replay", sensor_captures[0])
    assert asked.code == 1
    assert asked.err.startswith("Traceback")
    assert asked.err.endswith(ended.err)


def test_a_lacking_extra_is_named(fwid: Fwid, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not installed the research part is told how to."""

    def fail(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'keras'", name="keras")

    monkeypatch.setattr("fwid_agent.pipeline.replay", fail)
    ended = fwid("replay", "x")

    assert ended.code == 2
    assert "pip install 'fwid-agent[lab]'" in ended.err


def test_ctrl_c_ends_with_one_line() -> None:
    """Interrupting a run is no error of the program: exit code 130, as shells expect it."""
    process = subprocess.Popen(
        # A shell that starts the tests in the background lets them ignore the signal.
        ["env", "--default-signal=INT", sys.executable, "-m", "fwid_agent.cli.main", "replay", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    header = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    frame = struct.pack("<IIII", 1_460_000_000, 0, 60, 60) + bytes(60)
    # More than a pipe holds: once all of it is written, the command is reading.
    process.stdin.write(header + frame * 20_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors.decode().splitlines()[-1] == "fwid: interrupted"
    assert b"Traceback" not in errors


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_a_reader_that_goes_away_is_no_error(
    form: tuple[str, ...], sensor_captures: list[Path]
) -> None:
    """`fwid replay … | head -1` says nothing about a broken pipe."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "fwid_agent.cli.main", "replay", *form]
    ended = subprocess.run(
        [*command, *map(str, sensor_captures)], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)

    assert ended.returncode == 141
    assert ended.stderr == b""


def run_on_terminal(*arguments: object, no_color: str = "") -> bytes:
    """What a terminal is sent, on standard output and error together."""
    leader, follower = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    environment.pop("NO_COLOR", None)
    if no_color:
        environment["NO_COLOR"] = no_color
    process = subprocess.Popen(
        [sys.executable, "-m", "fwid_agent.cli.main", *map(str, arguments)],
        stdout=follower,
        stderr=follower,
        env=environment,
    )
    os.close(follower)
    seen = b""
    with suppress(OSError):  # Linux says so when the other side has closed
        while piece := os.read(leader, 65_536):
            seen += piece
    os.close(leader)
    assert process.wait(60) == 0
    return seen


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_terminal_without_some_signs(options: list[str]) -> None:
    """What it cannot show is replaced; programs get UTF-8 whatever the terminal shows."""
    folder = CAPTURES / "D-LinkSensor"
    before, after = (map(str, folder.glob(f"Setup-{which}-*")) for which in ("[AB]", "C"))
    command = [sys.executable, "-m", "fwid_agent.cli.main", "compare", "--device", SENSOR, *options]
    command += ["--baseline", *before, "--test", *after]
    ended = subprocess.run(
        command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (b"?" in ended.stdout) != bool(options)
    assert ("→" in ended.stdout.decode()) == bool(options)


def test_no_color_is_respected(store: Path) -> None:
    """On a terminal states are coloured, unless NO_COLOR is set."""
    colour = re.compile(rb"\x1b\[[0-9;]*3[0-9]")

    assert colour.search(run_on_terminal("devices", "--store", store))
    assert not colour.search(run_on_terminal("devices", "--store", store, no_color="1"))


def test_progress_shows_rates_on_a_terminal(sensor_captures: list[Path]) -> None:
    """Who waits sees which capture is read and how fast."""
    seen = run_on_terminal("replay", sensor_captures[0])
    assert b"MB/s" in seen
    assert sensor_captures[0].name.encode() in seen


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_a_port_that_there_cannot_be_is_a_mistake(fwid: Fwid, port: str) -> None:
    """It is said before anything is opened, and is no bug."""
    ended = fwid("run", "eth0", "--port", port)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "'--port'" in ended.err


def test_everything_is_removed_only_with_remove(fwid: Fwid) -> None:
    """Nobody gets a service installed who wanted to be rid of it."""
    ended = fwid("install-service", "--everything")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "--remove" in ended.err
