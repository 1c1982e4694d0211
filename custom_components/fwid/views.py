"""The fingerprint images, for who may see the device; the card shows them by signed addresses."""

from http import HTTPStatus
from typing import get_args

from aiohttp import web
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.http import KEY_HASS_USER, HomeAssistantView
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized

from .client import Which
from .const import DOMAIN
from .permissions import check_user
from .services import find_device

_IMAGES: dict[str, Which] = {which: which for which in get_args(Which.__value__)}


class FingerprintView(HomeAssistantView):
    """Asks the agent for an image each time."""

    url = f"/api/{DOMAIN}/image/{{device_id}}/{{which}}.png"
    name = f"api:{DOMAIN}:image"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Serve the images of all agents."""
        self._hass = hass

    async def get(self, request: web.Request, device_id: str, which: str) -> web.Response:
        """Return one of a device's images."""
        try:
            coordinator, mac = found = find_device(self._hass, device_id)
            check_user(self._hass, request[KEY_HASS_USER], found, POLICY_READ)
            png = await coordinator.async_image(mac, _IMAGES[which])
        except KeyError:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        except ServiceValidationError:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        except Unauthorized:
            raise
        except HomeAssistantError:
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        if png is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        headers = {"Cache-Control": "private, max-age=60"}
        return web.Response(body=png, content_type="image/png", headers=headers)


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Register the view."""
    hass.http.register_view(FingerprintView(hass))
