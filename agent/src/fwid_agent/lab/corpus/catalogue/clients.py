"""Appliances that talk to a cloud or a broker by programs of Debian's releases."""

from fwid_agent.lab.corpus.catalogue.suites import of_suites
from fwid_agent.lab.corpus.model import Debian, Device, Peer
from fwid_agent.lab.corpus.servers import SERVER_LAYER

_LIGHT = ("curl", "mosquitto-clients", "chrony")
BROKER = Peer(
    "hub",
    (SERVER_LAYER,),
    """printf '%s\\n' 'allow_anonymous true' 'user root' 'listener 1883' 'listener 8883' \
'certfile /fwid/servers.pem' 'keyfile /fwid/servers.pem' >/tmp/broker.conf
exec mosquitto -c /tmp/broker.conf""",
)

DEVICES = (
    Device(
        name="doorcam",
        category="Surveillance",
        about="a door camera that sends a state and, when somebody is there, a picture by curl",
        main="curl",
        moves="system",
        pace="a state every 5 s for every 5 to 30 min",
        versions=of_suites(*_LIGHT),
        start="""head -c 30000 /dev/zero >/tmp/picture
again "$EVERY" curl -s -m 4 -o /dev/null -d '{"battery":93,"motion":false}' \
"https://$CLOUD/state" """,
        use='curl -s -m 4 -o /dev/null -T /tmp/picture "https://$CLOUD/pictures/front.jpg"',
        settings=({"EVERY": "5"}, {"EVERY": "8"}),
    ),
    Device(
        name="thermostat",
        category="Appliance",
        about="a thermostat that tells a broker its temperature and hears what is wished, over TLS",
        main="mosquitto-clients",
        moves="system",
        pace="a value every 4 s for every 5 min; keep-alive 10 s for 60 s",
        versions=of_suites(*_LIGHT),
        start="""again 1 mosquitto_sub -h "$HUB" -p 8883 --cafile /fwid/ca.pem -k 10 -i thermostat \
-t home/thermostat/set -q 1 >/dev/null &
again "$EVERY" mosquitto_pub -h "$HUB" -p 8883 --cafile /fwid/ca.pem -q 1 \
-t "$TOPIC" -m '{"temperature":21.5,"heating":true}'""",
        use="""mosquitto_pub -h "$HUB" -p 8883 --cafile /fwid/ca.pem -q 1 \
-t home/thermostat/button -m up""",
        visit='mosquitto_pub -h "$HUB" -t home/thermostat/set -m \'{"wish":22}\'',
        settings=(
            {"EVERY": "4", "TOPIC": "home/thermostat/state"},
            {"EVERY": "6", "TOPIC": "home/living-room/thermostat/state"},
        ),
        peers=(BROKER,),
    ),
    Device(
        name="clock",
        category="Appliance",
        about="a clock radio that keeps its time by NTP and asks for the weather by busybox wget",
        main="busybox",
        moves="system",
        pace="time every 4 s for every 1 to 17 min, weather every 12 s for every hour",
        versions=of_suites(*_LIGHT),
        start="""printf '%s\\n' "server $TIME minpoll 2 maxpoll 2" 'cmdport 0' \
'bindcmdaddress /' 'pidfile /run/chrony.pid' >/tmp/chrony.conf
chronyd -x -d -u root -f /tmp/chrony.conf &
again "$EVERY" timeout 4 busybox wget -q -O /dev/null "http://$CLOUD/weather?place=$PLACE" """,
        use='timeout 4 busybox wget -q -O /dev/null "http://$CLOUD/news"',
        settings=(
            {"EVERY": "12", "PLACE": "bristol"},
            {"EVERY": "9", "PLACE": "newcastle-upon-tyne"},
        ),
    ),
    Device(
        name="plug",
        category="Home Automation",
        about="a plug: libcoap's server, asked by a hub and switched by a phone",
        main="libcoap",
        moves="system",
        pace="asked every 5 s for every some minutes",
        versions=(
            *of_suites("libcoap2-bin", suites=("bullseye",)),
            *of_suites("libcoap3-bin", suites=("bookworm", "trixie", "forky")),
        ),
        start="""for server in coap-server-openssl coap-server-notls coap-server; do
command -v $server && break; done
exec $server -p "$PORT" """,
        visit="coap-client-openssl -B 2 -m put -e 20 coap://plug.home:$PORT/time",
        visitor=(Debian("bookworm", ("libcoap3-bin",)),),
        settings=({"PORT": "5683"}, {"PORT": "5683"}),
        peers=(
            Peer(
                "hub",
                (Debian("bookworm", ("libcoap3-bin",)),),
                "again 5 coap-client-openssl -B 2 -m get coap://plug.home/time",
            ),
        ),
    ),
)
