"""Devices whose firmware is a Python application: its packages change, Python does not."""

from fwid_agent.lab.corpus.catalogue.suites import PYTHON_ROOT, of_pip
from fwid_agent.lab.corpus.model import Debian, Device, Peer, Pip

_NUMPY = "numpy==1.26.4"
_METER = Debian("bookworm", ("mbpoll",))
_READ = "again 1 timeout 25 mbpoll -m tcp -q -l 2000 -t 4 -r 1 -c 12 heatpump.home"
_RECORDER = (Pip(("av==13.1.0", _NUMPY)), PYTHON_ROOT)

DEVICES = (
    Device(
        name="weather",
        category="Appliance",
        about="a weather station: tells its cloud by requests and urllib3, over TLS",
        main="requests",
        moves="library",
        pace="a value every 4 s for every 5 min; connections of 5 values",
        versions=of_pip(
            ("requests==2.25.1", "urllib3==1.26.5"),
            ("requests==2.28.2", "urllib3==1.26.20"),
            ("requests==2.31.0", "urllib3==2.0.7"),
            ("requests==2.32.5", "urllib3==2.5.0"),
            ("requests==2.34.2", "urllib3==2.8.0"),
        ),
        start="exec python3 /fwid/weather.py",
        settings=({"ROOM": "bristol", "EVERY": "4"}, {"ROOM": "edinburgh", "EVERY": "6"}),
    ),
    Device(
        name="heatpump",
        category="Appliance",
        about="a heat pump: a Modbus server by pymodbus, read by a hub",
        main="pymodbus",
        moves="library",
        pace="read every 2 s for every 10 to 60 s",
        versions=of_pip(
            ("pymodbus==2.5.3",),
            ("pymodbus==3.1.3",),
            ("pymodbus==3.6.9",),
            ("pymodbus==3.8.6",),
        ),
        start="exec python3 /fwid/heatpump.py",
        visit="mbpoll -m tcp -1 -q -t 4 -r 10 heatpump.home 21",
        visitor=(_METER,),
        settings=({"OFFSET": "100"}, {"OFFSET": "300"}),
        peers=(Peer("hub", (_METER,), _READ),),
    ),
    Device(
        name="camera",
        category="Surveillance",
        about="a camera: sends its stream to a recorder by FFmpeg's RTSP, through PyAV",
        main="av",
        moves="library",
        pace="real: a stream of 5 pictures a second",
        versions=of_pip(
            ("av==12.0.0", _NUMPY),
            ("av==13.1.0", _NUMPY),
            ("av==15.1.0", _NUMPY),
            ("av==18.1.0", _NUMPY),
        ),
        start="exec python3 /fwid/camera.py",
        use='timeout 4 busybox wget -q -O /dev/null "http://$CLOUD/seen?somebody=1"',
        settings=({"RATE": "5"}, {"RATE": "8"}),
        peers=(Peer("hub", _RECORDER, "exec python3 /fwid/recorder.py"),),
    ),
)
