"""How chatty a device is, as the API's messages want it: read from its windows in the store."""

from collections.abc import Iterator

import numpy as np

from fwid_agent.api.contract import Record
from fwid_agent.config import Config
from fwid_agent.store import Store
from fwid_agent.tables import merge_tables
from fwid_agent.types import PROTOCOLS, ROWS, SUM_INDEX, Table, TokenKind, UnitTable, format_time

_PORTS_LISTED = 32
_SENT = np.array([row.direction == "sent" for row in ROWS])
_PROTOCOL = np.array([PROTOCOLS.index(row.protocol) for row in ROWS])


def contact_records(store: Store, config: Config, mac: int, since_ns: int) -> list[Record]:
    """How much it talked, and with whom, oldest first: `messages.Contact` each."""
    days = _records(store.folded(mac, since_ns), config.unit_s)
    return [*days, *_records(store.windows(mac, since_ns), config.window_s)]


def _records(table: UnitTable, length_s: int) -> Iterator[Record]:
    table = merge_tables([_without_sessions(table)])
    packets = table.sums[:, :, SUM_INDEX["packets"]].sum(axis=1)
    size = table.sums[:, :, SUM_INDEX["size"]].sum(axis=1)
    bounds = np.searchsorted(table.tokens["period"], np.arange(len(table) + 1))
    for index, start_ns in enumerate(table.start_ns.tolist()):
        if packets[index]:
            ports = _ports(table.tokens[bounds[index] : bounds[index + 1]])
            yield {
                "time": format_time(start_ns),
                "length_s": length_s,
                "packets": int(packets[index]),
                "bytes": int(size[index]),
                "ports": ports[:_PORTS_LISTED],
                "ports_beyond": len(ports[_PORTS_LISTED:]),
            }


def _without_sessions(table: UnitTable) -> UnitTable:
    session = np.zeros(len(table), np.int32)
    return UnitTable(table.start_ns, session, table.observed, table.sums, table.tokens)


def _ports(tokens: Table) -> list[Record]:
    """The services of one period, the busiest first."""
    tokens = tokens[(tokens["kind"] == TokenKind.PORT) & (tokens["value"] > 0)]
    flows: dict[tuple[int, int, bool], int] = {}
    for row, port, count in zip(
        tokens["row"].tolist(), tokens["value"].tolist(), tokens["count"].tolist(), strict=True
    ):
        key = (port, int(_PROTOCOL[row]), bool(_SENT[row]))
        flows[key] = flows.get(key, 0) + count
    return [
        {"port": port, "protocol": PROTOCOLS[protocol], "opened": opened, "flows": count}
        for (port, protocol, opened), count in sorted(
            flows.items(), key=lambda each: (-each[1], each[0])
        )
    ]
