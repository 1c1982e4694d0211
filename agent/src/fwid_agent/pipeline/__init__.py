"""The stages wired together: comparing captures, and replaying them as if they were live."""

from fwid_agent.pipeline.compare import Comparison, compare
from fwid_agent.pipeline.messages import (
    CompareRequest,
    DeviceLine,
    Progress,
    ReasonLine,
    ReplayRequest,
    Summary,
    VerdictLine,
)
from fwid_agent.pipeline.replay import replay

__all__ = [
    "CompareRequest",
    "Comparison",
    "DeviceLine",
    "Progress",
    "ReasonLine",
    "ReplayRequest",
    "Summary",
    "VerdictLine",
    "compare",
    "replay",
]
