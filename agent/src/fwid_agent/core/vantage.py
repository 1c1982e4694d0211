"""What of a device's traffic passes where the agent stands.

A switch sends a frame for one receiver only to the port of that receiver. From a plain port one
hears what a device sends to everybody, and of the rest a frame now and then, while the switch has
to learn who is where. A mirror port may copy one direction and not the other.
"""

from fwid_agent.types import Vantage

LEAST_PACKETS = 10
STRAY_SHARE = 0.02  # of all: what a switch lets out by the way is less
ONE_WAY_SHARE = 0.001  # whoever talks gets an answer more often than that


def judge_vantage(sent: int, received: int, multicast: int) -> Vantage:
    """Say what is seen of a device.

    Args:
        sent: packets that it sent to one receiver (other than the machine that watches).
        received: packets that were sent to it alone (by others than that machine).
        multicast: packets that it sent to several or to all.

    """
    to_one = sent + received
    if to_one + multicast < LEAST_PACKETS:
        return Vantage.UNKNOWN
    if to_one < STRAY_SHARE * (to_one + multicast):
        return Vantage.MULTICAST
    if received < ONE_WAY_SHARE * to_one:
        return Vantage.SENT
    if sent < ONE_WAY_SHARE * to_one:
        return Vantage.RECEIVED
    return Vantage.ALL
