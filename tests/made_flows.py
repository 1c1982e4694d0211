"""Records of flows for tests, as `FlowBook` gives them: made by a seed."""

import numpy as np
from fwid_agent.core.flow_features import FlowBook
from fwid_agent.types import Table

SECOND_NS = 1_000_000_000


def make_flows(seed: int, count: int, *, opener: int, responder: int, start_ns: int = 0) -> Table:
    """Flows of two ends, one a second on average, each with a port of its own."""
    rng = np.random.default_rng(seed)
    records = np.zeros(count, FlowBook().take_ended().dtype)
    starts = start_ns + np.sort(rng.integers(0, (count + 1) * SECOND_NS, count))
    records["start_ns"], records["last_ns"] = starts, starts + 5 * SECOND_NS
    records["number"] = np.arange(count)
    records["opener"], records["responder"] = opener, responder
    records["opener_port"] = rng.integers(1024, 65_536, count)
    records["responder_port"], records["proto"] = 443, 6
    records["packets"], records["bytes"] = 7, rng.integers(100, 9000, (count, 2))
    records["size"]["n"], records["gap"]["n"] = 14, 13
    return records
