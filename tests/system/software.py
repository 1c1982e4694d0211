"""What runs on the hosts: real servers and clients, in the versions of two Debian suites."""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

from fwid_agent.api.certificate import load_certificate

from tests.system.home import CLOUD_IP, HOUSE_IP, Home, Host

_PROGRAMS = Path(__file__).parents[2] / "scripts/programs"
OLD, NEW = "bookworm", "forky"


@cache
def runner(suite: str) -> str:
    """Path of what starts a program of a suite."""
    done = subprocess.run([_PROGRAMS, suite], check=True, capture_output=True, text=True)
    return f"{done.stdout.strip()}/run"


def version(program: str, suite: str) -> str:
    """Say which version a program has, such as "7.88.1"."""
    done = subprocess.run(
        [runner(suite), program, "--version"], check=False, capture_output=True, text=True
    )
    found = re.search(r"\d+\.[\d.]+", done.stdout)
    assert found, done
    return found[0]


@dataclass(frozen=True)
class Servers:
    """The hub's broker, and the cloud's page and clock."""

    broker: str  # address
    authority: Path  # whose certificate both show
    folder: Path  # for what a program needs of its own


def start_servers(home: Home, hub: Host, folder: Path) -> Servers:
    """Start mosquitto and a DHCP server on the hub, nginx and chrony in the cloud."""
    run = runner(OLD)
    names = [CLOUD_IP, hub.ip]
    certificate = load_certificate(folder / "servers.pem", names, datetime.now(tz=UTC)).path
    tls = f"certfile {certificate}\nkeyfile {certificate}\n"
    broker = f"allow_anonymous true\nuser root\nlistener 1883\nlistener 8883\n{tls}"
    home.start(hub, run, "mosquitto", "-c", _write(folder / "mosquitto.conf", broker))
    home.start(
        *(hub, run, "dnsmasq", "--keep-in-foreground", "--port=0", "--user=root", "--conf-file"),
        *("--dhcp-range=10.77.0.100,10.77.0.199,1h", f"--dhcp-option=option:router,{HOUSE_IP}"),
        *(f"--dhcp-leasefile={folder}/leases", f"--pid-file={folder}/dnsmasq.pid"),
        *("--no-ping", "--dhcp-authoritative"),
    )
    places = [f"{kind}_temp_path {folder}/{kind};" for kind in _NGINX_PLACES]
    page = (
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "worker_processes 1; events { worker_connections 256; }\n"
        f"http {{ access_log off; {' '.join(places)}\n"
        f"server {{ listen 443 ssl; ssl_certificate {certificate};\n"
        f"ssl_certificate_key {certificate}; location / {{ return 200 '{{}}'; }} }} }}\n"
    )
    home.start(home.cloud, run, "nginx", "-c", _write(folder / "nginx.conf", page))
    clock = _chrony(folder, "local stratum 2\nallow all\n")
    home.start(home.cloud, run, "chronyd", "-x", "-d", "-u", "root", "-f", clock)
    return Servers(hub.ip, certificate, folder)


_NGINX_PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _chrony(folder: Path, what: str) -> str:
    """Write a configuration that leaves this machine's own clock and chrony alone."""
    name = uuid4().hex[:8]
    rest = f"cmdport 0\nbindcmdaddress /\npidfile {folder}/{name}.pid\n"
    return _write(folder / f"{name}.conf", what + rest)


def _write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


# --- devices: each function gives a shell script --------------------------------------------------


def curl(servers: Servers, suite: str, pause_s: float) -> str:
    """Report a state to the cloud, again and again."""
    ask = f"--cacert {servers.authority} -d 'on=1&level=40' https://{CLOUD_IP}/state"
    return _again(f"{runner(suite)} curl -s -m 3 -o /dev/null {ask}", pause_s)


def mosquitto(servers: Servers, suite: str, pause_s: float, *, tls: bool) -> str:
    """Tell the hub a measured value, again and again."""
    where = f"-p 8883 --cafile {servers.authority}" if tls else "-p 1883"
    say = f"-h {servers.broker} {where} -t home/sensor -q 1 -m 21.5"
    return _again(f"{runner(suite)} mosquitto_pub {say}", pause_s)


def chrony(servers: Servers, suite: str) -> str:
    """Ask the cloud for the time, and set no clock."""
    config = _chrony(servers.folder, f"server {CLOUD_IP} minpoll -2 maxpoll -2\n")
    return f"exec {runner(suite)} chronyd -x -d -u root -f {config}"


def leased(servers: Servers, suite: str, ip: str, then: str) -> str:
    """Get this address by DHCP, and give it back at the end."""
    script = servers.folder / "leased.sh"
    script.write_text(
        '#!/bin/sh\n[ "$1" = bound ] || exit 0\n'
        'ip addr flush dev "$interface" scope global\n'
        'ip addr add "$ip/24" dev "$interface"\nip route replace default via "$router"\n'
    )
    script.chmod(0o755)
    ask = f"{runner(suite)} busybox udhcpc -f -R -t 20 -T 1 -i eth0 -r {ip} -s {script}"
    return f"{ask} & until ip -4 addr show dev eth0 | grep -q inet; do sleep .1; done; {then}"


def _again(command: str, pause_s: float) -> str:
    return f"while :; do {command}; sleep {pause_s}; done"
