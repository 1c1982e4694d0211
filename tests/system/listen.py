"""python -m tests.system.listen ADDRESS PORT CODE FINGERPRINT: pair, then print events."""

import asyncio
import sys

import aiohttp


async def listen(address: str, port: str, code: str, fingerprint: str) -> None:
    """Do what Home Assistant does, until the agent ends."""
    base = f"https://{address}:{port}/api/v1"
    pinned = aiohttp.Fingerprint(bytes.fromhex(fingerprint))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=pinned)) as session:
        async with session.post(f"{base}/pair", json={"code": code, "name": "laptop"}) as paired:
            token = (await paired.json())["token"]
        session.headers["Authorization"] = f"Bearer {token}"
        async with session.ws_connect(f"{base}/events/ws") as stream:
            await stream.send_json({"after": 0})
            async for message in stream:
                print(message.data, flush=True)


if __name__ == "__main__":
    asyncio.run(listen(*sys.argv[1:]))
