"""Devices whose firmware is a JavaScript application: its packages change, Node.js does not."""

from fwid_agent.lab.corpus.catalogue.clients import BROKER
from fwid_agent.lab.corpus.catalogue.media import BROWSER, SEEKER
from fwid_agent.lab.corpus.catalogue.suites import of_npm
from fwid_agent.lab.corpus.model import Debian, Device, Peer
from fwid_agent.lab.corpus.servers import SERVER_LAYER

COAP_CLIENT = Debian("bookworm", ("libcoap3-bin",))
_MQTT = "again 1 mosquitto_sub -h hubbox.home -p 1884 -k 10 -i panel -t 'hub/#' -q 1 >/dev/null"
_SENSOR = "again 4 mosquitto_pub -h hubbox.home -p 1884 -q 1 -t hub/sensor -m '{\"degrees\":19.5}'"

DEVICES = (
    Device(
        name="castbox",
        category="Media",
        about="a player behind a television: announced by bonjour-service, steered over HTTP",
        main="bonjour-service",
        moves="library",
        pace="looked for every 7 s for every some minutes",
        versions=of_npm(
            *("bonjour-service@1.0.14", "bonjour-service@1.1.1", "bonjour-service@1.2.1"),
            *("bonjour-service@1.3.0", "bonjour-service@1.4.4"),
        ),
        start="exec node /fwid/castbox.js",
        visit="curl -s -o /dev/null http://castbox.home:8008/status",
        settings=({"ROOM": "television"}, {"ROOM": "television downstairs"}),
        peers=(BROWSER,),
    ),
    Device(
        name="strip",
        category="Home Automation",
        about="a strip of lamps: announced by node-ssdp, switched over HTTP",
        main="node-ssdp",
        moves="library",
        pace="announced every 10 s for every 10 s to 30 min; looked for every 11 s",
        versions=of_npm("node-ssdp@2.9.1", "node-ssdp@3.3.0", "node-ssdp@4.0.1"),
        start="exec node /fwid/strip.js",
        visit="""curl -s -o /dev/null http://strip.home:8080/description.xml
curl -s -o /dev/null http://strip.home:8080/on""",
        settings=({"ROOM": "strip", "EVERY": "10"}, {"ROOM": "strip at the desk", "EVERY": "15"}),
        peers=(SEEKER,),
    ),
    Device(
        name="bulb",
        category="Home Automation",
        about="a bulb: a node-coap server, watched by a hub and switched by a phone",
        main="coap",
        moves="library",
        pace="asked every 4 s for every some minutes; tells every 7 s",
        versions=of_npm("coap@0.26.0", "coap@1.0.11", "coap@1.3.0", "coap@1.5.0"),
        start="exec node /fwid/bulb.js",
        visit="coap-client-openssl -B 2 -m put -e 70 coap://bulb.home/light",
        visitor=(COAP_CLIENT,),
        settings=({"ROOM": "bulb", "EVERY": "7"}, {"ROOM": "bulb-over-the-table", "EVERY": "9"}),
        peers=(
            Peer(
                "hub",
                (COAP_CLIENT,),
                "again 4 coap-client-openssl -B 2 -m get coap://bulb.home/light",
            ),
            Peer(
                "hub",
                (COAP_CLIENT,),
                "again 1 coap-client-openssl -B 60 -s 60 coap://bulb.home/light",
            ),
        ),
    ),
    Device(
        name="hubbox",
        category="Hub",
        about="a hub of radio sensors: aedes is its broker for panel and sensor",
        main="aedes",
        moves="application",
        pace="a value every 4 s for every minute; keep-alive 10 s for 60 s",
        versions=of_npm("aedes@0.46.3", "aedes@0.49.0", "aedes@0.51.3", "aedes@1.2.0"),
        start="exec node /fwid/broker.js",
        visit="mosquitto_pub -h hubbox.home -p 1884 -t hub/scene -m evening",
        settings=(
            {"ROOM": "hub", "EVERY": "5", "PORT": "1884"},
            {"ROOM": "hub-of-everything", "EVERY": "7", "PORT": "1884"},
        ),
        peers=(Peer("hub", (SERVER_LAYER,), _MQTT), Peer("hub", (SERVER_LAYER,), _SENSOR)),
    ),
    Device(
        name="nodered",
        category="Hub",
        about="a hub with rules: Node-RED takes the weather from a cloud to a broker, shows a page",
        main="node-red",
        moves="application",
        pace="a look at the weather every 5 s for every 10 min; keep-alive 10 s for 60 s",
        versions=of_npm(
            *("node-red@2.2.3", "node-red@3.0.2", "node-red@3.1.0", "node-red@3.1.15"),
            pinned=("mqtt@4.3.7",),
        ),
        start="exec sh /fwid/nodered.sh",
        visit="curl -s -o /dev/null http://nodered.home:1880/state",
        settings=({"ROOM": "bristol", "EVERY": "5"}, {"ROOM": "london", "EVERY": "8"}),
        peers=(BROKER,),
    ),
)
