"""All of the study: homes in, tables out, and what of the publication they confirm."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from fwid_agent.lab.identification.weeks import weeks

PARTS = ("horizon", "groups", "inputs", "use", "sites", "frozen", "costs", "open_set", "weeks")
_LEAST_DAYS = 8  # seven to train on, and one ahead


@dataclass(frozen=True, slots=True)
class Study:
    """What was found, and in what."""

    homes: tuple[tuple[str, int, int, int], ...]  # name, devices, days, flows
    tables: Mapping[str, Table]
    claims: tuple[Claim, ...]


def run_study(
    homes: Sequence[Home], parts: Sequence[str], options: Options, on_step: OnStep
) -> Iterator[Study]:
    """Yield what was found so far after each part that is named.

    What needs a second home is left out where there is one only.

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
    sizes = tuple((each.name, len(each.devices), each.days, len(each)) for each in homes)
    tables: dict[str, Table] = {}
    for part in parts:
        tables |= _run_part(part, (homes, aligned), options, on_step)
        yield Study(sizes, dict(tables), judge(tables))


def _run_part(
    part: str,
    homes: tuple[Sequence[Home], Sequence[Home]],
    options: Options,
    on_step: OnStep,
) -> dict[str, Table]:
    as_read, aligned = homes
    first = aligned[0]
    trees = [each for each in options.kinds if each not in NETWORKS]
    if part == "horizon":
        return {
            part: [
                row
                for home in as_read
                for row in horizon(
                    home, options, on_step, options.kinds if home is as_read[0] else trees
                )
            ]
        }
    if part == "open_set":
        names = ("open_set", "unknown_devices", "certainty")
        found = dict(zip(names, open_set(first, options, on_step), strict=True))
        if len(first.kinds) > 1:
            found["unseen_category"] = unseen_category(first, options, on_step, ("forest",))
        return found
    if part in {"sites", "frozen", "weeks"}:
        return _of_several(part, aligned, options, on_step)
    one_home: dict[str, Callable[[Home, Options, OnStep], Table]] = {
        "groups": groups,
        "use": use,
        "costs": costs,
    }
    if part in one_home:
        return {part: one_home[part](first, options, on_step)}
    return {part: inputs(aligned, options, on_step)}


def _of_several(
    part: str, aligned: Sequence[Home], options: Options, on_step: OnStep
) -> dict[str, Table]:
    """Ask what needs a second home, or a home whose versions are known."""
    if part == "weeks":
        known = len(aligned[0].versions) > 1 and "forest" in options.kinds
        return {part: weeks(aligned, options.seed, on_step)} if known else {}
    if len(aligned) < 2:
        return {}
    return {part: (sites if part == "sites" else frozen)(aligned[:2], options, on_step)}
