"""python -m tests.system.flood_connections ADDRESS PORT SECONDS: connect; prints how often."""

import asyncio
import ssl
import sys
import time
from contextlib import suppress

_AT_ONCE = 100
_KEPT_S = 1.0


async def flood(address: str, port: int, seconds: float) -> int:
    """Open connections until the time is over."""
    until, opened = time.monotonic() + seconds, 0

    async def again(number: int) -> None:
        nonlocal opened
        while time.monotonic() < until:
            with suppress(OSError, asyncio.TimeoutError):
                async with asyncio.timeout(_KEPT_S):
                    opened += 1
                    await _visit(address, port, number % 3)
            await asyncio.sleep(0)

    await asyncio.gather(*(again(number) for number in range(_AT_ONCE)))
    return opened


async def _visit(address: str, port: int, manner: int) -> None:
    context = None
    if manner == 0:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(address, port, ssl=context)
    try:
        if manner == 0:
            writer.write(b"GET /api/v1/devices HTTP/1.1\r\nHost: x\r\n\r\n")
        if manner == 1:
            writer.write(b"\x16\x03\x01" + b"A" * 4000)
        await reader.read(1 << 16)
    finally:
        writer.close()


if __name__ == "__main__":
    print(asyncio.run(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
