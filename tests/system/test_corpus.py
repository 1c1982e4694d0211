"""The short corpus is made for real: devices, servers and captures of a home of namespaces."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.corpus.fetch import Stacks
from fwid_agent.lab.corpus.model import CorpusError
from fwid_agent.lab.corpus.network import HOUSE_IP, Home, check_rights
from fwid_agent.lab.corpus.place import stacks_folder
from fwid_agent.lab.corpus.servers import SERVER_LAYER

SHIPPED = Path(__file__).parents[1] / "data/made-corpus"


def fwid(*words: str) -> Any:
    """Run a command of the lab; gives its answer."""
    command = [sys.executable, "-m", "fwid_agent.cli.main", "lab", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def make(target: Path) -> int:
    """Make the short corpus; says how many device-days were made."""
    return int(fwid("corpus", str(target), "--quick")["made"])


@pytest.fixture(autouse=True)
def _needs() -> None:
    """Skip where no corpus can be made."""
    try:
        check_rights()
    except CorpusError as error:
        pytest.skip(str(error))
    if shutil.which("apt-get") is None:
        pytest.skip("needs apt-get, which brings the programs that the devices run")


@pytest.mark.slow
def test_the_air_loses_frames_and_nobody_lives_in_it() -> None:
    """A device behind a relay meets the router itself, and not every answer comes back."""
    tools = Stacks(stacks_folder(), print).paths([SERVER_LAYER])[0]
    with Home(tools) as home:
        device = home.add("device", 16, ip="10.77.0.16", relayed=True)
        air = home.hosts["air-device"]
        relay = home.start(
            air, sys.executable, "-m", "fwid_agent.lab.corpus.relay", "near", "far", "1"
        )
        ping = ("busybox", "ping", "-c", "200", "-i", "0.02", "-W", "1", HOUSE_IP)
        words = ["ip", "netns", "exec", device.namespace, "chroot", str(tools), *ping]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        met = subprocess.run(
            ["ip", "-n", device.namespace, "neigh", "show", HOUSE_IP],
            capture_output=True,
            text=True,
            check=True,
        )
        assert relay.stdin
        relay.stdin.close()
        assert relay.wait(10) == 0  # it ends with whoever started it
    answered = int(done.stdout.split(" packets received")[0].split()[-1])
    assert 100 < answered < 200
    assert home.house.mac in met.stdout


@pytest.mark.slow
def test_a_corpus_is_made_and_read_and_made_up_where_a_day_lacks(tmp_path: Path) -> None:
    """Versions change as the labels say, and the bench reads it; only what lacks is made again."""
    assert make(tmp_path) == 15
    devices = {device.name: device for device in load_corpus(tmp_path, lambda _: None)}
    assert set(devices) == {"doorcam", "thermostat", "clock"}
    for device in devices.values():
        assert len(device.windows.start_ns) == 5  # one window a compressed day
        assert len({label.version for label in device.labels.values()}) > 1
        assert [label for label in device.labels.values() if label.change]
    judged = fwid("days", str(tmp_path), "--learning", "2")
    assert {change["device"] for change in judged["changes"]} == set(devices)
    bench = fwid("evaluate", str(tmp_path), str(SHIPPED), "--quick")
    assert set(bench["header"]["corpora"]) == {tmp_path.name, SHIPPED.name}

    labels = tmp_path / "labels.csv"
    rows = list(csv.DictReader(labels.open(newline="")))
    kept = [row for row in rows if (row["device"], row["day"]) != ("doorcam", "4")]
    with labels.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    next((tmp_path / "clock").iterdir()).unlink()
    assert make(tmp_path) == 2
