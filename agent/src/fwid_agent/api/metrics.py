"""The agent's figures in Prometheus' text format: every name with what it means."""

from collections.abc import Mapping

# Names without the prefix; those that end in `_total` only grow, until the agent starts anew.
METRICS: Mapping[str, str] = {
    "capture_up": "Whether frames are captured from at least one source",
    "devices": "Devices that the agent knows",
    "devices_forgotten_total": "Devices that were forgotten to make room for others",
    "devices_partly_seen": "Devices of which not everything passes where the agent stands",
    "flows_evicted_total": "Flows that were closed early, for there were too many at once",
    "flows_total": "Flows that began",
    "frame_bytes_total": "Length on the wire of the frames that were read",
    "frame_copies_total": "Frames that another source or the mirror port had brought already",
    "frames_lost_total": "Frames that there was no room for before they were read",
    "frames_merged_total": "Frames that hold several packets and do not say how many",
    "frames_total": "Frames that were read",
    "frames_undecoded_total": "Frames whose headers could not be read",
    "packets_of_unknown_devices_total": "Packets of more addresses than are followed at once",
    "windows_lost_total": "Windows of devices that were given up, for they could not be stored",
}


def write_metrics(figures: Mapping[str, float]) -> str:
    """Write them; raises KeyError for a figure that has no meaning."""
    return "".join(_write(name, figures[name]) for name in sorted(figures))


def _write(name: str, value: float) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    head = f"# HELP fwid_{name} {METRICS[name]}\n# TYPE fwid_{name} {kind}\n"
    return f"{head}fwid_{name} {float(value)!r}\n"
