"""The whole bench: every fold and every transfer, in processes of their own, and what ran it."""

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context

from fwid_agent.errors import UsageError
from fwid_agent.lab.fold_run import Ask, FoldResult, is_daily, run_fold
from fwid_agent.lab.folds import Fold, make_folds, make_transfers
from fwid_agent.lab.present import Corpus, versions_of
from fwid_agent.model.manifest import model_folder, read_manifest

_PACKAGES = ("fwid-agent", "numpy", "scipy", "tensorflow", "ai-edge-litert", "distributed")
OnFold = Callable[[int, int], None]  # folds done, folds in all


@dataclass(frozen=True, slots=True)
class Header:
    """What a result rests on."""

    seed: int
    learning: int
    rate: float
    handshakes: bool  # whether they were read
    models: str  # where they are from
    versions: Mapping[str, str]  # of packages
    corpora: Mapping[str, str]  # digest of each one's captures and labels


@dataclass(frozen=True, slots=True)
class Bench:
    """All that came of it."""

    header: Header
    corpora: tuple[Corpus, ...]
    folds: tuple[FoldResult, ...]
    transfers: tuple[FoldResult, ...]


def run_bench(
    corpora: Sequence[Corpus], ask: Ask, jobs: int, on_fold: OnFold, folds: int | None = None
) -> Bench:
    """Judge every device by models that never saw it nor its relatives.

    Args:
        corpora: that are judged, and trained on where they are not.
        ask: what is asked.
        jobs: how many folds at once; one is done in this process.
        on_fold: told how far it is.
        folds: how many, at most; as many as usual where it is None.

    Raises:
        UsageError: there are too few kinds of device to hold any out, or too few days to judge.

    """
    members = [member for corpus in corpora for member in corpus.members]
    split = make_folds(members) if folds is None else make_folds(members, folds)
    if len(split) < 2 and not ask.shipped:
        raise UsageError("devices of one family only: there is nothing to train on without them")
    transfers = [] if ask.shipped else make_transfers(members)
    daily = [member for member in members if is_daily(member)]
    if daily and all(len(versions_of(member.device)) <= ask.learning for member in daily):
        raise UsageError(f"no device has more than {ask.learning} days: none is left to judge")
    drift_of = daily[0].corpus if daily else ""
    asked = [(fold, replace(ask, devices=len(daily), drift_of=drift_of)) for fold in split]
    asked += [(fold, replace(ask, default_only=True, years=0)) for fold in transfers]
    results = []
    for number, result in enumerate(_run(asked, jobs)):
        on_fold(number + 1, len(asked))
        results.append(result)
    return Bench(
        make_header(corpora, ask),
        tuple(corpora),
        tuple(results[: len(split)]),
        tuple(results[len(split) :]),
    )


def make_header(corpora: Sequence[Corpus], ask: Ask) -> Header:
    """Say what a result rests on."""
    shipped = read_manifest(model_folder())
    models = f"as shipped, seed {shipped.seed}" if ask.shipped else "trained without each fold"
    return Header(
        ask.seed,
        ask.learning,
        ask.rate,
        ask.handshakes,
        models,
        {"python": platform.python_version(), **dict(_versions())},
        {corpus.name: corpus.digest for corpus in corpora},
    )


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def _run(asked: Sequence[tuple[Fold, Ask]], jobs: int) -> Iterator[FoldResult]:
    if jobs < 2:
        for fold, ask in asked:
            yield run_fold(fold, ask)
        return
    # Spawned: TensorFlow does not survive a fork. One thread each: there are as many as cores.
    threads = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    before = {name: os.environ.get(name) for name in threads}
    os.environ.update(threads)
    try:
        with ProcessPoolExecutor(min(jobs, len(asked)), get_context("spawn")) as pool:
            yield from pool.map(run_fold, *zip(*asked, strict=True))
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
