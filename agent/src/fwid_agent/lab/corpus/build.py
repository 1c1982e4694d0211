"""Programs that are published as sources only, compiled by the machine's own compiler.

They are linked statically, and one file after the other: nobody else on the machine is in a hurry.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fwid_agent.lab.corpus.debian import call
from fwid_agent.lab.corpus.model import Built, CorpusError

_HERE = Path(__file__).with_name("recipes")
_LWIP_PARTS = (
    *("src/core/*.c", "src/core/ipv4/*.c", "src/core/ipv6/*.c", "src/netif/ethernet.c"),
    *("src/apps/mqtt/*.c", "src/apps/sntp/*.c", "src/apps/mdns/*.c"),
)
_NEW_STANDARD = 2026  # the year from which ESPHome needs C++20


def build(layer: Built, sources: Sequence[Path], target: Path) -> None:
    """Compile a program into a folder; `sources` are the layers that it is made of."""
    if shutil.which("gcc") is None or shutil.which("g++") is None:
        raise CorpusError(f"needs gcc and g++, which compile {layer.recipe}: install g++")
    work = target.with_name(f"{target.name}.build")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    program = target / "usr/bin" / layer.recipe
    program.parent.mkdir(parents=True)
    _RECIPES[layer.recipe](layer, sources, work, program)
    shutil.rmtree(work)


def recipe_digest(layer: Built) -> bytes:
    """Tell recipes apart: a program is compiled anew where its recipe has changed."""
    files = sorted(path for path in _HERE.rglob(f"{layer.recipe}*") if path.is_file())
    files += sorted(path for path in (_HERE / layer.recipe).rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).digest()


def _build_switch(layer: Built, sources: Sequence[Path], work: Path, program: Path) -> None:
    """lwIP with its own MQTT, SNTP and mDNS; a version may set the TCP window: "2.2.1 8640"."""
    source = sources[0]
    window = layer.version.partition(" ")[2]
    flags = ["-O1", "-w", f"-I{_HERE / 'switch'}", f"-I{source / 'src/include'}"]
    if window:
        flags.append(f"-DTCP_WND={window}")
    parts = [path for pattern in _LWIP_PARTS for path in sorted(source.glob(pattern))]
    _compile("gcc", flags, [*parts, _HERE / "switch/main.c"], work, program)


def _build_sensor(layer: Built, sources: Sequence[Path], work: Path, program: Path) -> None:
    """ESPHome's firmware for a computer: its sources as ESPHome writes them."""
    del sources
    call(sys.executable, "-m", "venv", str(work / "tools"))
    python = work / "tools/bin/python"
    call(
        *(str(python), "-m", "pip", "install", "--quiet", "--no-compile"),
        *("--disable-pip-version-check", f"esphome=={layer.version}"),
    )
    shutil.copy(_HERE / "sensor.yaml", work)
    call(
        *(str(python), "-m", "esphome", "compile", "--only-generate", str(work / "sensor.yaml")),
    )
    source = work / ".esphome/build/sensor/src"
    standard = "gnu++20" if int(layer.version.partition(".")[0]) >= _NEW_STANDARD else "gnu++17"
    flags = ["-O1", "-w", f"-I{source}", "-DUSE_HOST", "-fno-exceptions", f"-std={standard}"]
    flags.append("-DESPHOME_LOG_LEVEL=ESPHOME_LOG_LEVEL_WARN")
    _compile("g++", flags, sorted(source.rglob("*.cpp")), work, program)


def _compile(
    compiler: str, flags: Sequence[str], parts: Iterable[Path], work: Path, program: Path
) -> None:
    objects = []
    for number, part in enumerate(parts):
        made = work / f"{number}.o"
        call(compiler, *flags, "-c", "-o", str(made), str(part))
        objects.append(str(made))
    call(compiler, "-static", "-pthread", "-o", str(program), *objects)


_Recipe = Callable[[Built, Sequence[Path], Path, Path], None]
_RECIPES: Mapping[str, _Recipe] = {"switch": _build_switch, "sensor": _build_sensor}
