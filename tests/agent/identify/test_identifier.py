"""Models that identify: whole or refused, and one answer a device's day."""

import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fwid_agent.errors import ModelError
from fwid_agent.identify.bases import BASES, SHIPPED, read_base, read_manifest
from fwid_agent.identify.identifier import Identifier, Known
from fwid_agent.identify.kept import Identifiers, in_use, read_shipped
from fwid_agent.identify.packed import pack, unpack
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.identify.models import BULB, CAMERA, CLASSES, flows, network, stump

STUMP = stump()
FILE = STUMP.dump()


def changed(said: dict[str, Any], arrays: dict[str, Any] | None = None) -> bytes:
    """The stump's file, with something else in it."""
    told, kept = unpack(FILE, "stump")
    return pack({**told, **said}, {**kept, **(arrays or {})})


def test_a_day_has_one_answer() -> None:
    """By all of its flows, with the label and the category of the class."""
    found = STUMP.identify(flows(80))
    assert (found.label, found.category, found.candidate) == ("bulb", "Home Automation", "bulb")
    assert STUMP.identify(flows(8080)).label == "camera"
    both = np.concatenate([flows(80, 2), flows(8080, 3)])
    assert STUMP.identify(both).label == "camera"
    with pytest.raises(ValueError, match="no flow"):
        STUMP.identify(flows(80, 0))


def test_none_that_i_know_is_an_answer() -> None:
    """Its certainty is of that answer; what it would have been is told too."""
    known = STUMP.identify(flows(80))
    found = stump(limit=1.0).identify(flows(80))
    assert (found.label, found.category, found.candidate) == (None, None, "bulb")
    assert found.certainty == pytest.approx(1 - known.certainty)


def test_a_device_has_its_class_whatever_that_is_called_now() -> None:
    """By its address, which stays at home."""
    assert STUMP.knows == {BULB, CAMERA}
    assert STUMP.class_of(CAMERA) == CLASSES[1]
    assert STUMP.class_of(3) is None


@pytest.mark.parametrize("kind", ["forest", "fc", "conv1d"])
def test_a_model_comes_back_as_it_was(kind: str) -> None:
    """With the same answers to the last bit, and all that is said of it."""
    model = STUMP if kind == "forest" else network(kind)
    read = Identifier.load(model.dump(), "file")
    values = np.random.default_rng(3).lognormal(3, 2, (40, 19)).astype(np.float32)
    assert read.probabilities(values).tobytes() == model.probabilities(values).tobytes()
    assert read.probabilities(values).shape == (40, 2)
    assert (read.type, read.classes, read.open_set, read.about, read.inputs) == (
        model.type, model.classes, model.open_set, model.about, model.inputs,
    )  # fmt: skip
    assert read.dump() == model.dump()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no file of a model"),
        (changed({"version": 2}), "version 2"),
        (changed({"type": "lstm"}), "damaged"),
        (changed({"type": "fc"}), "another type"),
        (changed({"classes": []}), "damaged"),
        (changed({"classes": [{"label": "bulb"}] * 2}), "twice"),
        (changed({"classes": [{"label": "bulb"}]}), "other inputs or classes"),
        (changed({"classes": [{"label": "a" * 1000}, {"label": "b"}]}), "damaged"),
        (changed({"classes": [{"label": "a", "devices": [2**60]}, {"label": "b"}]}), "damaged"),
        (changed({"inputs": ["of another agent"]}), "does not have"),
        (changed({"inputs": ["duration"]}), "other inputs or classes"),
        (changed({"open_set": {"weights": [0, 0], "offset": 0, "limit": None}}), "damaged"),
        (
            changed({"open_set": {"weights": [0, 0], "offset": 0, "limit": float("nan")}}),
            "is believed",
        ),
        (changed({"trees": None}), "another type"),
        (changed({"trees": [7, 17]}), "no known kind"),
        (changed({}, {"left": np.zeros(3, np.int32)}), "leads back"),
    ],
)
def test_what_does_not_fit_is_refused(content: bytes, said: str) -> None:
    """A file may hold anything; what comes of it is one line."""
    with pytest.raises(ModelError, match=said):
        Identifier.load(content, "file")


def _network_file(base: str = "", **arrays: np.ndarray) -> bytes:
    told, kept = unpack(network("fc").dump(), "fc")
    return pack(told | ({"base": base} if base else {}), {**kept, **arrays})


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"base": "of another agent"}, "another version of the agent"),
        ({"w0": np.zeros((2, 2), np.float32)}, "has weights of"),
        ({"w0": np.full((17, 32), np.nan, np.float32)}, "not finite"),
        ({"centre": np.zeros(3)}, "range is"),
        ({"spread": np.zeros(17)}, "makes no sense"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(arrays: dict[str, Any], said: str) -> None:
    """Its weights, and the range of its inputs."""
    with pytest.raises(ModelError, match=said):
        Identifier.load(_network_file(**arrays), "file")


@settings(max_examples=60)
@given(st.integers(0, 3000), st.integers(0, 255))
def test_a_damaged_file_ends_as_an_error_or_as_an_answer(place: int, value: int) -> None:
    """Whatever byte is wrong."""
    content = bytearray(FILE)
    content[place % len(content)] = value
    try:
        model = Identifier.load(bytes(content), "file")
    except ModelError:
        return
    assert model.identify(flows(80)).candidate in {known.label for known in model.classes}


def test_a_network_has_outputs_to_spare_and_no_more() -> None:
    """Those that are not used get no share of the belief."""
    model = network("fc")
    assert np.allclose(model.probabilities(flows(80)).sum(axis=1), 1)
    many = tuple(Known(str(number)) for number in range(65))
    with pytest.raises(ModelError, match="64 classes"):
        replace(model, classes=many)


def test_what_is_in_use_is_the_homes_own_or_what_came_with_the_agent(tmp_path: Path) -> None:
    """A damaged file is passed over with a note: who cannot read it still answers."""
    store = tmp_path / "home.db"
    assert (in_use(store).number, in_use(store).model) == (None, "shipped")
    kept = Identifiers(store)
    with kept.alone():
        number = kept.keep(STUMP)
    used = in_use(store)
    assert (used.number, used.model, used.note) == (number, "home", "")
    assert used.identifier.classes == CLASSES
    (kept.folder / f"identifier-{number}").write_bytes(b"broken")
    used = in_use(store)
    assert (used.number, used.model) == (None, "shipped")
    assert "no file of a model" in used.note
    assert in_use(None).note == ""


def test_what_is_shipped_agrees_with_its_manifest() -> None:
    """Each file by its digest, the model by its classes; it is small, and refuses."""
    manifest = read_manifest()
    folder = files("fwid_agent.identify")
    for name, digest in manifest.sha256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert set(manifest.sha256) == {SHIPPED, *BASES.values()}
    model = read_shipped()
    assert tuple(known.label for known in model.classes) == manifest.trained_on
    assert len((folder / SHIPPED).read_bytes()) < 400_000
    assert not model.knows
    nothing = model.identify(flows(0, 20))
    assert nothing.label is None or nothing.certainty < 1
    card = " ".join((folder / "CARD.md").read_text().split())
    for name in ("unknown_refused", "unknown_setups", "known_named_rightly", "known_setups"):
        assert str(int(manifest.metrics[name])) in card
    assert all(known.label in card for known in model.classes)


@pytest.mark.parametrize("kind", BASES)
def test_what_is_trained_at_home_is_small(kind: str) -> None:
    """The packed file; what it begins with is drawn."""
    assert len((files("fwid_agent.identify") / BASES[kind]).read_bytes()) < 60_000
    assert read_base(kind).digest == read_manifest().sha256[BASES[kind]]


def test_a_file_says_what_it_is_in_words_that_others_read() -> None:
    """Nothing but msgpack and arrays: no code is in it."""
    said, arrays = unpack(FILE, "stump")
    assert msgspec.json.decode(msgspec.json.encode(said)) == said
    assert set(arrays) == set(STUMP.trees.arrays() if STUMP.trees else ())
