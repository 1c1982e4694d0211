"""Appliances whose addresses and time come by other programs than most: Debian's releases again."""

from fwid_agent.lab.corpus.catalogue.media import SEEKER
from fwid_agent.lab.corpus.catalogue.suites import of_suites
from fwid_agent.lab.corpus.model import Device
from fwid_agent.lab.corpus.servers import SERVER_LAYER

_SUITES = ("bullseye", "bookworm", "trixie")
_PLAYED = "urn:schemas-upnp-org:service:AVTransport:1"


def _command(name: str, rest: str) -> str:
    """Write what a phone sends to a player, by curl."""
    return f"""curl -s -m 3 -o /dev/null -H 'SOAPAction: "{_PLAYED}#{name}"' \
-H 'Content-Type: text/xml; charset="utf-8"' -d '<s:Envelope \
xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:{name} xmlns:u="{_PLAYED}">\
<InstanceID>0</InstanceID>{rest}</u:{name}></s:Body></s:Envelope>' \
http://renderer.home:49494/upnp/control/rendertransport1
"""


_URI = "<CurrentURI>http://'$CLOUD'/song.wav</CurrentURI><CurrentURIMetaData></CurrentURIMetaData>"

DEVICES = (
    Device(
        name="meter",
        category="Home Automation",
        about="an electricity meter: dhcpcd, systemd-timesyncd, and readings sent by curl",
        main="dhcpcd",
        moves="system",
        pace="a reading every 7 s for every quarter of an hour; time every 16 s and more",
        versions=(
            *of_suites("dhcpcd5", "systemd-timesyncd", "curl", suites=_SUITES[:1]),
            *of_suites("dhcpcd-base", "systemd-timesyncd", "curl", suites=_SUITES[1:]),
        ),
        start="""sh /fwid/timesync.sh &
again "$EVERY" curl -s -m 4 -o /dev/null -d '{"watt":412,"kwh":10412.7}' "https://$CLOUD/$KEY" """,
        use='curl -s -m 4 -o /dev/null "https://$CLOUD/tariff"',
        settings=({"EVERY": "7", "KEY": "meter"}, {"EVERY": "10", "KEY": "house/one/meter"}),
        dhcp="dhcpcd",
    ),
    Device(
        name="valve",
        category="Appliance",
        about="a water valve: dhclient, OpenNTPD, and a state told by busybox wget",
        main="isc-dhcp-client",
        moves="system",
        pace="a state every 6 s for every 10 min; time every some seconds, as OpenNTPD has it",
        versions=of_suites("isc-dhcp-client", "openntpd", suites=_SUITES),
        start="""echo "server $TIME" >/tmp/ntpd.conf
ntpd -d -f /tmp/ntpd.conf &
again "$EVERY" timeout 4 busybox wget -q -O /dev/null "http://$CLOUD/valve?$STATE" """,
        use='timeout 4 busybox wget -q -O /dev/null "http://$CLOUD/valve?turned"',
        settings=(
            {"EVERY": "6", "STATE": "open=1"},
            {"EVERY": "9", "STATE": "open=1&garden=roses"},
        ),
        dhcp="dhclient",
    ),
    Device(
        name="renderer",
        category="Media",
        about="a network player: gmrender-resurrect on GStreamer, told by a phone what to play",
        main="gmediarender",
        moves="system",
        pace="announced as it likes, looked for every 11 s; a song of 8 s for one of minutes",
        versions=of_suites(
            *("gmediarender", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"),
            suites=_SUITES,
        ),
        start="exec sh /fwid/renderer.sh",
        visit=_command("SetAVTransportURI", _URI)
        + _command("Play", "<Speed>1</Speed>")
        + "sleep 4\n"
        + _command("Stop", ""),
        visitor=(SERVER_LAYER,),
        settings=({"ROOM": "Player"}, {"ROOM": "Player in the living room"}),
        peers=(SEEKER,),
    ),
)
