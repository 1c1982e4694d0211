"""What a person has to put right, as Home Assistant's repairs show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from awesomeversion import AwesomeVersion
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .markdown import as_text
from .models import AgentInfo, Device, Source, Vantage
from .snapshot import Snapshot

API = 1
OLDEST_AGENT = "0.1.0"
_MOST_SKEW = timedelta(minutes=2)
_MOST_LOST = 0.01  # of all frames
_LEAST_LOST = 1000  # fewer are lost at a start
_NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to put right; `key` is its translation."""

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    is_fixable: bool = False  # by a flow of repairs.py


# Why a model is old.
_OLD = {
    "age": Issue("model_old_age", is_fixable=True),
    "changed": Issue("model_old_changed", is_fixable=True),
    "new_devices": Issue("model_old_new_devices", is_fixable=True),
    "worse": Issue("model_old_worse", is_fixable=True),
}


def find_version_issue(info: AgentInfo) -> Issue | None:
    """Return why this agent cannot be spoken with; None where it can."""
    versions = {"version": info.version, "oldest": OLDEST_AGENT}
    if info.api > API:
        return Issue("integration_too_old", versions, ir.IssueSeverity.ERROR)
    if info.api < API or AwesomeVersion(info.version) < AwesomeVersion(OLDEST_AGENT):
        return Issue("agent_too_old", versions, ir.IssueSeverity.ERROR)
    return None


def find_issues(snapshot: Snapshot, names: Mapping[str, str], now: datetime) -> tuple[Issue, ...]:
    """Return what is to be put right.

    Args:
        snapshot: what is known of the agent.
        names: what each enrolled device is called, by MAC.
        now: our clock, when the snapshot was taken.

    """
    sources = snapshot.info.sources
    found = [
        _find_idle(sources),
        _find_loss(sources),
        _find_skew(snapshot.info, now),
        _find_narrow_view(snapshot.devices, names),
        _find_old_model(snapshot.info),
    ]
    return tuple(issue for issue in found if issue is not None)


def _find_idle(sources: Iterable[Source]) -> Issue | None:
    idle = [source for source in sources if not source.capturing and source.trouble]
    if not idle:
        return None
    troubles = "; ".join(_name_trouble(source) for source in idle)
    return Issue("not_capturing", {"troubles": troubles}, ir.IssueSeverity.ERROR)


def _name_trouble(source: Source) -> str:
    """Return what is wrong with a source, with its name, which most troubles begin with."""
    named = source.trouble.startswith(f"{source.name}:")
    return source.trouble if named else f"{source.name}: {source.trouble}"


def _find_loss(sources: Iterable[Source]) -> Issue | None:
    losing = [
        source
        for source in sources
        if source.lost >= _LEAST_LOST and source.lost > _MOST_LOST * (source.frames + source.lost)
    ]
    if not losing:
        return None
    return Issue("packet_loss", {"sources": ", ".join(source.name for source in losing)})


def _find_skew(info: AgentInfo, now: datetime) -> Issue | None:
    if info.time is None or info.replays or abs(info.time - now) <= _MOST_SKEW:
        return None
    minutes = round(abs(info.time - now).total_seconds() / 60)
    return Issue("clock_skew", {"minutes": str(minutes)})


def _find_narrow_view(devices: Mapping[str, Device], names: Mapping[str, str]) -> Issue | None:
    narrow = [
        name
        for mac, name in sorted(names.items(), key=lambda item: item[1])
        if mac in devices and devices[mac].vantage is Vantage.MULTICAST
    ]
    if not narrow:
        return None
    shown = ", ".join(narrow[:_NAMES_SHOWN]) + ("…" if len(narrow) > _NAMES_SHOWN else "")
    return Issue("narrow_view", {"devices": shown, "count": str(len(narrow))})


def _find_old_model(info: AgentInfo) -> Issue | None:
    about = info.identification
    if about is None or about.running or about.old_because is None:
        return None
    return _OLD.get(about.old_because) or Issue("model_old", is_fixable=True)


@callback
def show_issues(hass: HomeAssistant, entry_id: str, agent: str, issues: Iterable[Issue]) -> None:
    """Show exactly these of an entry: what is over disappears."""
    wanted = {f"{issue.key}_{entry_id}": issue for issue in issues}
    registry = ir.async_get(hass)
    for domain, issue_id in list(registry.issues):
        if domain == DOMAIN and issue_id.endswith(entry_id) and issue_id not in wanted:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    for issue_id, issue in wanted.items():
        words = {"agent": agent, **issue.placeholders}
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry_id},
            is_fixable=issue.is_fixable,
            severity=issue.severity,
            translation_key=issue.key,
            translation_placeholders={name: as_text(text) for name, text in words.items()},
        )
