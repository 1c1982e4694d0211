"""`fwid run`: the running agent."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fwid_agent.cli.options import (
    ConfigFile,
    Json,
    Speed,
    Store,
    read_config,
    read_speed,
    store_path,
)
from fwid_agent.config import find_config
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from pwd import struct_passwd

    from fwid_agent.service.feed import Feed
    from fwid_agent.service.request import WatchRequest


def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="What to watch, such as the network interface eth0; those in the configuration "
            "where none is named. With --replay: captures and folders.",
        ),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Replay captures instead; needs no rights at all.")
    ] = False,
    speed: Speed = "max",
    store: Store = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="User to run as, where root starts it: else the store's, or who called sudo.",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="NUMBER", min=0, max=65_535, help="Where the API listens, by TLS; 0: nowhere."
        ),
    ] = 8127,
    config: ConfigFile = None,
    json: Json = False,
    capture: Annotated[list[str] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch until stopped; an interface takes the right to capture (root, or CAP_NET_RAW).

    Examples:

      fwid run eth0

      sudo fwid run eth0 --store ~/fwid/store/fwid.db --json

      fwid run --replay captures/ --speed 60 --store /tmp/demo.db

    """
    from fwid_agent.capture.sources import find_kind  # noqa: PLC0415
    from fwid_agent.service.caller import find_caller  # noqa: PLC0415
    from fwid_agent.service.launch import launch  # noqa: PLC0415
    from fwid_agent.service.logs import set_up_logs  # noqa: PLC0415
    from fwid_agent.service.request import WatchRequest  # noqa: PLC0415

    launches = not replay and capture is None
    caller = find_caller() if launches and user is None else None
    if caller is not None:
        os.environ["HOME"] = caller.pw_dir  # whose store and configuration are meant
    settings = read_config(config)
    named = tuple(sources or () if replay else sources or settings.sources)
    request = WatchRequest(named, store_path(store).absolute(), settings)
    set_up_logs(debug=bool(os.environ.get("FWID_DEBUG")), json=json)
    if not named:
        raise UsageError("nothing to watch: name a source, such as eth0, or `sources` in fwid.toml")
    if replay:
        _run(request, _play_back(request, read_speed(speed), user), port)
        return
    kinds = [find_kind(source).name for source in named]
    if len(set(named)) < len(named):
        raise UsageError("a source is named twice")
    if launches:
        user = user or _choose_user(request.store, caller)
        found = find_config(config)
        shared = ["--port", str(port), *(["--config", str(found)] if found else [])]
        again = ["--store", str(request.store), *(["--json"] if json else [])]
        launch(request, user, shared, again)
        return
    _run(request, _connect(named, kinds, capture or ()), port)


def _choose_user(store: Path, caller: "struct_passwd | None") -> str | None:
    """Choose whom root becomes that names nobody, and say so."""
    from fwid_agent.service.caller import choose_user  # noqa: PLC0415

    if os.geteuid() != 0:
        return None
    user = choose_user(store, caller)
    log = logging.getLogger("fwid")
    if user is None:
        log.warning(
            "all of it runs as root, who owns what others rely on: "
            "name a user with --user, or use `fwid install-service`"
        )
    else:
        log.info("all of it runs as user=%s", user)
    return user


def _run(request: "WatchRequest", feed: "Feed", port: int) -> None:
    from fwid_agent.service.agent import ApiRequest, run_agent  # noqa: PLC0415 - scipy is slow to load
    from fwid_agent.service.supervisor import find_supervisor  # noqa: PLC0415

    run_agent(request, feed, ApiRequest(None, port, find_supervisor()) if port else None)


def _connect(sources: Sequence[str], kinds: Sequence[str], carried: Sequence[str]) -> "Feed":
    """Take over what the launch has carried over of each source's capture."""
    from fwid_agent.service.feed import SourceHealth  # noqa: PLC0415
    from fwid_agent.service.link import CaptureLink  # noqa: PLC0415
    from fwid_agent.service.live import LiveFeed  # noqa: PLC0415
    from fwid_agent.service.privileges import check_none  # noqa: PLC0415

    check_none()
    links = []
    for number, (source, kind, one) in enumerate(zip(sources, kinds, carried, strict=True)):
        descriptor, _, process = one.partition(":")
        health = SourceHealth(source, kind)
        links.append(CaptureLink(health, number, int(descriptor), int(process)))
    return LiveFeed(links)


def _play_back(request: "WatchRequest", speed: float | None, user: str | None) -> "Feed":
    from fwid_agent.capture.stream import is_stream  # noqa: PLC0415
    from fwid_agent.cli.output import note  # noqa: PLC0415
    from fwid_agent.pipeline.ingest import SECOND_NS, list_captures  # noqa: PLC0415
    from fwid_agent.service.launch import claim_store  # noqa: PLC0415
    from fwid_agent.service.playback import Playback  # noqa: PLC0415

    if user is not None:
        raise UsageError("--user: a replay needs no rights; start it as that user instead")
    for path in filter(is_stream, request.sources):
        raise UsageError(f"{path}: a stream cannot be replayed; --replay takes files and folders")
    captures = list_captures(request.sources, note)
    claim_store(request.store, None)
    return Playback(captures, speed, request.config.unit_s * SECOND_NS)
