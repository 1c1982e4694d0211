"""Faults of the network: a card that goes, addresses that change, a flood, nonsense."""

import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fwid_agent.capture.files import open_capture
from fwid_agent.store import Store

from tests.system.agent import wait_for
from tests.system.faults.lab import WATCHED, Lab, Row, pss_mb
from tests.system.flood_addresses import COUNT
from tests.system.home import run

_EXCERPT = Path(__file__).parents[2] / "data/iot-sentinel"
_SEED = 4


def down_and_up(lab: Lab) -> Row:
    """Somebody takes the card down, or its cable out."""
    rounds = 2 if lab.quick else 20

    def down() -> None:
        run("ip", "-n", lab.home.house.namespace, "link", "set", WATCHED, "down")

    def up() -> None:
        run("ip", "-n", lab.home.house.namespace, "link", "set", WATCHED, "up")

    gone_s, back_s = _go_and_come(lab, rounds, down, up)
    return Row(
        "interface down and up",
        f"`ip link set … down`, up after 1 s, {rounds} times",
        "goes on, says so each time",
        f"what passes meanwhile; noticed within {gone_s:.1f} s",
        f"{back_s:.1f} s at most",
    )


def unplugged(lab: Lab) -> Row:
    """A USB network adapter is pulled out and put in again."""
    rounds = 2 if lab.quick else 20
    gone_s, back_s = _go_and_come(
        lab, rounds, lambda: lab.home.unplug(lab.device), lambda: lab.home.plug(lab.device)
    )
    return Row(
        "network adapter unplugged",
        f"the interface deleted, made anew with another MAC after 1 s, {rounds} times",
        "goes on, says so each time",
        f"what passes meanwhile; noticed within {gone_s:.1f} s",
        f"{back_s:.1f} s at most",
    )


def _go_and_come(
    lab: Lab, rounds: int, go: Callable[[], None], come: Callable[[], None]
) -> tuple[float, float]:
    """Gives how long it took at most until the agent noticed the one and the other."""
    gone, back = [], []
    with lab.agent() as agent, lab.sending():
        for _ in range(rounds):
            said, began = len(agent.log), time.monotonic()
            go()
            agent.says("the interface has gone or was taken down", after=said)
            gone.append(time.monotonic() - began)
            time.sleep(1)
            counted, began = lab.counted(), time.monotonic()
            come()
            agent.says("capturing", after=said)
            back.append(time.monotonic() - began)
            lab.until_counted(counted)
        assert agent.stop() == 0
    lab.check_whole()
    return max(gone), max(back)


def addresses_changed(lab: Lab) -> Row:
    """The agent's own card and the device get other addresses; the device's MAC stays."""
    inside = ("ip", "-n", lab.home.house.namespace)
    with lab.agent() as agent, lab.sending() as sending:
        lab.until_counted(0)
        run(*inside, "link", "set", WATCHED, "address", "00:00:5e:00:53:77")
        run(*inside, "addr", "add", "10.78.0.5/24", "dev", WATCHED)
        lab.home.give_address(lab.device, "10.77.0.99")
        recovered_s = lab.until_counted(lab.counted())
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
    lost = sent - lab.counted()
    assert lost == 0
    return Row(
        "MAC and IP changed",
        "of the agent's card, and the IP of the device",
        "goes on; the device stays the same one",
        f"{lost} frames",
        f"at once ({recovered_s:.1f} s to the next commit)",
    )


def made_up_addresses(lab: Lab) -> Row:
    """Frames of many thousand addresses that do not exist."""
    with lab.agent() as agent, lab.sending() as sending:
        lab.until_counted(0)
        before_mb = pss_mb(agent.process.pid)
        began = time.monotonic()
        run(*lab.device.inside(sys.executable, "-m", "tests.system.flood_addresses", "eth0"))
        flooded_s = time.monotonic() - began
        time.sleep(1)
        recovered_s = lab.until_counted(lab.counted())
        time.sleep(4 if lab.quick else 60)
        after_mb = pss_mb(agent.process.pid)
        sent = sending.stop()
        # Judging a thousand devices every four seconds takes longer than that.
        wait_for(lambda: lab.counted() >= sent, 60, "all that was sent is stored")
        assert agent.stop() == 0
    lab.check_whole()
    lost = sent - lab.counted()
    with Store.open(lab.store, create=False) as store:
        devices = len(store.devices())
    size_mb = lab.store.stat().st_size / 1e6
    assert devices <= 1024
    assert lost == 0, (lost, agent.log)
    return Row(
        f"{COUNT} made-up MACs",
        f"a frame of each in {flooded_s:.1f} s",
        f"1024 are followed, the others counted; {devices} are left when they have been silent",
        f"{lost} frames of the known device",
        f"{recovered_s:.1f} s; memory {before_mb:.0f} → {after_mb:.0f} MB, store {size_mb:.0f} MB",
    )


def malformed(lab: Lab) -> Row:
    """Real frames with bytes flipped, lengths falsified and ends cut off."""
    count = 2000 if lab.quick else 200_000
    frames = lab.folder.parent / "frames"
    frames.write_bytes(b"".join(struct.pack("=H", len(f)) + f for f in _broken(count)))
    with lab.agent() as agent, lab.sending() as sending:
        run(*lab.device.inside(sys.executable, "-m", "tests.system.send", "eth0", str(frames)))
        time.sleep(1)
        recovered_s = lab.until_counted(lab.counted())
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
    lab.check_whole()
    said = [line for line in agent.log if "WARNING" in line or "Traceback" in line]
    said = [line for line in said if "runs as root" not in line]  # as every agent of a test does
    assert not said, said
    lost = sent - lab.counted()
    assert lost == 0
    return Row(
        "malformed frames",
        f"{count} real frames broken by a fuzzer, on the wire",
        "goes on; what cannot be read is counted",
        f"{lost} frames of the device beside them",
        f"at once ({recovered_s:.1f} s to the next commit)",
    )


def _broken(count: int) -> Sequence[bytes]:
    """Break frames of real devices, seeded."""
    rng = random.Random(_SEED)
    whole = []
    for path in sorted(_EXCERPT.glob("*/*.pcap*"))[::8]:
        with open_capture(str(path)) as reader:
            for block in reader:
                for at, length in zip(block.offsets, block.captured_bytes, strict=True):
                    whole.append(block.buffer[at : at + length].tobytes())
    return [_break(bytearray(rng.choice(whole)), rng) for _ in range(count)]


def _break(frame: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(12, max(len(frame), 13)) if rng.random() < 0.9 else 12
        if at < len(frame):
            frame[at] = rng.choice((0, 0xFF, 0x4F, 0x60, rng.randrange(256)))
    cut = (
        rng.randrange(14, len(frame) + 1) if rng.random() < 0.3 and len(frame) > 14 else len(frame)
    )
    return bytes(frame[:cut])
