"""The shipped int8 models against their float originals, and what they know of held-out devices."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.evidence import Judge, decide
from fwid_agent.core.image import global_image
from fwid_agent.lab.cases import LabelledDevice, list_cases
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.counting import rank_auc
from fwid_agent.lab.pairs import make_pairs
from fwid_agent.lab.train import Trained, session_values, split_devices, train
from fwid_agent.model.encoder import Encoder, unit_length
from fwid_agent.pipeline.models import RowTwin

pytestmark = [pytest.mark.lab, pytest.mark.slow]
EXCERPT = Path(__file__).parents[2] / "data" / "iot-sentinel"
LARGEST_DIFFERENCE = 0.01


@pytest.fixture(scope="module")
def corpus() -> tuple[list[LabelledDevice], list[LabelledDevice]]:
    """Devices to train on, and the D-Link ones, held out."""
    pytest.importorskip("tensorflow")
    return split_devices(load_corpus(EXCERPT, lambda _: None), "D-Link")


@pytest.fixture(scope="module")
def trained(corpus: tuple[list[LabelledDevice], list[LabelledDevice]]) -> Trained:
    """Models of one seed."""
    return train(corpus[0], 1, lambda *_: None)


def twins(trained: Trained) -> tuple[RowTwin, RowTwin]:
    """Return the row-shared twin in int8 and in float."""
    return (
        RowTwin(Encoder(trained.row_twin, "int8"), trained.logistic),
        RowTwin(Encoder(trained.row_twin_float, "float"), trained.logistic),
    )


def test_int8_decides_as_float_does(
    trained: Trained, corpus: tuple[list[LabelledDevice], list[LabelledDevice]]
) -> None:
    """No verdict differs on any case, and scores are within 0.01."""
    small, exact = twins(trained)
    cases = list_cases([*corpus[0], *corpus[1]])
    for case in cases:
        one, other = (
            decide(case.device, case.baseline, case.test, Judge(trained.prior, model))
            for model in (small, exact)
        )
        assert (one.verdict, one.cause) == (other.verdict, other.cause)
    comparisons = [compare_periods(case.baseline, case.test, trained.prior) for case in cases]
    differences = [
        max(abs(a.similarity - b.similarity), abs(a.software - b.software))
        for a, b in zip(small(comparisons), exact(comparisons), strict=True)
    ]
    assert max(differences) <= LARGEST_DIFFERENCE, max(differences)


def test_int8_tells_devices_apart_as_float_does(
    trained: Trained, corpus: tuple[list[LabelledDevice], list[LabelledDevice]]
) -> None:
    """The likeness of two sessions of held-out devices is within 0.01."""
    values = np.concatenate([session_values(device)[0] for device in corpus[1]])
    pictures = global_image(values, trained.scaler)
    likeness = []
    for content in (trained.published, trained.published_float):
        unit = unit_length(Encoder(content, "published").encode(pictures))
        likeness.append(unit @ unit.T)
    largest = float(np.abs(likeness[0] - likeness[1]).max())
    assert largest <= LARGEST_DIFFERENCE, largest


def test_software_is_told_from_settings_on_devices_never_seen(
    trained: Trained, corpus: tuple[list[LabelledDevice], list[LabelledDevice]]
) -> None:
    """Two training devices are few, and still far better than chance."""
    pairs = make_pairs(corpus[1], trained.prior, 200, np.random.default_rng(9))
    distance = twins(trained)[0].distances(pairs.pictures)
    assert rank_auc(distance[~pairs.software], distance[pairs.software]) > 0.75


def test_pairs_are_seeded(
    trained: Trained, corpus: tuple[Sequence[LabelledDevice], Sequence[LabelledDevice]]
) -> None:
    """The same seed draws the same pictures, another seed others."""
    one, same, other = (
        make_pairs(corpus[0], trained.prior, 10, np.random.default_rng(seed)).pictures
        for seed in (4, 4, 5)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
