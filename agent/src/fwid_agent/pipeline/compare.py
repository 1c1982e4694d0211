"""The laboratory question: has this device's firmware changed between these captures?"""

from dataclasses import dataclass
from pathlib import Path

from fwid_agent.core.evidence import Judge, decide
from fwid_agent.core.handshakes.texts import TextBook, tell_texts
from fwid_agent.core.periods import make_period
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.pipeline.ingest import ReadOptions, read_windows
from fwid_agent.pipeline.messages import CompareRequest, OnNote, OnProgress
from fwid_agent.pipeline.models import load_model, load_prior
from fwid_agent.types import Decision, format_mac

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer, and the faults of captures that broke off: what came before them counts."""

    decision: Decision
    faults: tuple[UnreadableInputError, ...]


def compare(request: CompareRequest, *, on_progress: OnProgress, on_note: OnNote) -> Comparison:
    """Compare a device's traffic in two sets of captures.

    Raises:
        UnreadableInputError: a capture cannot be read at all, or the device is in none of them.
        UsageError: one capture is in both sets.

    """
    both = {Path(path).resolve() for path in request.baseline} & {
        Path(path).resolve() for path in request.test
    }
    if both:
        raise UsageError(f"{min(both)}: is both baseline and test; a capture can only be one")
    faults: list[UnreadableInputError] = []
    periods = []
    texts: dict[int, TextBook] = {}
    for paths in (request.baseline, request.test):
        windows, broken = read_windows(
            paths, _options(request), on_progress=on_progress, on_note=on_note, texts=texts
        )
        faults += broken
        if request.device not in windows:
            raise faults[0] if faults else _missing(request.device, paths)
        unit_ns = request.config.unit_s * SECOND_NS
        periods.append(make_period(windows[request.device], request.unit, unit_ns))
    mac = format_mac(request.device)
    baseline, test = periods
    decision = decide(mac, baseline, test, Judge(load_prior(), load_model()))
    told, _ = tell_texts(decision, (), texts.get(request.device) or TextBook())
    return Comparison(told, tuple(faults))


def _options(request: CompareRequest) -> ReadOptions:
    window_ns = int(request.window_s * SECOND_NS)
    return ReadOptions(window_ns, request.unit == "file", request.dedup, request.config)


def _missing(device: int, paths: tuple[str, ...]) -> UnreadableInputError:
    further = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return UnreadableInputError(
        paths[0] + further,
        f"no packet of {format_mac(device)} in there; `fwid replay` lists the devices that are",
    )
