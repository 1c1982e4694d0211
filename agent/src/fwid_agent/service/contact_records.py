"""How chatty a device is, as the API's messages want it: read from its windows in the store."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

import numpy as np

from fwid_agent.api.contract import Record
from fwid_agent.config import Config
from fwid_agent.store import Store
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    PROTOCOLS,
    ROWS,
    SENT,
    SUM_INDEX,
    ContactTable,
    Table,
    TokenKind,
    UnitTable,
    format_time,
)

_LISTED = 32  # networks, and ports
_IPV4_NETWORKS = 1 << 24  # as numbers; those of IPv6 lie above
_PROTOCOL = np.array([PROTOCOLS.index(row.protocol) for row in ROWS])


def contact_records(store: Store, config: Config, mac: int, since_ns: int) -> list[Record]:
    """How much it talked, and with whom, oldest first: `messages.Contact` each."""
    days = store.folded(mac, since_ns), store.contacts(mac, since_ns, kind="units")
    hours = store.windows(mac, since_ns), store.contacts(mac, since_ns)
    return [*_records(*days, config.unit_s), *_records(*hours, config.window_s)]


def _records(table: UnitTable, contacts: ContactTable, length_s: int) -> Iterator[Record]:
    table = merge_tables([_without_sessions(table)])
    packets = table.sums[:, :, SUM_INDEX["packets"]].sum(axis=1)
    size = table.sums[:, :, SUM_INDEX["size"]].sum(axis=1)
    bounds = np.searchsorted(table.tokens["period"], np.arange(len(table) + 1))
    known = {start_ns: period for period, start_ns in enumerate(contacts.start_ns.tolist())}
    for index, start_ns in enumerate(table.start_ns.tolist()):
        if packets[index]:
            ports = _ports(table.tokens[bounds[index] : bounds[index + 1]])
            yield {
                "time": format_time(start_ns),
                "length_s": length_s,
                "packets": int(packets[index]),
                "bytes": int(size[index]),
                "ports": ports[:_LISTED],
                "ports_beyond": sum(port["flows"] for port in ports[_LISTED:]),
                **_networks(contacts, known.get(start_ns)),
            }


def _networks(contacts: ContactTable, period: int | None) -> Record:
    """The networks of one period, the busiest first."""
    if period is None:
        return {}
    networks = contacts.networks[contacts.networks["period"] == period]
    networks = networks[np.argsort(-networks["flows"].astype(np.int64), kind="stable")]
    rows = networks[["network", "flows"]].tolist()
    return {
        "networks": [{"network": _name(row[0]), "flows": row[1]} for row in rows[:_LISTED]],
        "networks_beyond": int(contacts.beyond[period]) + sum(row[1] for row in rows[_LISTED:]),
    }


def _name(network: int) -> str:
    if network < _IPV4_NETWORKS:
        return str(IPv4Network((network << 8, 24)))
    return str(IPv6Network((network << 80, 48)))


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
        key = (port, int(_PROTOCOL[row]), bool(SENT[row]))
        flows[key] = flows.get(key, 0) + count
    return [
        {"port": port, "protocol": PROTOCOLS[protocol], "opened": opened, "flows": count}
        for (port, protocol, opened), count in sorted(
            flows.items(), key=lambda each: (-each[1], each[0])
        )
    ]
