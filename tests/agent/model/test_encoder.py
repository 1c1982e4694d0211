"""The adapter of the encoders: what it takes, what it refuses, and on which runtime.

Runs with ai-edge-litert and with tflite-runtime, its fallback; needs neither TensorFlow nor scapy.
"""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import fwid_agent.model
import numpy as np
import pytest
from fwid_agent.errors import ModelError
from fwid_agent.model.encoder import Encoder, load_runtime, unit_length
from fwid_agent.model.manifest import (
    MANIFEST,
    PUBLISHED,
    ROW_TWIN,
    load_encoder,
    read_file,
    read_manifest,
)

FOLDER = Path(fwid_agent.model.__file__).parent
NAMES = [ROW_TWIN, PUBLISHED]


@pytest.fixture(params=NAMES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each of the models that are shipped."""
    return load_encoder(FOLDER, read_manifest(FOLDER), request.param)


def pictures(encoder: Encoder, count: int) -> np.ndarray:
    """Make pictures of the encoder's shape."""
    return np.random.default_rng(3).integers(0, 256, (count, *encoder.shape)).astype(np.uint8)


def test_the_runtime_is_the_one_that_is_installed() -> None:
    """ai-edge-litert where it is there, tflite-runtime otherwise."""
    litert = importlib.util.find_spec("ai_edge_litert") is not None
    assert load_runtime().__name__.startswith("ai_edge_litert" if litert else "tflite_runtime")


def test_the_models_are_small() -> None:
    """All of them together, with the prior, in 100 kB."""
    names = [*NAMES, MANIFEST, "prior.json"]
    assert sum((FOLDER / name).stat().st_size for name in names) <= 100_000


def test_a_batch_is_encoded_as_its_pictures_are(encoder: Encoder) -> None:
    """Neither the batch nor what was encoded before has a say."""
    batch = pictures(encoder, 7)
    together = encoder.encode(batch)
    one_by_one = np.concatenate([encoder.encode(picture[None]) for picture in batch])
    assert together.shape == (7, encoder.width)
    assert together.dtype == np.float32
    assert np.array_equal(together, one_by_one)
    assert np.array_equal(together, encoder.encode(batch))


def test_different_pictures_are_told_apart(encoder: Encoder) -> None:
    """An encoder whose quantisation is read wrongly gives all the same."""
    embedded = encoder.encode(pictures(encoder, 5))
    assert len(np.unique(embedded, axis=0)) == 5


def test_no_pictures_give_no_embeddings(encoder: Encoder) -> None:
    """An empty batch is no error."""
    assert encoder.encode(pictures(encoder, 0)).shape == (0, encoder.width)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda batch: batch.astype(np.float32),
        lambda batch: batch[..., :-1],
        lambda batch: batch[0] if batch.ndim > 2 else batch[None],
    ],
    ids=["float", "too narrow", "wrong rank"],
)
def test_other_pictures_are_refused(
    encoder: Encoder, spoil: Callable[[np.ndarray], np.ndarray]
) -> None:
    """One line that names the model and both shapes."""
    with pytest.raises(ModelError, match="takes uint8 pictures") as error:
        encoder.encode(spoil(pictures(encoder, 3)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"not a model at all", bytes(5000)])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    """A damaged file ends in one line, not in the runtime's."""
    with pytest.raises(ModelError, match="cannot be used as a model"):
        Encoder(content, "broken.tflite")


def test_unit_length_scales_and_survives_zero() -> None:
    """Embeddings are compared by direction."""
    scaled = unit_length(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert scaled[0] == pytest.approx([0.6, 0.8])
    assert np.isfinite(scaled).all()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped files that may be spoilt."""
    for name in [*NAMES, MANIFEST, "prior.json"]:
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def test_a_model_that_is_not_the_manifests_is_refused(copy: Path) -> None:
    """One changed byte is enough."""
    content = bytearray((copy / ROW_TWIN).read_bytes())
    content[-1] ^= 1
    (copy / ROW_TWIN).write_bytes(content)
    with pytest.raises(ModelError, match="is not the file of the manifest"):
        read_file(copy, read_manifest(copy), ROW_TWIN)


def test_a_missing_model_is_named(copy: Path) -> None:
    """The line names the file and what to do."""
    (copy / PUBLISHED).unlink()
    with pytest.raises(ModelError, match=f"{PUBLISHED}.*install the agent again"):
        read_file(copy, read_manifest(copy), PUBLISHED)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2", '{"version": 1}'])
def test_a_damaged_manifest_is_refused(copy: Path, text: str) -> None:
    """Whatever stands in it."""
    (copy / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="cannot be used"):
        read_manifest(copy)


def test_a_manifest_of_another_version_is_refused(copy: Path) -> None:
    """An older agent does not guess what a newer manifest means."""
    text = (copy / MANIFEST).read_text().replace('"version": 1,', '"version": 99,', 1)
    (copy / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="version 99"):
        read_manifest(copy)
