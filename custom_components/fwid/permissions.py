"""Who may see a device, and who may decide about it: those who may do so with its sensor."""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN
from .coordinator import FwidCoordinator

type Found = tuple[FwidCoordinator, str]  # who to ask about a device, and its MAC


@callback
def is_allowed(hass: HomeAssistant, user: User, found: Found, permission: str) -> bool:
    """Return whether somebody may do this with a device."""
    if user.is_admin:
        return True
    coordinator, mac = found
    unique_id = f"{coordinator.agent_id}_{mac}_stability"
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)
    return entity_id is not None and user.permissions.check_entity(entity_id, permission)


@callback
def check_user(hass: HomeAssistant, user: User, found: Found, permission: str) -> None:
    """Raise Unauthorized where somebody may not do this with a device."""
    if not is_allowed(hass, user, found, permission):
        raise Unauthorized(user_id=user.id, permission=permission)


async def check_call(call: ServiceCall, devices: Iterable[Found], permission: str) -> None:
    """Raise Unauthorized where whoever calls may not; automations may do everything."""
    user_id = call.context.user_id
    if user_id is None:
        return
    user = await call.hass.auth.async_get_user(user_id)
    if user is None:
        raise UnknownUser(context=call.context, permission=permission, user_id=user_id)
    for found in devices:
        check_user(call.hass, user, found, permission)
