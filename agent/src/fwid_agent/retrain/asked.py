"""What somebody asks of a retraining, and how its process is started."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from fwid_agent.aside import command as command_of
from fwid_agent.identify.identifier import ModelType


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for."""

    kind: ModelType | None = None  # None: the best that can be trained here
    frozen: int = 0
    believe: bool = False  # labels are right as they are
    dry_run: bool = False  # change nothing, note nothing


def command(store: Path, unit_s: int, now_ns: int, wish: Wish) -> list[str]:
    """Write the command that starts the process."""
    asked = msgspec.json.encode(wish).decode()
    return command_of("fwid_agent.retrain.worker", store, unit_s, now_ns, asked)
