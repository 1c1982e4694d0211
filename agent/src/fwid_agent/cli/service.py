"""`fwid install-service`: the agent as a service of systemd."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import print_json, say
from fwid_agent.config import SERVICE_STORE
from fwid_agent.errors import UsageError
from fwid_agent.service import install as services


def install_service(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="What to watch, such as the network interface eth0; not needed for an upgrade.",
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the service instead.")] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="With --remove: also its configuration and what it remembers.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Install the agent as a sandboxed service that starts with the machine, or upgrade it.

    Examples:

      sudo fwid install-service eth0

      sudo fwid install-service --remove

    """
    if everything and not remove:
        raise UsageError("--everything: only with --remove, whose job it is")
    if remove:
        services.remove(everything=everything)
        done = "removed" if everything else f"removed; its memory stays in {SERVICE_STORE.parent}"
    else:
        watched = services.install(sources or ()).sources
        # In full: sudo looks for programs in the system's own folders only.
        program = Path(sys.executable).with_name("fwid")
        done = f"watching {', '.join(watched)}; `sudo {program} pair` lets you in"
    if json:
        print_json({"service": services.UNIT.name, "store": str(SERVICE_STORE), "done": done})
    else:
        say(f"{services.UNIT.name}: {done}")
