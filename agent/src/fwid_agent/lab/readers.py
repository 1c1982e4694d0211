"""What others do with a capture: python -m fwid_agent.lab.readers NAME FILE.

Every reader prints how many packets it saw. They run in processes of their own so that one's
memory and imports are not another's.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path


def read_dpkt(path: str) -> int:
    """One dpkt object a packet, and the addresses, ports and lengths looked at."""
    dpkt = importlib.import_module("dpkt")
    seen: set[tuple[object, ...]] = set()
    packets = 0
    with Path(path).open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            packets += 1
            frame = dpkt.ethernet.Ethernet(data)
            if isinstance(frame.data, dpkt.ip.IP | dpkt.ip6.IP6):
                ports = frame.data.data
                seen.add(
                    (
                        frame.data.src,
                        frame.data.dst,
                        frame.data.p,
                        getattr(ports, "sport", 0),
                        getattr(ports, "dport", 0),
                    )
                )
    return packets


def read_scapy(path: str) -> int:
    """Full dissection of every packet."""
    scapy = importlib.import_module("scapy.all")
    with scapy.PcapReader(path) as reader:
        return sum(1 for _ in reader)


def read_nfstream(path: str) -> int:
    """nfstream's flow table with statistics, one meter process, no dissection of payload."""
    nfstream = importlib.import_module("nfstream")
    stream = nfstream.NFStreamer(
        source=path, statistical_analysis=True, n_dissections=0, n_meters=1, accounting_mode=1
    )
    return sum(flow.bidirectional_packets for flow in stream)


READERS: dict[str, Callable[[str], int]] = {
    "dpkt": read_dpkt,
    "scapy": read_scapy,
    "nfstream": read_nfstream,
}

if __name__ == "__main__":
    print(READERS[sys.argv[1]](sys.argv[2]))
