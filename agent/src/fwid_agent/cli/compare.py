"""`fwid compare`: has this device's firmware changed between these captures?"""

from typing import Annotated, Any, cast

import typer

from fwid_agent.cli.options import (
    ConfigFile,
    Dedup,
    Json,
    Unit,
    Window,
    read_config,
    read_duration,
    read_mac,
    read_unit,
)
from fwid_agent.cli.output import note, out, print_json, reading, styled
from fwid_agent.cli.words import describe_reason
from fwid_agent.core.periods import UnitKind
from fwid_agent.pipeline import CompareRequest
from fwid_agent.pipeline import compare as run_compare
from fwid_agent.types import Decision

_SAY = {
    "stable": "no change of the firmware is seen",
    "changed": "the firmware has changed",
    "different": "it behaves differently, and the signs are those of settings, use or surroundings",
    "insufficient": "too little to say",
}


def compare(
    device: Annotated[str, typer.Option(help="The device's MAC address.")],
    baseline: Annotated[list[str], typer.Option(help="Captures of the version that is known.")],
    test: Annotated[list[str], typer.Option(help="Captures of the version that is asked about.")],
    window: Window = "1h",
    unit: Unit = "day",
    dedup: Dedup = False,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Say whether a device's firmware changed between two sets of captures.

    Each of --baseline and --test takes one or more captures or folders.

    Examples:

      fwid compare --device 90:8d:78:a8:e1:43 --baseline april/ --test july/

      fwid compare --device 90:8d:78:a8:e1:43 --baseline a.pcap b.pcap
      --test c.pcapng.zst --unit file --json

    """
    request = CompareRequest(
        read_mac(device),
        tuple(baseline),
        tuple(test),
        read_duration(window),
        cast(UnitKind, read_unit(unit)),
        dedup,
        read_config(config),
    )
    with reading() as progress:
        answer = run_compare(request, on_progress=progress, on_note=note)
    if json:
        print_json(decision_record(answer.decision))
    else:
        _print(answer.decision)
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
    out.print(f"{decision.device}  {styled(verdict)}: {_SAY[verdict]}")
    if decision.missing:
        out.print(f"  missing: {decision.missing}")
    units = f"{decision.units_baseline} baseline and {decision.units_test} test units"
    if decision.effect:
        effect = decision.effect
        out.print(f"  g = {effect.g:.2f} (95 %: {effect.low:.2f} to {effect.high:.2f}), {units}")
    else:
        out.print(f"  {units}: too few for an effect size")
    for reason in decision.reasons:
        out.print(f"  • {describe_reason(reason.key, reason.params)}")
