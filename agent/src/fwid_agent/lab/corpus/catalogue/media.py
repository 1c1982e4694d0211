"""What plays music and films: programs of Debian's releases, from the application down."""

from fwid_agent.lab.corpus.catalogue.suites import of_suites
from fwid_agent.lab.corpus.model import Debian, Device, Peer
from fwid_agent.lab.corpus.servers import SERVER_LAYER

_MUSIC = Debian("bookworm", ("mpc", "snapserver"))
_FINDERS = Debian("bookworm", ("avahi-daemon", "avahi-utils", "dbus", "gupnp-tools", "curl"))
# Somebody in the home who looks for what is announced, as every phone and computer does.
BROWSER = Peer(
    "hub",
    (_FINDERS,),
    """. /fwid/announced.sh
look() {
    for kind in raop castbox switch; do timeout 3 avahi-browse -rpt "_$kind._tcp" >/dev/null; done
    avahi-daemon -k
    sleep "$1"
    avahi_again
}
again 0 look 6""",
)
SEEKER = Peer("hub", (_FINDERS,), "again 11 gssdp-discover -i eth0 -n 2 -t ssdp:all")
_RENDERED = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Browse '
    'xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1"><ObjectID>64</ObjectID>'
    "<BrowseFlag>BrowseDirectChildren</BrowseFlag><Filter>*</Filter><StartingIndex>0"
    "</StartingIndex><RequestedCount>0</RequestedCount><SortCriteria></SortCriteria>"
    "</u:Browse></s:Body></s:Envelope>"
)

DEVICES = (
    Device(
        name="radio",
        category="Audio",
        about="an internet radio: mpd, switched by a phone, watched by a hub",
        main="mpd",
        moves="system",
        pace="a look by the hub every 6 s for every minute; a song of 8 s for one of minutes",
        versions=of_suites("mpd", suites=("bullseye", "bookworm", "trixie")),
        start="exec sh /fwid/radio.sh",
        visit="""[ -e /tmp/song ] || { mpc -q -h radio.home clear && mpc -q -h radio.home add \
"http://$CLOUD/$SONG" && touch /tmp/song; }
mpc -q -h radio.home play; sleep 4; mpc -q -h radio.home stop""",
        visitor=(_MUSIC,),
        settings=({"ROOM": "radio", "SONG": "song.wav"}, {"ROOM": "kitchen", "SONG": "long.wav"}),
        peers=(Peer("hub", (_MUSIC,), "again 6 mpc -h radio.home status"),),
    ),
    Device(
        name="speaker",
        category="Audio",
        about="a loudspeaker of several rooms: snapclient, played to by a server in the home",
        main="snapclient",
        moves="system",
        pace="real: its clock is compared every second; music of 4 s for minutes",
        versions=of_suites("snapclient", "libasound2-data"),
        start="again 1 sh /fwid/speaker.sh",
        visit="head -c 128000 /dev/urandom >/share/music",
        settings=({"ROOM": "speaker"}, {"ROOM": "speaker-in-the-living-room"}),
        peers=(Peer("hub", (_MUSIC,), "again 1 sh /fwid/snapserver.sh"),),
    ),
    Device(
        name="airplay",
        category="Audio",
        about="an AirPlay loudspeaker: shairport-sync, announced by avahi, asked by a phone",
        main="shairport-sync",
        moves="system",
        pace="looked for every 7 s for every some minutes",
        versions=of_suites(
            *("shairport-sync", "avahi-daemon", "dbus"), suites=("bullseye", "bookworm", "trixie")
        ),
        start="sh /fwid/airplay.sh",
        visit="curl -s -m 3 -o /dev/null rtsp://airplay.home:5000",
        settings=({"ROOM": "Bedroom"}, {"ROOM": "Upstairs bathroom"}),
        peers=(BROWSER,),
    ),
    Device(
        name="dlna",
        category="Media",
        about="a media server: minidlna, found by SSDP and browsed by a phone",
        main="minidlna",
        moves="system",
        pace="announced every 20 s for every 15 min; looked for every 11 s",
        versions=of_suites("minidlna", suites=("bullseye", "bookworm", "trixie")),
        start="exec sh /fwid/dlna.sh",
        visit=f"""curl -s -o /dev/null http://dlna.home:8200/rootDesc.xml
curl -s -o /dev/null -H 'SOAPAction: "urn:schemas-upnp-org:service:ContentDirectory:1#Browse"' \
-H 'Content-Type: text/xml' -d '{_RENDERED}' http://dlna.home:8200/ctl/ContentDir
curl -s -o /dev/null http://dlna.home:8200/MediaItems/22.wav""",
        visitor=(SERVER_LAYER,),
        settings=({"ROOM": "media", "EVERY": "20"}, {"ROOM": "films of us all", "EVERY": "30"}),
        peers=(SEEKER,),
    ),
)
