"""An agent without traffic: it answers as docs/api.md says, and does what a test tells it to.

The tests of the contract run against it as well as against the real agent.
"""

import asyncio
import hashlib
import json
import ssl
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Json = dict[str, Any]
START = datetime(2026, 3, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def format_time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def make_device(mac: str, **fields: Any) -> Json:
    """A device as the agent describes it, stable at its first version unless told otherwise."""
    return {
        "device": mac,
        "state": "stable",
        "first_seen": format_time(START),
        "last_seen": format_time(START),
        "packets_sent": 10,
        "packets_received": 10,
        "bytes": 2000,
        "version": 1,
        "label": None,
        "since": format_time(START),
        "last_change": None,
        "randomised": False,
        "name": None,
        "name_source": None,
        "learned_units": 7,
        "learning_units": 7,
        "ready_at": None,
        "similarity": 0.97,
        "g": 0.1,
        "cause": "none",
        "reasons": [],
        "reason_texts": [],
        "versions": [{"version": 1, "label": None}],
        "muted": False,
        "muted_until": None,
        "update_expected_until": None,
        "alarm_event": None,
        "alarm_was_wrong": False,
        "vantage": "all",
        "sizes_reliable": True,
        "kind": None,
        "identified": None,
        **fields,
    }


def make_identified(**fields: Any) -> Json:
    """What a device behaves like."""
    return {
        "label": "Philips Hue bridge",
        "category": "Hub",
        "certainty": 0.934,
        "model": "home",
        "time": format_time(START),
        "agrees": None,
        **fields,
    }


def make_identification(**fields: Any) -> Json:
    """The model that identifies devices, as the agent describes it."""
    return {
        "model": "home",
        "number": 3,
        "type": "forest",
        "trained": format_time(START),
        "window_days": 7,
        "devices": 12,
        "accuracy": 0.97,
        "getting_old": False,
        "old_because": None,
        "running": False,
        "last_attempt": None,
        **fields,
    }


def make_certificate() -> tuple[bytes, str]:
    """Make a certificate with its key, as the agent makes one; returns its fingerprint too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fwid")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START - timedelta(days=800))
        .not_valid_after(START + timedelta(days=7300))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fingerprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    return private + certificate.public_bytes(serialization.Encoding.PEM), fingerprint


# Made once, and before a test stops the clock.
CERTIFICATES = (make_certificate(), make_certificate())


class FakeAgent:
    """One agent; `start` and `stop` it as often as needed, it remembers what a store would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner: web.AppRunner | None = None
        self._streams: dict[web.WebSocketResponse, asyncio.Queue[str]] = {}
        self.host = "127.0.0.1"
        self.port = 0
        self.id = str(uuid.UUID(int=1))
        self.version = "0.1.0"
        self.api = 1
        self.code: str | None = None
        self.wrong_codes = 0
        self.tokens: dict[str, str] = {}
        self.devices: dict[str, Json] = {}
        self.events: list[Json] = []
        self.kept_from = 1  # seq of the oldest event that is still kept
        self.history: dict[str, list[Json]] = {}
        self.images: dict[tuple[str, str], bytes] = {}
        self.sources: list[Json] = [self.source()]
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.actions: list[tuple[str, str, Json]] = []
        self.requests: list[str] = []
        self.answers: Counter[str] = Counter()
        self.failing: dict[str, int] = {}  # path -> status that it is answered with
        self.identification: Json | None = make_identification()
        self.is_older = False  # it does not know that devices can be identified
        self.kinds: dict[tuple[str, str], Json] = {}  # by device and who says so
        self.more: Json = {}  # fields of a later version, in every answer
        self._certificates = cycle(CERTIFICATES)
        self.renew_certificate()

    @staticmethod
    def source(**fields: Any) -> Json:
        return {
            "source": "eth0",
            "kind": "interface",
            "capturing": True,
            "trouble": "",
            "frames": 1_000_000,
            "lost": 0,
            "copies": 0,
            "merged": 0,
            **fields,
        }

    # --- what a test does ------------------------------------------------------------------------

    def renew_certificate(self) -> None:
        """Show another certificate from the next start on."""
        pem, self.fingerprint = next(self._certificates)
        (self._folder / "certificate.pem").write_bytes(pem)

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/api/v1/health", self._health),
                web.post("/api/v1/pair", self._pair),
                web.delete("/api/v1/token", self._forget_token),
                web.get("/api/v1/info", self._info),
                web.get("/api/v1/devices", self._devices),
                web.get("/api/v1/devices/{mac}/history", self._history),
                web.get("/api/v1/devices/{mac}/image/{which}.png", self._image),
                web.post("/api/v1/devices/{mac}/{action}", self._action),
                web.post("/api/v1/retrain", self._retrain),
                web.get("/api/v1/events/ws", self._stream),
            ]
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "certificate.pem")
        _let_clients_turn_away(asyncio.get_running_loop())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; every connection ends."""
        for socket in tuple(self._streams):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def cut(self) -> None:
        """End every WebSocket without a word, as a broken network does."""
        for socket in tuple(self._streams):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()
        while self._streams:
            await asyncio.sleep(0.01)

    def add_token(self, token: str = "secret", name: str = "Home Assistant") -> str:
        self.tokens[token] = name
        return token

    async def revoke(self, token: str = "secret") -> None:
        """Revoke a token, as `fwid tokens --revoke` does."""
        self.tokens.pop(token, None)
        for socket in tuple(self._streams):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"revoked")

    def set_device(self, mac: str, **fields: Any) -> None:
        """Change what the agent says of a device."""
        self.devices[mac] = {**self.devices[mac], **fields}

    def happen(self, mac: str, kind: str, **fields: Any) -> Json:
        """Store an event, and send it to who follows."""
        seq = self.last_seq + 1
        event = {
            "seq": seq,
            "id": str(uuid.UUID(int=seq + 1000)),
            "time": format_time(START + timedelta(days=seq)),
            "device": mac,
            "type": kind,
            "from_version": 1,
            "to_version": 1,
            "cause": "none",
            "expected": False,
            "reasons": [],
            **fields,
        }
        self.events.append(event)
        self._send(event)
        return event

    def change_version(self, mac: str, **fields: Any) -> Json:
        """Let the firmware of a device change from version 1 to 2."""
        reasons = [
            {
                "key": "size_replaced",
                "params": {
                    "kind": "size",
                    "protocol": "dns",
                    "direction": "sent",
                    "scope": "lan",
                    "old": 100,
                    "new": 90,
                    "first_flight": True,
                },
            }
        ]
        since = format_time(START + timedelta(days=self.last_seq + 1))
        self.set_device(
            mac,
            state="changed",
            since=since,
            last_change=since,
            cause="software",
            reasons=reasons,
            similarity=0.41,
            g=2.4,
            versions=[self.devices[mac]["versions"][0], {"version": 2, "label": None}],
            alarm_event=str(uuid.UUID(int=self.last_seq + 1001)),
        )
        fields = {"to_version": 2, "cause": "software", "reasons": reasons, **fields}
        return self.happen(mac, "version_changed", **fields)

    def tell_changed(self) -> None:
        """Say that states have changed without an event."""
        self._send({"type": "changed"})

    def identify(self, mac: str, **fields: Any) -> None:
        """Find that a device behaves like something, and tell it."""
        self.set_device(mac, identified=make_identified(**fields))
        identified = self.devices[mac]["identified"]
        self._send({"type": "identified", "device": mac, "identified": identified})

    def tell_model(self, **fields: Any) -> None:
        """Say how the model that identifies devices stands."""
        self.identification = make_identification(**fields)
        self._send({"type": "model", "identification": self.identification})

    @property
    def last_seq(self) -> int:
        return self.events[-1]["seq"] if self.events else 0

    @property
    def followers(self) -> int:
        return len(self._streams)

    # --- what is answered ------------------------------------------------------------------------

    def _send(self, message: Json) -> None:
        for queue in self._streams.values():
            queue.put_nowait(json.dumps({**message, **self.more}))

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v1/")
        self.requests.append(f"{request.method} {path}")
        if path in self.failing:
            return self._error(self.failing[path], "a fault that a test wants")
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if path not in ("health", "pair") and shown not in self.tokens:
            return self._error(401, "a valid token is needed")
        response = await handler(request)
        self.answers[f"{request.method} {path}"] += 1
        return response

    def _answer(self, body: Json) -> web.Response:
        return web.json_response({**body, **self.more})

    def _error(self, status: int, text: str) -> web.Response:
        return web.json_response({"error": text}, status=status)

    async def _health(self, _: web.Request) -> web.Response:
        return self._answer({"status": "ok"})

    async def _pair(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self.wrong_codes >= 10:
            return self._error(423, "too many wrong codes")
        if asked["code"] != self.code:
            self.wrong_codes += 1
            return self._error(403, "wrong or expired code")
        self.code = None
        return self._answer({"token": self.add_token(f"token-{len(self.tokens)}", asked["name"])})

    async def _forget_token(self, request: web.Request) -> web.Response:
        await self.revoke(request.headers["Authorization"].removeprefix("Bearer "))
        return web.Response(status=204)

    async def _info(self, _: web.Request) -> web.Response:
        return self._answer(
            {
                "id": self.id,
                "version": self.version,
                "api": self.api,
                "started": format_time(START),
                "time": self.clock().isoformat(),
                "last_seq": self.last_seq,
                "capture": {"capturing": True, "sources": self.sources},
                **({} if self.is_older else {"identification": self.identification}),
                **({} if self.is_older else {"alarms_per_device_year": 0.1}),
            }
        )

    async def _devices(self, _: web.Request) -> web.Response:
        return self._answer({"devices": [{**d, **self.more} for d in self.devices.values()]})

    async def _history(self, request: web.Request) -> web.Response:
        mac = request.match_info["mac"]
        if mac not in self.devices:
            return self._error(404, f"{mac}: no such device was seen")
        since = datetime.fromisoformat(request.query["since"])
        rows = self.history.get(mac, [])
        kept = [row for row in rows if datetime.fromisoformat(row["time"]) >= since]
        return self._answer({"history": kept})

    async def _image(self, request: web.Request) -> web.Response:
        png = self.images.get((request.match_info["mac"], request.match_info["which"]))
        if png is None:
            return self._error(404, "no such image yet")
        return web.Response(body=png, content_type="image/png")

    async def _action(self, request: web.Request) -> web.Response:
        mac, action = request.match_info["mac"], request.match_info["action"]
        words = await request.json() if request.can_read_body else {}
        if mac not in self.devices:
            return self._error(404, f"{mac}: no such device was seen")
        self.actions.append((mac, action, words))
        device = self.devices[mac]
        if action == "accept" and device["state"] == "changed":
            self.set_device(mac, state="stable", version=device["versions"][-1]["version"])
            self.happen(mac, "accepted", to_version=self.devices[mac]["version"])
        elif action == "relearn":
            self.set_device(mac, state="learning")
        elif action == "enrol":
            self.set_device(mac, state=device["state"] or "learning")
        elif action == "mute":
            self.set_device(mac, muted=True, muted_until=words["until"])
        elif action == "expect-update":
            self.set_device(mac, update_expected_until=words["until"])
        elif action == "kind":
            if words["label"] is None and words.get("category"):
                return self._error(409, "a category needs a label")
            self._set_kind(mac, words)
        elif action == "wrong-alarm":
            if all(event["id"] != words["event"] for event in self.events):
                return self._error(409, f"{mac} has no event {words['event']}")
            self.set_device(mac, alarm_was_wrong=True)
        elif action == "label":
            known = [dict(each) for each in device["versions"]]
            named = [each for each in known if each["version"] == words["version"]]
            if not named:
                return self._error(409, f"{mac} has no version {words['version']}")
            named[0]["label"] = words["label"]
            label = words["label"] if words["version"] == device["version"] else device["label"]
            self.set_device(mac, versions=known, label=label)
        return self._answer(self.devices[mac])

    def _set_kind(self, mac: str, words: Json) -> None:
        self.kinds.pop((mac, words["source"]), None)
        if words["label"] is not None:
            self.kinds[mac, words["source"]] = words
        person, house = (self.kinds.get((mac, who)) for who in ("person", "home_assistant"))
        self.set_device(mac, kind=person or house)

    async def _retrain(self, _: web.Request) -> web.Response:
        if self.identification is None:
            return self._error(409, "devices are not identified (`identify`)")
        if self.identification["running"]:
            return self._error(409, "a model is being trained")
        self.identification = {**self.identification, "running": True}
        return self._answer(self.identification)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=0.5)
        await socket.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue()
        try:
            after = (await socket.receive_json())["after"]
            self._streams[socket] = queue
            if after > self.last_seq or after + 1 < self.kept_from:
                queue.put_nowait(json.dumps({"type": "gap", "last_seq": self.last_seq}))
            for event in self.events:
                if event["seq"] > after and event["seq"] >= self.kept_from:
                    queue.put_nowait(json.dumps({**event, **self.more}))
            sender = asyncio.create_task(self._pass_on(socket, queue))
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        break
            finally:
                sender.cancel()
        finally:
            self._streams.pop(socket, None)
        return socket

    async def _pass_on(self, socket: web.WebSocketResponse, queue: asyncio.Queue[str]) -> None:
        while True:
            await socket.send_str(await queue.get())


class _Forgiving:
    """Lets a client turn away within the handshake, as where it refuses the certificate.

    Home Assistant's tests fail for every error of the loop. The real agent has a loop of its own;
    here both sides share one.
    """

    def __init__(self, told: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]) -> None:
        self._told = told

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        refused = isinstance(context.get("exception"), ConnectionError)
        if not (refused and "incoming connection" in context["message"]):
            self._told(loop, context)


def _let_clients_turn_away(loop: asyncio.AbstractEventLoop) -> None:
    told = loop.get_exception_handler()
    if told is not None and not isinstance(told, _Forgiving):
        loop.set_exception_handler(_Forgiving(told))
