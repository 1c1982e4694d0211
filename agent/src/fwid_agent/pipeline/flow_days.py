"""Samples of the flows of each device and unit, of captures that nobody has stored."""

from collections.abc import Sequence

from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.ingest import ReadOptions, read_gains
from fwid_agent.pipeline.messages import OnNote, OnProgress
from fwid_agent.tables import merge_flow_samples
from fwid_agent.types import FlowDay, FlowSample


def read_flow_days(
    paths: Sequence[str], options: ReadOptions, *, on_progress: OnProgress, on_note: OnNote
) -> tuple[list[FlowDay], list[UnreadableInputError]]:
    """Read captures.

    Returns:
        The samples by device and time, and the faults of captures that are none or broke off: what
        was read before a fault is in the samples.

    Raises:
        UnreadableInputError: nothing of it is a capture.

    """
    days: dict[tuple[int, int], list[FlowSample]] = {}
    faults: list[UnreadableInputError] = []
    for gain in read_gains(paths, options, faults, on_progress=on_progress, on_note=on_note):
        for mac, units in gain.flows.items():
            for start_ns, sample in units.items():
                days.setdefault((mac, start_ns), []).append(sample)
    return [
        FlowDay(mac, start_ns, whole.seen, whole.values)
        for (mac, start_ns), samples in sorted(days.items())
        if len(whole := merge_flow_samples(samples))
    ], faults
