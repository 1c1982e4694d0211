"""Home Assistant's ingress: the page inside its own, for those who are logged in there.

The Supervisor passes on what a person's browser asks, by plain HTTP and from one address; it has
seen to it that they may. So whoever comes by this way needs no token, and nobody else may come.
"""

from dataclasses import dataclass

from aiohttp import web

from fwid_agent.api.tokens import Token

# Stands for all who come by the ingress; it is kept nowhere and cannot be shown.
VISITOR = Token("ingress", "Home Assistant's ingress", "", "", session=True)


@dataclass(frozen=True, slots=True)
class Ingress:
    """Where the Supervisor's requests come in, and from where; as Home Assistant documents it."""

    host: str = "172.30.32.1"
    port: int = 8128
    visitor: str = "172.30.32.2"

    def admits(self, request: web.Request) -> bool:
        """Say whether a request came in here; the listener hears no other address."""
        if request.transport is None:
            return False
        name = request.transport.get_extra_info("sockname")
        return bool(name) and tuple(name[:2]) == (self.host, self.port)
