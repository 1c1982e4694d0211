"""docs/api.md says what the server does."""

import re
from pathlib import Path

import fwid_agent.api.server as served
from fwid_agent.api.context import Limits
from fwid_agent.api.metrics import METRICS, write_metrics
from fwid_agent.api.openapi import make_document
from fwid_agent.api.routes import ROUTES

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")


def test_every_route_is_explained_and_no_other() -> None:
    """A person finds each route, marked as open where it is."""
    told = {
        (method, "/" + path): "*open*" in line
        for line in PAGE.splitlines()
        for method, path in re.findall(r"^\| `(GET|POST|DELETE) ([^`?]+)[^|]*` \|", line)
    }
    assert told == {(route.method, route.path): route.is_open for route in ROUTES}


def test_every_status_is_explained() -> None:
    """No answer is a riddle."""
    statuses = {
        status
        for methods in make_document("0")["paths"].values()
        for described in methods.values()
        for status in described["responses"]
    }
    table = PAGE[PAGE.index("| status |") : PAGE.index("## Events")]
    assert statuses - {"101", "200", "204"} <= set(re.findall(r"\d{3}", table))


def test_the_limits_are_those_of_the_code() -> None:
    """Numbers are changed in one place and forgotten in the other."""
    limits = Limits()
    assert f"larger than {limits.body_bytes // 1024} kB" in PAGE
    assert f"read for {limits.waiting_events} events" in PAGE
    assert f"most {limits.sockets} are open" in PAGE
    assert f":{served.DEFAULT_PORT}/" in PAGE
    assert (limits.resume_s, limits.body_s) == (10, 10)


def test_every_figure_is_explained_and_no_other() -> None:
    """A person who draws them knows what they see; Prometheus is told the same."""
    told = dict(re.findall(r"^\| `fwid_(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert told == {name: text[0].lower() + text[1:] for name, text in METRICS.items()}
    written = write_metrics(dict.fromkeys(METRICS, 1.0))
    for name, text in METRICS.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        head = f"# HELP fwid_{name} {text}\n# TYPE fwid_{name} {kind}\n"
        assert f"{head}fwid_{name} 1.0\n" in written
