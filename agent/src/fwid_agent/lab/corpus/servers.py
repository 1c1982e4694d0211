"""The home's router and the cloud: real servers, in one version for the whole corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fwid_agent.api.certificate import load_certificate
from fwid_agent.lab.corpus.inside import Shell
from fwid_agent.lab.corpus.model import Debian
from fwid_agent.lab.corpus.network import CLOUD_NUMBERS, cloud_ip

# What the home and the cloud run, and what captures; the phone has it too.
SERVER_LAYER = Debian(
    "bookworm",
    (
        *("curl", "mosquitto", "mosquitto-clients", "chrony", "nginx", "dnsmasq-base"),
        *("ethtool", "tcpdump", "procps"),
    ),
)
_IMAGE_BYTES, _DOWNLOAD_BYTES = 3_000_000, 25_000_000
_DNSMASQ = "dnsmasq --keep-in-foreground --conf-file=/share/dnsmasq.conf"
_NGINX_PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class Seat:
    """A device at the router: its address and where its cloud is."""

    name: str
    mac: str
    ip: str
    cloud: str


def cloud_name(device: str) -> str:
    """Return the name of a device's cloud."""
    return f"{device}.cloud.example"


def make_programs(target: Path, devices: Sequence[str]) -> None:
    """Lay out what every host sees as /fwid: the programs of ours, and whom to trust."""
    target.mkdir()
    for source in (Path(__file__).with_name("apps")).iterdir():
        if source.is_file():
            path = target / source.name
            path.write_bytes(source.read_bytes())
            path.chmod(0o755)
    names = [*map(cloud_name, devices), "hub.home", "time.cloud.example", cloud_ip(10)]
    load_certificate(target / "servers.pem", names, datetime.now(tz=UTC))
    pem = (target / "servers.pem").read_text()
    (target / "ca.pem").write_text(pem[pem.index("-----BEGIN CERTIFICATE-----") :])


def start_router(shell: Shell, share: Path, seats: Sequence[Seat]) -> None:
    """Give addresses and names."""
    fixed = {"hub.home": "10.77.0.2", "time.cloud.example": cloud_ip(CLOUD_NUMBERS[0])}
    fixed |= {cloud_name(seat.name): seat.cloud for seat in seats}
    lines = [
        *("user=root", "no-resolv", "no-hosts", "no-ping", "dhcp-authoritative", "domain=home"),
        *("interface=br0", "bind-interfaces", "pid-file=/run/dnsmasq.pid", "local-ttl=20"),
        *("expand-hosts", "dhcp-leasefile=/tmp/leases", "local=/home/example/"),
        "dhcp-range=10.77.0.150,10.77.0.250,2m",
        *(f"dhcp-host={seat.mac},{seat.ip},{seat.name},2m" for seat in seats),
        *(f"host-record={name},{ip}" for name, ip in fixed.items()),
    ]
    (share / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
    shell.do(f"mkdir -p /var/lib/misc; {_DNSMASQ} &")


def restart_router(shell: Shell) -> None:
    """Forget every lease, as a router does that keeps them in memory."""
    shell.do("pkill dnsmasq; rm -f /tmp/leases; sleep 4")
    shell.do(f"{_DNSMASQ} &")


def start_cloud(shell: Shell, share: Path) -> None:
    """Start pages, images and a clock."""
    places = " ".join(f"{kind}_temp_path /tmp/{kind};" for kind in _NGINX_PLACES)
    answer = 'default_type application/json; return 200 \'{"ok":true,"next":300}\';'
    files = "".join(
        f"location /{name} {{ default_type application/octet-stream; root /tmp/www; }} "
        for name in ("image", "download", "song.wav", "long.wav")
    )
    nginx = (
        "daemon off; user root; pid /run/nginx.pid; error_log /tmp/nginx.log;\n"
        "worker_processes 1; events { worker_connections 512; }\n"
        f"http {{ access_log off; client_max_body_size 0; {places}\n"
        "keepalive_timeout 75; server { listen 80; listen 443 ssl;\n"
        "ssl_certificate /fwid/servers.pem; ssl_certificate_key /fwid/servers.pem;\n"
        f"{files} location / {{ {answer} }} }} }}\n"
    )
    chrony = "local stratum 2\nallow all\ncmdport 0\nbindcmdaddress /\npidfile /run/chrony.pid\n"
    (share / "nginx.conf").write_text(nginx)
    (share / "chrony.conf").write_text(chrony)
    shell.do("mkdir -p /tmp/www; sh /fwid/music.sh 8 >/tmp/www/song.wav")
    shell.do("sh /fwid/music.sh 12 >/tmp/www/long.wav")
    shell.do(f"truncate -s {_IMAGE_BYTES} /tmp/www/image")
    shell.do(f"truncate -s {_DOWNLOAD_BYTES} /tmp/www/download")
    shell.do("mkdir -p /var/log/nginx; nginx -c /share/nginx.conf &")
    shell.do("chronyd -x -d -u root -f /share/chrony.conf &")


def environment(device: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return what a device's shell knows."""
    return {
        "NAME": device,
        "CLOUD": cloud_name(device),
        "HUB": "hub.home",
        "TIME": "time.cloud.example",
        "CURL_CA_BUNDLE": "/fwid/ca.pem",
        "REQUESTS_CA_BUNDLE": "/fwid/ca.pem",
        "NODE_EXTRA_CA_CERTS": "/fwid/ca.pem",
        "PYTHONPATH": "/opt/python",
        "NODE_PATH": "/opt/node/node_modules",
        **settings,
    }
