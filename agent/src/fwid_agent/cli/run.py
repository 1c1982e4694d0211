"""`fwid run`: the live agent."""

import os
from pathlib import Path
from typing import Annotated

import typer

from fwid_agent.cli.options import ConfigFile, Json, Store, read_config, store_path


def run(
    interface: Annotated[
        str, typer.Argument(metavar="INTERFACE", help="Network interface to watch, such as eth0.")
    ],
    store: Store = None,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="User to run as, where it is started as root."),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", help="Where the API listens, by TLS; 0: nowhere.")
    ] = 8127,
    config: ConfigFile = None,
    json: Json = False,
    capture: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch an interface until stopped; needs the right to capture (root, or CAP_NET_RAW).

    Examples:

      fwid run eth0

      sudo fwid run eth0 --store /var/lib/fwid/fwid.db --user nobody --json

    """
    from fwid_agent.service.agent import ApiRequest, run_agent  # noqa: PLC0415 - scipy is slow to load
    from fwid_agent.service.launch import launch  # noqa: PLC0415
    from fwid_agent.service.link import CaptureLink  # noqa: PLC0415
    from fwid_agent.service.logs import set_up_logs  # noqa: PLC0415
    from fwid_agent.service.watcher import WatchRequest  # noqa: PLC0415

    request = WatchRequest(interface, store_path(store).absolute(), read_config(config))
    if capture is None:
        again = [interface, "--store", str(request.store), "--port", str(port)]
        again += ["--json"] if json else []
        again += ["--config", str(Path(config).absolute())] if config else []
        launch(request, user, again)
        return
    set_up_logs(debug=bool(os.environ.get("FWID_DEBUG")), json=json)
    descriptor, _, process = capture.partition(":")
    api = ApiRequest(None, port) if port else None
    run_agent(request, CaptureLink(int(descriptor), int(process)), api)
