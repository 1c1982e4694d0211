"""`fwid identify` and `fwid kind`: what devices behave like, and what people say they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fwid_agent.cli.devices import find_device
from fwid_agent.cli.options import (
    ConfigFile,
    Device,
    Json,
    Store,
    Unit,
    UnitName,
    read_config,
    read_mac,
    store_path,
)
from fwid_agent.cli.output import make_table, note, out, plain, print_json, reading, say
from fwid_agent.config import Config
from fwid_agent.errors import StoreError, UnreadableInputError, UsageError
from fwid_agent.store import Store as OpenStore
from fwid_agent.types import CATEGORIES, FlowDay, Identification, Kind, format_mac, format_time

if TYPE_CHECKING:
    from fwid_agent.identify.kept import InUse

_LONGEST = 64  # letters of a label
_UNITS_ASKED = 7  # of each device, the newest
_NONE = "none that I know"


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the newest units of a device behave like, oldest first."""

    device: int
    days: tuple[FlowDay, ...]
    answers: tuple[Identification, ...]

    @property
    def alike(self) -> int:
        """Units that are answered like the newest."""
        return sum(each.label == self.answers[-1].label for each in self.answers)


def identify(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH...]",
            help="Captures, or folders of captures; without any, the store is asked.",
            show_default=False,
        ),
    ] = None,
    store: Store = None,
    device: Annotated[
        list[str] | None, typer.Option(metavar="MAC", help="Only this device; repeatable.")
    ] = None,
    unit: Unit = UnitName.DAY,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Say what each device behaves like, of its store or of captures.

    Examples:

      fwid identify

      fwid identify captures/ --device 90:8d:78:a8:e1:43

      fwid identify --store home.db --json

    """
    from fwid_agent.identify.kept import in_use  # noqa: PLC0415 - slow to load

    wanted = list(dict.fromkeys(read_mac(each) for each in device or ()))
    path, settings = store_path(store), read_config(config)
    if paths:
        days, faults = _read_captures(paths, settings, unit)
    else:
        days, faults = _read_store(path), []
    kinds = {} if paths and store is None else _read_kinds(path)
    found = {day.device for day in days}
    missing = [mac for mac in wanted if mac not in found]
    if missing:
        raise UsageError(f"{format_mac(missing[0])}: no flow of this device is there")
    model = in_use(path)
    if model.note:
        note(f"{model.note}; the model that came with fwid is asked instead")
    answers = [_ask(model, mac, days) for mac in (wanted or sorted(found))]
    if json:
        for each in answers:
            print_json(_record(each, kinds.get(each.device), model))
    else:
        _print(answers, kinds, model)
    for fault in faults[1:]:
        note(str(fault))
    if faults:
        raise faults[0]


def kind(
    device: Device,
    label: Annotated[
        str | None,
        typer.Argument(metavar="[LABEL]", help="What it is, such as “Philips Hue bridge”."),
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="CATEGORY", help=f"One of {', '.join(CATEGORIES)}.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what you have said.")] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Say what a device is, for the models that are trained at home.

    Examples:

      fwid kind 90:8d:78:a8:e1:43 "D-Link water sensor" --category Appliance

      fwid kind 90:8d:78:a8:e1:43 --forget

    """
    mac = read_mac(device)
    if (label is None) != forget or (forget and category is not None):
        raise UsageError("say what the device is, or --forget; one of both")
    said = None if label is None else Kind(_read_label(label), _read_category(category), "person")
    with OpenStore.open(store_path(store), create=False) as opened:
        find_device(opened, mac)
        if said is None:
            opened.drop_kind(mac, "person")
        else:
            opened.put_kind(mac, said)
        known = opened.kinds().get(mac)
    if json:
        print_json({"device": format_mac(mac), "kind": known and asdict(known)})
    elif known is None:
        say(f"{format_mac(mac)}: nobody says what it is")
    else:
        by = " (as Home Assistant says)" if known.source == "home_assistant" else ""
        say(f"{format_mac(mac)}: {_describe(known)}{by}")


def _read_label(text: str) -> str:
    label = text.strip()
    if not label or len(label) > _LONGEST or plain(label) != label:
        raise UsageError(f"a label has 1 to {_LONGEST} letters, and all of them can be printed")
    return label


def _read_category(text: str | None) -> str | None:
    if text is None:
        return None
    for category in CATEGORIES:
        if category.lower() == text.strip().lower():
            return category
    raise UsageError(f"--category {text}: is none of {', '.join(CATEGORIES)}")


def _read_captures(
    paths: Sequence[str], config: Config, unit: UnitName
) -> tuple[list[FlowDay], list[UnreadableInputError]]:
    from fwid_agent.pipeline.flow_days import read_flow_days  # noqa: PLC0415 - scipy is slow
    from fwid_agent.pipeline.ingest import SECOND_NS, ReadOptions  # noqa: PLC0415

    window_ns = config.window_s * SECOND_NS
    options = ReadOptions(window_ns, unit is UnitName.FILE, False, config, flows=True)
    with reading() as progress:
        days, faults = read_flow_days(paths, options, on_progress=progress, on_note=note)
    if not days and not faults:
        raise UsageError(f"{', '.join(paths)}: no device has a flow of TCP or UDP in there")
    return days, faults


def _read_store(path: Path) -> list[FlowDay]:
    with OpenStore.open(path, create=False) as opened:
        days = list(opened.flows())
    if not days:
        raise StoreError(
            f"{path}: no flow of any device is kept; `fwid run` and `fwid replay --store` keep "
            "some, unless `identify` is off"
        )
    return days


def _read_kinds(path: Path) -> dict[int, Kind]:
    with OpenStore.open(path, create=False) as opened:
        return opened.labelled()


def _ask(model: "InUse", mac: int, days: Sequence[FlowDay]) -> _Answers:
    own = tuple(day for day in days if day.device == mac)[-_UNITS_ASKED:]
    return _Answers(mac, own, tuple(model.identifier.identify(day.values) for day in own))


def _print(answers: Sequence[_Answers], kinds: dict[int, Kind], model: "InUse") -> None:
    table = make_table("device", "behaves like", ">certain", ">units", "is said to be")
    for each in answers:
        newest = each.answers[-1]
        like = newest.label or f"{_NONE} (nearest: {newest.candidate})"
        table.add_row(
            format_mac(each.device),
            plain(f"{like}, {newest.category}" if newest.category else like),
            f"{newest.certainty:.0%}",
            f"{each.alike} of {len(each.answers)}",
            plain(_describe(kinds[each.device])) if each.device in kinds else "",
        )
    out.print(table)
    own = f"model {model.number} of this home" if model.number else "the model that came with fwid"
    say("")
    say(f"by {own}, a {_TYPES[model.identifier.type]} of {len(model.identifier.classes)} devices")


_TYPES = {
    "forest": "random forest",
    "tree": "decision tree",
    "fc": "fully connected network",
    "conv1d": "convolutional network",
}


def _record(each: _Answers, kind: Kind | None, model: "InUse") -> dict[str, Any]:
    newest = each.answers[-1]
    return {
        "device": format_mac(each.device),
        **_answer_record(newest, each.days[-1]),
        "kind": kind and asdict(kind),
        "model": model.model,
        "number": model.number,
        "units": [
            _answer_record(answer, day) for answer, day in zip(each.answers, each.days, strict=True)
        ],
    }


def _answer_record(answer: Identification, day: FlowDay) -> dict[str, Any]:
    return {
        "time": format_time(day.start_ns),
        "label": answer.label,
        "category": answer.category,
        "certainty": answer.certainty,
        "candidate": answer.candidate,
        "flows": day.seen,
    }


def _describe(kind: Kind) -> str:
    return f"{kind.label}, {kind.category}" if kind.category else kind.label
