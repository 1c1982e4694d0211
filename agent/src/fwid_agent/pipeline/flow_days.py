"""Samples of the flows of each device and unit, of captures that nobody has stored."""

from collections.abc import Sequence

from fwid_agent.capture.files import open_capture
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.ingest import Ingest, ReadOptions, list_readable, read_blocks
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
    ingest = Ingest(options)
    days: dict[tuple[int, int], list[FlowSample]] = {}
    captures, faults = list_readable(paths, on_note)
    for session, capture in enumerate(captures, 1):
        ingest.begin_session(session, capture.first_ts_ns, capture.path)
        try:
            with open_capture(capture.path) as reader:
                for block in read_blocks(reader, on_progress, on_note):
                    ingest.feed(block)
        except UnreadableInputError as error:
            faults.append(error)
        ingest.end_session()
        for mac, units in ingest.drain().flows.items():
            for start_ns, sample in units.items():
                days.setdefault((mac, start_ns), []).append(sample)
    return [
        FlowDay(mac, start_ns, whole.seen, whole.values)
        for (mac, start_ns), samples in sorted(days.items())
        if len(whole := merge_flow_samples(samples))
    ], faults
