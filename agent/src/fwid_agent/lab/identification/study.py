"""All of the study: homes in, tables out, and what of the publication they confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fwid_agent.errors import UsageError
from fwid_agent.lab.identification.claims import Claim, judge
from fwid_agent.lab.identification.costs import costs
from fwid_agent.lab.identification.experiments import (
    OnStep,
    Options,
    Table,
    groups,
    horizon,
    inputs,
    use,
)
from fwid_agent.lab.identification.networks import NETWORKS
from fwid_agent.lab.identification.open_set import open_set, unseen_category
from fwid_agent.lab.identification.samples import Home
from fwid_agent.lab.identification.sites import align, frozen, sites

PARTS = ("horizon", "groups", "inputs", "use", "sites", "frozen", "costs", "open_set")
_LEAST_DAYS = 8  # seven to train on, and one ahead


@dataclass(frozen=True, slots=True)
class Study:
    """What was found, and in what."""

    homes: tuple[tuple[str, int, int, int], ...]  # name, devices, days, flows
    tables: Mapping[str, Table]
    claims: tuple[Claim, ...]


def run_study(
    homes: Sequence[Home], parts: Sequence[str], options: Options, on_step: OnStep
) -> Study:
    """Run the parts that are named; what needs a second home is left out where there is one only.

    Raises:
        UsageError: a home has too few days or devices.

    """
    for home in homes:
        if home.days < _LEAST_DAYS or len(home.devices) < 2:
            raise UsageError(
                f"{home.name}: {len(home.devices)} devices on {home.days} days; "
                f"the study needs two devices and {_LEAST_DAYS} days"
            )
    aligned = align(homes) if len(homes) > 1 else list(homes)
    first, kinds = aligned[0], options.kinds
    trees = [each for each in kinds if each not in NETWORKS]
    tables: dict[str, Table] = {}
    if "horizon" in parts:
        tables["horizon"] = [
            row
            for home in homes
            for row in horizon(home, options, on_step, kinds if home is homes[0] else trees)
        ]
    if "groups" in parts:
        tables["groups"] = [row for home in homes for row in groups(home, options, on_step)]
    if "inputs" in parts:
        tables["inputs"] = inputs(aligned, options, on_step)
    if "use" in parts:
        tables["use"] = [row for home in homes for row in use(home, options, on_step)]
    if "sites" in parts and len(aligned) > 1:
        tables["sites"] = sites(aligned, options, on_step)
    if "frozen" in parts and len(aligned) > 1:
        tables["frozen"] = frozen(aligned[:2], options, on_step)
    if "costs" in parts:
        tables["costs"] = costs(first, options, on_step)
    if "open_set" in parts:
        found = open_set(first, options, on_step)
        tables |= dict(zip(("open_set", "unknown_devices", "certainty"), found, strict=True))
        if len(first.kinds) > 1:
            tables["unseen_category"] = unseen_category(first, options, on_step, ("forest",))
    sizes = tuple((each.name, len(each.devices), each.days, len(each)) for each in homes)
    return Study(sizes, tables, judge(tables))
