"""Faults of what the store lies on: full, read-only, removed, damaged."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.agent import Agent
from tests.system.faults.lab import RATE, Lab, Row
from tests.system.home import run

_DISK_MB = 8


@contextmanager
def _disk(lab: Lab) -> Iterator[Path]:
    """Mount a small disk of its own (ext4 on a loop device); gives where."""
    image, place = lab.folder.parent / "disk.img", lab.folder.parent / "disk"
    with image.open("wb") as file:
        file.truncate(_DISK_MB << 20)
    run("mkfs.ext4", "-q", "-m", "0", str(image))
    place.mkdir()
    run("mount", "-o", "loop", str(image), str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=False, capture_output=True)


def _fill(path: Path) -> None:
    """Write until there is no room for one byte more."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def full(lab: Lab) -> Row:
    """No room on the disk for a while."""
    pause_s = 5 if lab.quick else 60
    with _disk(lab) as place, lab.agent(folder=place) as agent, lab.sending() as sending:
        store = place / "fwid.db"
        lab.until_counted(0, store)
        _fill(place / "filler")
        agent.says("the disk is full")
        time.sleep(pause_s)
        stored = lab.counted(store)
        (place / "filler").unlink()
        recovered_s = lab.until_counted(stored, store)
        agent.says("the store takes what is new again")
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
        lab.check_whole(store)
        lost = sent - lab.counted(store)
    assert lost == 0
    return Row(
        "disk full",
        f"an ext4 of {_DISK_MB} MB on a loop device filled to the last byte for {pause_s} s",
        "goes on, says so, keeps what is not stored in memory",
        f"{lost} frames",
        f"{recovered_s:.1f} s after there is space",
    )


def read_only(lab: Lab) -> Row:
    """The kernel makes a disk read-only under the agent, as it does when an SD card fails."""
    with _disk(lab) as place:
        store = place / "fwid.db"
        with lab.agent(folder=place) as agent, lab.sending() as sending:
            lab.until_counted(0, store)
            run("sync", "-f", str(store))
            time.sleep(2)
            run("mount", "-o", "remount,abort", str(place))
            at_fault = sending.count()
            agent.says(store.name)
            time.sleep(1)
            assert agent.process.poll() is None
            code = agent.stop()
        run("umount", str(place))
        run("mount", "-o", "loop", str(_repair(lab)), str(place))
        lab.check_whole(store)
        counted = lab.counted(store)
        with lab.agent(folder=place), lab.sending():
            recovered_s = lab.until_counted(counted, store)
    return Row(
        "disk read-only",
        "the kernel remounts the ext4 read-only, as it does with a failing SD card",
        f"goes on, says so; ends with {code}: {_words(agent)}",
        f"the last {(at_fault - counted) / RATE:.1f} s, and what came until a restart",
        f"{recovered_s:.1f} s after fsck and a new start",
    )


def _repair(lab: Lab) -> Path:
    """Repair a copy of the disk: the kernel keeps a mounted one for whoever still looks at it."""
    copy = lab.folder.parent / "repaired.img"
    shutil.copyfile(lab.folder.parent / "disk.img", copy)
    done = subprocess.run(["fsck.ext4", "-y", str(copy)], check=False, capture_output=True)
    assert done.returncode in (0, 1), done  # 1: errors were corrected
    return copy


def removed(lab: Lab) -> Row:
    """Somebody deletes the agent's folder while it runs."""
    with lab.sending() as sending:
        with lab.agent() as agent:
            lab.until_counted(0)
            at_fault = sending.count()
            shutil.rmtree(lab.folder)
            code = agent.process.wait(30)
        lab.folder.mkdir()
        with lab.agent():
            recovered_s = lab.until_counted(0)
    assert at_fault
    return Row(
        "store removed",
        "its folder deleted while the agent runs",
        f"ends with {code}: {_words(agent)}",
        "the store, which is what was deleted",
        f"{recovered_s:.1f} s after a new start (systemd: after 5 s), with a new store",
    )


def damaged(lab: Lab) -> Row:
    """The file is overwritten with noise, from its second page on."""
    backup = lab.folder.parent / "backup.db"
    with lab.sending():
        with lab.agent() as agent:
            lab.until_counted(0)
            agent.ask("backup", str(backup))
        with lab.agent(wait=False) as agent:
            with lab.store.open("r+b") as file:
                file.seek(4096)
                file.write(os.urandom(lab.store.stat().st_size - 4096))
            code = agent.process.wait(30)
        agent.ask("restore", str(backup))
        lab.check_whole()
        counted = lab.counted()
        with lab.agent():
            recovered_s = lab.until_counted(counted)
    return Row(
        "store damaged",
        "all of it but the first page overwritten with noise",
        f"ends with {code}: {_words(agent)}",
        "what came after the last backup",
        f"{recovered_s:.1f} s after `fwid restore` and a new start",
    )


def _words(agent: Agent) -> str:
    """Return what it said last, without the path."""
    return agent.log[-1].rpartition(".db: ")[2]
