"""Refine a store's network: the one in use is checked, another one tried, and all is noted."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fwid_agent.errors import UsageError
from fwid_agent.model.history import History
from fwid_agent.model.manifest import model_folder
from fwid_agent.model.shelf import Attempt
from fwid_agent.model.training import Bounds, peak_bytes
from fwid_agent.pipeline.models import RowTwin, load_prior, read_row_twin
from fwid_agent.pipeline.refined import load_twin, read_base
from fwid_agent.refine.attempt import OnStage, Plan, draw_home, try_refining
from fwid_agent.refine.days import Stretch, read_stretches
from fwid_agent.refine.scores import is_worse, measure
from fwid_agent.store import Store
from fwid_agent.types import format_time

_SECOND_NS = 1_000_000_000


def refine_store(
    path: Path, unit_s: int, now_ns: int, on_stage: OnStage = lambda _: None, *, dry_run: bool
) -> Attempt:
    """Refine on what a store has learnt.

    The network in use is held against the one that came with the agent first, on the newest days:
    where it does worse there, it is rolled back. `dry_run` changes nothing and notes nothing.

    Returns:
        The record of the attempt; `outcome` is accepted, kept (the one in use stays) or too_little,
        each with `rolled_back` where that came first.

    Raises:
        StoreError: the store cannot be read, or another refinement is under way.
        ModelError: what came with the agent cannot be used.

    """
    history = History(path)
    begin_s, begin_cpu_s = time.monotonic(), time.process_time()
    with Store.open(path, create=False) as store:
        stretches = read_stretches(store, unit_s * _SECOND_NS)
    with history.alone():
        plan = Plan(load_prior(), unit_s * _SECOND_NS, Bounds())
        record = _attempt(history, stretches, plan, on_stage, dry_run=dry_run)
        record = {
            "time": format_time(now_ns),
            **record,
            "seconds": round(time.monotonic() - begin_s, 2),
            "cpu_s": round(time.process_time() - begin_cpu_s, 2),
            "peak_mb": round(peak_bytes() / 2**20, 1),
            "dry_run": dry_run,
        }
        if not dry_run:
            history.record(record)
    return record


def _attempt(
    history: History, stretches: list[Stretch], plan: Plan, on_stage: OnStage, *, dry_run: bool
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "outcome": "too_little",
        "model": None,
        "reason": "",
        "rolled_back": "",
        "devices": len({stretch.device for stretch in stretches}),
        "days": sum(len(stretch.days) for stretch in stretches),
        "frozen": plan.bounds.frozen,
    }
    used = load_twin(history.store)
    record["model"] = used.number
    twin = used.twin
    if used.number is not None:
        shipped = read_row_twin(model_folder())
        fault = _find_decline(stretches, twin, shipped, plan)
        if fault:
            record |= {"rolled_back": fault, "model": None}
            twin = shipped
            if not dry_run:
                history.reset()
    try:
        tried = try_refining(stretches, read_base(), twin, plan, on_stage)
    except UsageError as error:
        return record | {"reason": str(error)}
    record |= {
        "outcome": "kept" if tried.fault else "accepted",
        "reason": tried.fault,
        "pairs": tried.pairs,
        "doubted": tried.doubted,
        "steps": len(tried.trained.losses),
        "training_s": round(tried.trained.seconds, 2),
        "before": asdict(tried.before),
        "after": asdict(tried.after),
    }
    if not tried.fault and not dry_run:
        record["model"] = history.keep(tried.refined)
    return record


def _find_decline(stretches: list[Stretch], used: RowTwin, shipped: RowTwin, plan: Plan) -> str:
    """Say what the network in use does worse on the newest days than the one of the agent."""
    _, held = draw_home(stretches, plan)
    if not held.software.any():
        return ""
    now, before = measure(used, held), measure(shipped, held)
    if not is_worse(now, before):
        return ""
    return (
        f"on the newest days it would raise {now.alarms} alarms instead of {before.alarms}, "
        f"and tells software at {now.auc:.3f} instead of {before.auc:.3f}"
    )
