"""A stand-in for Home Assistant's Supervisor, as far as its documentation tells an app of it.

python supervisor.py TOKEN SERVICES LOG: answers at http://172.30.32.2/discovery and passes
/ingress/PATH on to the app. LOG gets each message of an app that was accepted, as a line of JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

HOST, APP, INGRESS_PORT = "172.30.32.2", "172.30.32.1", 8128
TOKEN, SERVICES, LOG = sys.argv[1], sys.argv[2].split(","), Path(sys.argv[3])


async def discovery(request: web.Request) -> web.Response:
    """Take what an app tells of a service; one message for each, under one id."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.json_response({"result": "error", "message": "unauthorized"}, status=401)
    body = await request.json()
    if not (set(body) == {"service", "config"} and isinstance(body["config"], dict)):
        return web.json_response({"result": "error", "message": "schema"}, status=400)
    if body["service"] not in SERVICES:
        return web.json_response({"result": "error", "message": "forbidden"}, status=403)
    with LOG.open("a") as log:
        log.write(json.dumps(body) + "\n")
    return web.json_response({"result": "ok", "data": {"uuid": uuid4().hex}})


async def ingress(request: web.Request) -> web.StreamResponse:
    """Pass a request on as it is, from this address."""
    url = f"http://{APP}:{INGRESS_PORT}/{request.match_info['path']}"
    headers = {**request.headers, "X-Ingress-Path": "/ingress"}
    async with ClientSession() as session:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            kept = {"Origin": request.headers.get("Origin", "")}
            async with session.ws_connect(url, headers=kept) as theirs:
                return await _pass_on(request, theirs)
        async with session.request(
            request.method, url, headers=headers, data=await request.read()
        ) as answer:
            body = await answer.read()
            passed = {n: v for n, v in answer.headers.items() if n.lower() != "transfer-encoding"}
            return web.Response(body=body, status=answer.status, headers=passed)


async def _pass_on(request: web.Request, theirs: ClientWebSocketResponse) -> web.WebSocketResponse:
    ours = web.WebSocketResponse()
    await ours.prepare(request)

    async def forward() -> None:
        async for message in theirs:
            if message.type is WSMsgType.TEXT:
                await ours.send_str(message.data)

    task = asyncio.create_task(forward())
    async for message in ours:
        if message.type is WSMsgType.TEXT:
            await theirs.send_str(message.data)
    task.cancel()
    return ours


def main() -> None:
    app = web.Application()
    app.router.add_post("/discovery", discovery)
    app.router.add_route("*", "/ingress/{path:.*}", ingress)
    web.run_app(app, host=HOST, port=80, print=None)


if __name__ == "__main__":
    main()
