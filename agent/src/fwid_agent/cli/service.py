"""`fwid install-service`: the agent as a service of systemd."""

from typing import Annotated

import typer

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import print_json, say
from fwid_agent.errors import UsageError
from fwid_agent.service import install as services


def install_service(
    interface: Annotated[
        str | None, typer.Argument(metavar="INTERFACE", help="Network interface to watch.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the service instead.")] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="With --remove: also what the agent remembers.")
    ] = False,
    json: Json = False,
) -> None:
    """Install the agent as a sandboxed service that starts with the machine, or upgrade it.

    Examples:

      sudo fwid install-service eth0

      sudo fwid install-service --remove

    """
    if remove:
        services.remove(everything=everything)
        done = "removed" if everything else f"removed; its memory stays in {services.STORE.parent}"
    elif interface is None:
        raise UsageError("which INTERFACE is to be watched? `ip link` lists them")
    else:
        services.install(interface)
        done = f"watching {interface}; `sudo fwid pair --store {services.STORE}` lets you in"
    if json:
        print_json({"service": services.UNIT.name, "store": str(services.STORE), "done": done})
    else:
        say(f"{services.UNIT.name}: {done}")
