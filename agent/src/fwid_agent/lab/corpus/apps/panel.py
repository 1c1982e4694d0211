"""A panel on the wall: shows what an ESPHome sensor says, by its own API."""

import asyncio
import sys
import time

from aioesphomeapi import APIClient, APIConnectionError

_KEEP_ALIVE_S = 8


async def watch(address: str) -> None:
    """Hear what the sensor says until it goes."""
    gone = asyncio.Event()
    client = APIClient(address, 6053, None, keepalive=_KEEP_ALIVE_S)

    async def lost(_expected: bool) -> None:
        gone.set()

    await client.connect(on_stop=lost, login=True)
    await client.list_entities_services()
    client.subscribe_states(lambda _state: None)
    await gone.wait()


async def switch(address: str) -> None:
    """Switch the relay once."""
    client = APIClient(address, 6053, None)
    await client.connect(login=True)
    entities, _ = await client.list_entities_services()
    relay = next(one for one in entities if type(one).__name__ == "SwitchInfo")
    client.switch_command(relay.key, True)
    await asyncio.sleep(0.5)
    await client.disconnect()


def main() -> None:
    """Watch for ever, or switch once where a second word says so."""
    if sys.argv[2:]:
        asyncio.run(switch(sys.argv[1]))
        return
    while True:
        try:
            asyncio.run(watch(sys.argv[1]))
        except APIConnectionError as error:
            print(error, flush=True)
        time.sleep(1)


main()
