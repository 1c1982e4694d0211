"""`fwid compare`: has this device's firmware changed between these captures?"""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from fwid_agent.cli.options import (
    ConfigFile,
    Dedup,
    Json,
    Unit,
    UnitName,
    Window,
    read_config,
    read_mac,
    read_window,
)
from fwid_agent.cli.output import note, print_json, reading, say, styled
from fwid_agent.report.words import describe_reason
from fwid_agent.types import Decision

_SAY = {
    "stable": "no change of the firmware is seen",
    "changed": "the firmware has changed",
    "different": "it behaves differently, and the signs are those of settings, use or surroundings",
    "insufficient": "too little to say",
}
_TAKE_SEVERAL = ("--baseline", "--test")


class CompareCommand(TyperCommand):
    """Lets --baseline and --test take several captures in a row, as a shell's `*` gives them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the library's
        """Read the arguments with each capture behind an option of its own."""
        return super().parse_args(ctx, spread_options(args))


def spread_options(arguments: list[str]) -> list[str]:
    """Write `--test a b` as `--test a --test b`; everything else stays as it is."""
    result: list[str] = []
    option, given = "", False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            name, _, value = argument.partition("=")
            option, given = name if name in _TAKE_SEVERAL else "", bool(value)
        elif option:
            result += [option] if given else []
            given = True
        result.append(argument)
    return result


def compare(
    device: Annotated[str, typer.Option(metavar="MAC", help="The device's MAC address.")],
    baseline: Annotated[
        list[str], typer.Option(metavar="PATH...", help="Captures of the version that is known.")
    ],
    test: Annotated[
        list[str],
        typer.Option(metavar="PATH...", help="Captures of the version that is asked about."),
    ],
    window: Window = None,
    unit: Unit = UnitName.DAY,
    dedup: Dedup = False,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Say whether a device's firmware changed between two sets of captures.

    Each of --baseline and --test takes one or more captures or folders.

    Examples:

      fwid compare --device 90:8d:78:a8:e1:43 --baseline april/ --test july/

      fwid compare --device 908d78a8e143 --baseline a.pcap b.pcap --test c.pcap --unit file --json

    """
    from fwid_agent.pipeline import CompareRequest  # noqa: PLC0415 - scipy is slow to load
    from fwid_agent.pipeline import compare as run_compare  # noqa: PLC0415

    settings = read_config(config)
    request = CompareRequest(
        read_mac(device),
        tuple(baseline),
        tuple(test),
        read_window(window, unit, settings),
        unit.value,
        dedup,
        settings,
    )
    with reading() as progress:
        answer = run_compare(request, on_progress=progress, on_note=note)
    if json:
        print_json(decision_record(answer.decision))
    else:
        _print(answer.decision)
    for fault in answer.faults[1:]:
        note(str(fault))
    if answer.faults:
        raise answer.faults[0]


def decision_record(decision: Decision) -> dict[str, Any]:
    """Return the JSON of a decision."""
    effect = decision.effect
    return {
        "device": decision.device,
        "verdict": decision.verdict.value,
        "g": effect.g if effect else None,
        "g_low": effect.low if effect else None,
        "g_high": effect.high if effect else None,
        "g_bootstrap": decision.g_bootstrap,
        "units_baseline": decision.units_baseline,
        "units_test": decision.units_test,
        "similarity_baseline": decision.similarity_baseline,
        "similarity_test": decision.similarity_test,
        "cause": decision.cause.value,
        "reasons": [
            {
                "key": reason.key,
                "params": dict(reason.params),
                "text": describe_reason(reason.key, reason.params),
            }
            for reason in decision.reasons
        ],
        "missing": decision.missing or None,
    }


def _print(decision: Decision) -> None:
    verdict = decision.verdict.value
    say(f"{decision.device}  ", styled(verdict), f": {_SAY[verdict]}")
    if decision.missing:
        say(f"  missing: {decision.missing}")
    units = f"{decision.units_baseline} baseline and {decision.units_test} test units"
    if decision.effect:
        effect = decision.effect
        say(f"  g = {effect.g:.2f} (95 %: {effect.low:.2f} to {effect.high:.2f}), {units}")
        if decision.reasons:
            say("  g: how unlike the whole is; the verdict rests on the lines below")
    else:
        say(f"  {units}: too few for an effect size")
    for reason in decision.reasons:
        say(f"  • {describe_reason(reason.key, reason.params)}")
