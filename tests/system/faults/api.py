"""An API that is flooded while frames are counted."""

import subprocess
import sys
import time

from tests.system.agent import PORT
from tests.system.faults.lab import Lab, Row
from tests.system.home import HOUSE_IP


def flooded(lab: Lab) -> Row:
    """Connections without end: some say nothing, some talk nonsense, some speak TLS and ask."""
    seconds = 4 if lab.quick else 60
    laptop = lab.home.add("laptop", 9)
    with lab.agent(port=PORT) as agent, lab.sending(1000) as sending:
        command = [sys.executable, "-m", "tests.system.flood_connections", HOUSE_IP, str(PORT)]
        done = subprocess.run(
            laptop.inside(*command, str(seconds)), check=True, capture_output=True, text=True
        )
        opened = int(done.stdout)
        began = time.monotonic()
        (answer,) = agent.ask("pair")
        assert answer["code"]
        recovered_s = time.monotonic() - began
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
    lost = sent - lab.counted()
    assert lost == 0
    return Row(
        "API flooded",
        f"{opened} connections in {seconds} s beside 1000 frames/s",
        "goes on; an address has 32 at most",
        f"{lost} frames",
        f"at once (`fwid pair` takes {recovered_s:.1f} s)",
    )
