"""Retrain a store's model: another one is tried, held against the one in use, and all is noted."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fwid_agent.errors import UsageError
from fwid_agent.identify.kept import Identifiers, in_use
from fwid_agent.model.shelf import Attempt
from fwid_agent.model.training import peak_bytes
from fwid_agent.retrain.asked import Wish
from fwid_agent.retrain.attempt import OnStage, Tried, try_retraining
from fwid_agent.retrain.days import read_household
from fwid_agent.retrain.models import Recipe, check_frozen, check_type, default_type
from fwid_agent.store import Store
from fwid_agent.types import format_mac, format_time

_SECOND_NS = 1_000_000_000


def retrain_store(
    path: Path, unit_s: int, now_ns: int, wish: Wish, on_stage: OnStage = lambda _: None
) -> Attempt:
    """Train on what a store has.

    Returns:
        The record of the attempt; `outcome` is accepted, kept (the one in use stays) or too_little.

    Raises:
        UsageError: what was asked for cannot be trained here.
        StoreError: the store cannot be read, or another retraining is under way.
        ModelError: what came with the agent cannot be used.

    """
    kept = Identifiers(path)
    kind = wish.kind or default_type()
    check_type(kind)
    begin_s, begin_cpu_s = time.monotonic(), time.process_time()
    unit_ns = unit_s * _SECOND_NS
    with kept.alone():
        used = in_use(path)
        check_frozen(wish.frozen, kind, used.identifier)
        with Store.open(path, create=False) as store:
            home = read_household(store, unit_ns, now_ns)
        start = used.identifier.network if wish.frozen else None
        recipe = Recipe(kind, frozen=wish.frozen, start=start)
        record: dict[str, Any] = {
            "outcome": "too_little",
            "model": used.number,
            "reason": "",
            "type": kind,
            "frozen": wish.frozen,
            "devices": len(home.labels),
            "days": len(home.learnt),
            "flooded": len(home.flooded),
            "doubted": [],
        }
        try:
            tried = try_retraining(home, used.identifier, recipe, on_stage, believe=wish.believe)
        except UsageError as error:
            record |= {"reason": str(error)}
        else:
            record |= _told(tried)
            if not tried.fault and not wish.dry_run:
                record["model"] = kept.keep(tried.model)
        record = {
            "time": format_time(now_ns),
            **record,
            "seconds": round(time.monotonic() - begin_s, 2),
            "cpu_s": round(time.process_time() - begin_cpu_s, 2),
            "peak_mb": round(peak_bytes() / 2**20, 1),
            "dry_run": wish.dry_run,
        }
        if not wish.dry_run:
            kept.record(record)
    return record


def _told(tried: Tried) -> dict[str, Any]:
    return {
        "outcome": "kept" if tried.fault else "accepted",
        "reason": tried.fault,
        "doubted": [
            {
                "device": format_mac(device),
                "label": label,
                "behaves_like": tried.home.labels[device],
            }
            for device, label in tried.home.doubted.items()
        ],
        "before": asdict(tried.before),
        "after": asdict(tried.after),
        "all": asdict(tried.all_),
        "accuracy": tried.all_.accuracy,
        "known_days": len(tried.home.held),
    }
