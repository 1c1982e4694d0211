"""One self-contained HTML page of figures: no scripts, nothing loaded from elsewhere."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from fwid_agent.report import charts
from fwid_agent.report.charts import Chart, Timeline, draw_effect, draw_similarity, draw_timeline
from fwid_agent.report.model import Report, ReportDevice, ReportEvent, ReportVerdict

_VERDICTS_LISTED, _EVENTS_LISTED = 60, 12
_URGENT = ("changed", "suspected")  # the states that somebody should look at, first of all


@dataclass(frozen=True, slots=True)
class _Section:
    """A device with its charts."""

    device: ReportDevice
    timeline: Timeline | None
    similarity: Chart | None
    effect: Chart | None
    latest: ReportVerdict | None
    listed: tuple[ReportVerdict, ...]  # newest first
    events: tuple[ReportEvent, ...]  # the same
    pictures: tuple[tuple[str, str, str], ...]  # data URI, title, text for those who cannot see it


def render_report(report: Report) -> str:
    """Render the page; everything in the report is text to it, never HTML."""
    here = files("fwid_agent.report")
    style = "\n" + here.joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(here.joinpath("page.html.j2").read_text("utf-8"))
    return template.render(
        report=report,
        sections=[_section(device) for device in sorted(report.devices, key=_urgency)],
        style=Markup(style),  # noqa: S704 - our own file
        style_digest=digest,
        chart=charts,
    )


def _urgency(device: ReportDevice) -> int:
    return _URGENT.index(device.state) if device.state in _URGENT else len(_URGENT)


def _section(device: ReportDevice) -> _Section:
    newest_first = device.verdicts[::-1]
    return _Section(
        device,
        draw_timeline(device),
        draw_similarity(device),
        draw_effect(device),
        newest_first[0] if newest_first else None,
        newest_first[:_VERDICTS_LISTED],
        device.events[: -_EVENTS_LISTED - 1 : -1],
        tuple(
            (f"data:image/png;base64,{base64.b64encode(each.png).decode()}", each.title, each.alt)
            for each in device.pictures
        ),
    )
