"""What judging costs: the units of a home's devices that end on one day, timed one by one.

Time of the processor, as for whole processes (see lab.timing).
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from fwid_agent.config import Config
from fwid_agent.core.comparison import Comparison
from fwid_agent.core.evidence import Judge, Likeness
from fwid_agent.core.scan import BASELINE_UNITS, Method, Watch
from fwid_agent.core.stability import Rules
from fwid_agent.core.watch import begin, judge_unit
from fwid_agent.pipeline.ingest import SECOND_NS, ReadOptions, read_windows
from fwid_agent.pipeline.models import load_model, load_prior
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import UnitTable

HOME_DEVICES = 40
_DAY_NS = 86_400 * SECOND_NS
_LEAST_UNITS = 3
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Judging:
    """Milliseconds for one unit of each of HOME_DEVICES devices, from the devices at hand."""

    devices: int  # that were measured
    whole_ms: float  # pictures, embeddings, decision, next state
    decision_ms: float  # without pictures and network


def measure_judging(paths: Sequence[str]) -> Judging | None:
    """Time the judging of the last capture of each device by those before it.

    Every capture stands for a day, four weeks at the most. Returns None where no device has
    captures enough.
    """
    options = ReadOptions(3600 * SECOND_NS, per_file=True, dedup=False, config=Config())
    tables, _ = read_windows(paths, options, on_progress=lambda _: None, on_note=lambda _: None)
    judge = Judge(load_prior(), load_model())
    plain = replace(judge, model=_no_model)
    whole, alone = [], []
    for mac, table in tables.items():
        days = _as_days(table)
        if len(days) < _LEAST_UNITS:
            continue
        watch = _watch(mac, days[:-1])
        whole.append(_time(watch, days[-1], _method(judge)))
        alone.append(_time(watch, days[-1], _method(plain)))
    if not whole:
        return None
    scale = HOME_DEVICES * 1000
    return Judging(len(whole), statistics.fmean(whole) * scale, statistics.fmean(alone) * scale)


def _method(judge: Judge) -> Method:
    return Method(judge, "day", _DAY_NS, Rules(UUID(int=0), learning_units=2))


def _watch(mac: int, days: Sequence[UnitTable]) -> Watch:
    watch, _ = begin(mac, 0, Rules(UUID(int=0)))
    return replace(watch, baseline=merge_tables(days))


def _as_days(table: UnitTable) -> list[UnitTable]:
    """Return the newest sessions, each moved to a day of its own."""
    sessions = np.unique(table.session)[-BASELINE_UNITS - 1 :]
    days = []
    for number, session in enumerate(sessions):
        rows = np.flatnonzero(table.session == session)
        one = merge_tables(
            [replace(select_periods(table, rows), start_ns=np.zeros(len(rows), int))]
        )
        days.append(replace(one, start_ns=one.start_ns + number * _DAY_NS))
    return days


def _time(watch: Watch, unit: UnitTable, method: Method) -> float:
    """Median seconds of judging the unit; the first time is not counted."""
    seconds = []
    for _ in range(_REPEATS + 1):
        begin_s = time.process_time()
        judge_unit(watch, unit, _DAY_NS, method)
        seconds.append(time.process_time() - begin_s)
    return statistics.median(seconds[1:])


def _no_model(comparisons: Sequence[Comparison]) -> list[Likeness]:
    return [Likeness(1.0, 1.0) for _ in comparisons]
