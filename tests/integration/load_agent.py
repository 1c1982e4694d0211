"""An agent in a process of its own, whose devices all become other several times a second.

It writes where it is as a line of JSON, waits for a line, tells what happens for as long as it is
asked to, writes how many events that were, and stays until its standard input ends.
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.integration.fake_agent import FakeAgent, make_device


async def main(folder: Path, macs: list[str], per_s: float, for_s: float) -> None:
    agent = FakeAgent(folder)
    agent.add_token()
    agent.devices = {mac: make_device(mac) for mac in macs}
    await agent.start()
    _say({"id": agent.id, "port": agent.port, "fingerprint": agent.fingerprint})
    await asyncio.to_thread(sys.stdin.readline)
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    for turn in range(round(for_s * per_s)):
        for mac in macs:
            agent.set_device(mac, similarity=turn % 100 / 100, g=turn % 30 / 10)
            agent.happen(mac, "behaves_differently")
        next_s += 1 / per_s
        await asyncio.sleep(max(0.0, next_s - loop.time()))
    _say({"events": len(agent.events)})
    await asyncio.to_thread(sys.stdin.read)
    await agent.stop()


def _say(words: dict[str, object]) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    _, path, count, per_s, for_s = sys.argv
    macs = [f"b8:00:00:00:00:{number:02x}" for number in range(int(count))]
    asyncio.run(main(Path(path), macs, float(per_s), float(for_s)))
