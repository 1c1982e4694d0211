"""The bench of refinement at home: it counts by the labels, and what is not seen is not learnt."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fwid_agent.lab import refining
from fwid_agent.lab.cases import LabelledDevice
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.refining import run_bench
from fwid_agent.refine.pairs import Pairs
from hypothesis import given
from hypothesis import strategies as st

CORPUS = Path(__file__).parents[2] / "data" / "made-corpus"


@pytest.fixture(scope="module")
def devices() -> list[LabelledDevice]:
    """A household of three devices."""
    return load_corpus(CORPUS, lambda _: None)[:3]


@pytest.mark.slow
def test_three_networks_are_asked_the_same(
    devices: list[LabelledDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each device's own days are in what was seen, never in what was not."""
    learnt: list[int] = []
    real = refining.fit

    def count(pairs: Pairs, *rest: Any) -> Any:
        learnt.append(len(pairs.software))
        return real(pairs, *rest)

    monkeypatch.setattr(refining, "fit", count)
    shipped, unseen, seen = run_bench(devices, 5, [2], lambda *_: None)
    assert [row.network for row in (shipped, unseen, seen)] == ["shipped", "not seen", "seen"]
    whole, homes = max(learnt), len(learnt) - 1
    assert sorted(learnt) == [*[whole * (homes - 1) // homes] * homes, whole]
    for row in (unseen, seen):
        assert row.passed_alike.total == shipped.passed_alike.total > 0
        assert row.passed_changed.total == shipped.passed_changed.total
        assert row.frozen == 2


def test_devices_without_later_days_are_no_bench(devices: list[LabelledDevice]) -> None:
    """Nothing is measured, rather than something of nothing."""
    assert list(run_bench(devices, 2, [2], lambda *_: None)) == []


@pytest.mark.lab
@given(st.integers(0, 2**32 - 1))
def test_the_contrastive_loss_is_the_published_one(seed: int) -> None:
    """Held against the formula, pair by pair."""
    pytest.importorskip("tensorflow")
    from fwid_agent.lab.refining_published import contrast

    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(8, 5)).astype(np.float32)
    who = rng.integers(0, 3, (8, 1)).astype(np.float32)
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    likeness = unit @ unit.T / 0.1
    told = []
    for one in range(8):
        others = [at for at in range(8) if at != one]
        same = [at for at in others if who[at, 0] == who[one, 0]]
        whole = np.log(np.sum(np.exp(likeness[one, others])))
        if same:
            told.append(-np.mean([likeness[one, at] - whole for at in same]))
    expected = np.mean(told) if told else 0.0
    assert float(contrast(who, embedding)) == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.lab
@pytest.mark.slow
def test_the_published_network_is_rebuilt_as_it_is_shipped() -> None:
    """The network that is refined is the one that is shipped, up to the rounding of int8."""
    pytest.importorskip("tensorflow")
    from fwid_agent.lab.networks import embed
    from fwid_agent.lab.refining_published import rebuild_published
    from fwid_agent.model.encoder import Encoder, unit_length
    from fwid_agent.model.manifest import PUBLISHED, model_folder, read_file, read_manifest

    content = read_file(model_folder(), read_manifest(model_folder()), PUBLISHED)
    encoder = Encoder(content, PUBLISHED)
    rng = np.random.default_rng(4)
    pictures = (rng.random((6, *encoder.shape)) < 0.2) * rng.integers(0, 256, (6, *encoder.shape))
    small = unit_length(encoder.encode(pictures.astype(np.uint8)))
    exact = unit_length(embed(rebuild_published(content), pictures.astype(np.uint8)))
    assert (small * exact).sum(axis=1).min() > 0.98
