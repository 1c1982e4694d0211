"""The page of figures."""

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fwid_agent.report.model import (
    Report,
    ReportDevice,
    ReportEvent,
    ReportPicture,
    ReportVerdict,
)
from fwid_agent.report.page import render_report

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
VERDICTS = tuple(
    ReportVerdict(
        f"2026-01-{day:02}T00:00:00.000Z", "stable", 1, "stable", 0.9 - day / 100, 0.2, -0.9, 1.3,
        ("DNS sent at home, size 90 bytes: was 100",), "",
    )
    for day in range(1, 9)
)  # fmt: skip
DEVICE = ReportDevice(
    mac="02:00:00:00:00:01",
    state="stable",
    version=1,
    since="2026-01-02T00:00:00.000Z",
    first_seen="2026-01-01T00:00:00.000Z",
    last_seen="2026-01-08T00:00:00.000Z",
    packets_sent=12_345,
    packets_received=678,
    randomised=True,
    verdicts=VERDICTS,
    events=(ReportEvent("2026-01-01T00:00:00.000Z", "new device", ("a reason",)),),
    labels={1: "1.1.0"},
    pictures=(ReportPicture("before", PNG, "Before: version 1", "Rows with traffic: DNS"),),
)
REPORT = Report("2026-01-09T00:00:00.000Z", "home.db", (DEVICE,))
HOSTILE = """</style></title><script>alert(1)</script>"><img src=x onerror=alert(1)>'{{7*7}}&amp;"""


class Reader(HTMLParser):
    """Takes down what a browser would see of a page."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_well_formed_and_says_everything() -> None:
    """Every element is closed, every id is unique, every reference has its target."""
    reader = Reader(render_report(REPORT))
    ids = [attrs["id"] for _, attrs in reader.tags if attrs.get("id")]
    wanted = {
        name for _, attrs in reader.tags for name in (attrs.get("aria-labelledby") or "").split()
    } | {(attrs["href"] or "")[1:] for tag, attrs in reader.tags if tag == "a"}

    assert reader.open == []
    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)
    for said in (DEVICE.mac, "1 (1.1.0)", "12,345", "new device", "a reason", "was 100"):
        assert said in reader.text


def test_nothing_is_loaded_and_nothing_runs() -> None:
    """One file: no scripts, no links to elsewhere, and a policy that forbids both."""
    page = render_report(REPORT)
    reader = Reader(page)
    policy = next(
        attrs["content"] or ""
        for tag, attrs in reader.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not {"script", "iframe", "link", "object"} & {tag for tag, _ in reader.tags}
    for _, attrs in reader.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src"):
            assert re.match(r"#|data:image/png;base64,", attrs.get(name) or "#")


def test_hostile_text_is_only_text() -> None:
    """Names and reasons may come from anybody; none of them becomes part of the page's form."""
    clean = Reader(render_report(REPORT))
    unit = replace(VERDICTS[0], state=HOSTILE, verdict=HOSTILE, reasons=(HOSTILE,), missing=HOSTILE)
    device = replace(
        DEVICE,
        mac=HOSTILE,
        state=HOSTILE,
        since=HOSTILE,
        verdicts=(*VERDICTS[:-1], replace(unit, time=VERDICTS[-1].time)),
        events=(ReportEvent(HOSTILE, HOSTILE, (HOSTILE,)),),
        labels={1: HOSTILE},
        pictures=(replace(DEVICE.pictures[0], title=HOSTILE, alt=HOSTILE),),
    )
    hostile = Reader(render_report(Report(HOSTILE, HOSTILE, (device,))))

    assert hostile.open == []
    assert {tag for tag, _ in hostile.tags} == {tag for tag, _ in clean.tags}
    assert {(tag, name) for tag, attrs in hostile.tags for name in attrs} <= {
        (tag, name) for tag, attrs in clean.tags for name in attrs
    }
    assert HOSTILE in hostile.text


def test_who_cannot_see_the_figures_is_told_what_they_show() -> None:
    """Every chart has a title and a description, every picture a text."""
    reader = Reader(render_report(REPORT))
    charts = [attrs for tag, attrs in reader.tags if tag == "svg"]
    pictures = [attrs for tag, attrs in reader.tags if tag == "img"]

    assert len(charts) == 3
    assert all(len((attrs["aria-labelledby"] or "").split()) == 2 for attrs in charts)
    assert [attrs["alt"] for attrs in pictures] == ["Rows with traffic: DNS"]


def test_devices_that_want_attention_come_first() -> None:
    """Nobody has to look for the one that changed."""
    calm, changed = DEVICE, replace(DEVICE, mac="02:00:00:00:00:99", state="changed")
    page = render_report(replace(REPORT, devices=(calm, changed)))
    assert page.index(changed.mac) < page.index(calm.mac)


def test_an_open_change_shows_both_versions() -> None:
    """The number alone would say that nothing has changed."""
    changed = replace(DEVICE, state="changed", next_version=2)
    page = render_report(replace(REPORT, devices=(changed,)))
    assert page.count("1 (1.1.0) → 2") == 2  # in the overview, and above the device's charts


def test_a_chart_without_a_band_explains_none() -> None:
    """Three stable units are the fewest that a band is drawn from."""
    few = replace(DEVICE, verdicts=VERDICTS[:3])
    assert "The band holds" in render_report(REPORT)
    assert "The band holds" not in render_report(replace(REPORT, devices=(few,)))


def test_long_histories_are_cut_and_say_so() -> None:
    """A page of years stays a page; the rest is in the store."""
    units = tuple(
        replace(VERDICTS[0], time=f"20{year}-01-01T00:00:00.000Z") for year in range(10, 90)
    )
    page = render_report(replace(REPORT, devices=(replace(DEVICE, verdicts=units),)))
    assert "20 older verdicts are in the store" in page


def test_an_empty_store_gives_a_page_too() -> None:
    """It says what to do."""
    assert "Replay captures into this store first" in render_report(replace(REPORT, devices=()))
    assert render_report(
        replace(REPORT, devices=(replace(DEVICE, verdicts=(), events=(), pictures=()),))
    )


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed")
def test_a_browser_applies_the_style(tmp_path: Path) -> None:
    """The policy forbids nothing that the page needs: with its style the page looks different."""
    page = render_report(REPORT)
    shots = []
    for name, text in (("own", page), ("forbidden", page.replace("style-src 'sha256-", "x-src '"))):
        (tmp_path / f"{name}.html").write_text(text, "utf-8")
        subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
                f"--user-data-dir={tmp_path / 'profile'}", "--window-size=400,800",
                f"--screenshot={tmp_path / name}.png", f"file://{tmp_path / name}.html",
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        shots.append((tmp_path / f"{name}.png").read_bytes())

    assert shots[0] != shots[1]
