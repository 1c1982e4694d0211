"""Networks that were refined: kept whole or not at all, come back to, and bounded."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.errors import FwidError, ModelError, StoreError, UsageError
from fwid_agent.model.history import History, Refined
from fwid_agent.model.shelf import ATTEMPTS_KEPT, MODELS_KEPT
from hypothesis import given
from hypothesis import strategies as st


def refined(seed: int) -> Refined:
    rng = np.random.default_rng(seed)
    weights = tuple(rng.random(shape).astype(np.float32) for shape in ((3, 4), (4,), (1, 1)))
    return Refined("digest", weights, 1.5, -0.25 * seed)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Beside a store that nobody opens."""
    history = History(tmp_path / "home.db")
    with history.alone():
        pass  # makes the folder
    return history


def test_a_network_comes_back_as_it_was(history: History) -> None:
    """Each of them, by its number; the newest is in use."""
    assert history.current() is None
    numbers = [history.keep(refined(seed)) for seed in range(3)]
    assert numbers == [1, 2, 3]
    assert history.current() == 3
    for seed, number in enumerate(numbers):
        kept, meant = history.read(number), refined(seed)
        assert (kept.base, kept.slope, kept.offset) == (meant.base, meant.slope, meant.offset)
        assert all(map(np.array_equal, kept.weights, meant.weights))


def test_rolling_back_goes_step_by_step_to_what_came_with_the_agent(history: History) -> None:
    """And no further; what was rolled back is gone."""
    history.keep(refined(1))
    history.keep(refined(2))
    assert history.roll_back() == 1
    assert history.numbers() == (1,)
    assert history.roll_back() is None
    assert history.current() is None
    with pytest.raises(UsageError, match="nothing to roll back"):
        history.roll_back()


def test_no_number_is_given_twice(history: History) -> None:
    """The record of attempts names them."""
    history.record({"model": history.keep(refined(1))})
    history.reset()
    assert history.keep(refined(2)) == 2


def test_old_networks_and_attempts_make_room(history: History) -> None:
    """A year of weeks does not fill a disk."""
    for seed in range(MODELS_KEPT + 3):
        history.keep(refined(seed))
    assert len(history.numbers()) == MODELS_KEPT
    assert history.current() == MODELS_KEPT + 3
    for number in range(ATTEMPTS_KEPT + 2):
        history.record({"number": number})
    attempts = history.attempts()
    assert [each["number"] for each in attempts] == list(range(2, ATTEMPTS_KEPT + 2))


@pytest.mark.parametrize("step", ["pathlib.Path.replace", "os.fsync"])
def test_a_write_that_breaks_off_leaves_what_was_there(
    history: History, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The network in use is a whole one at every moment."""
    history.keep(refined(1))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(step, fail)
        with pytest.raises(StoreError, match="No space left"):
            history.keep(refined(2))
    assert history.current() == 1
    assert np.array_equal(history.read(1).weights[0], refined(1).weights[0])


def test_one_refinement_at_a_time(history: History) -> None:
    """The second is told so, and the lock goes with the first."""
    with (
        history.alone(),
        pytest.raises(StoreError, match="under way"),
        History(history.store).alone(),
    ):
        pass
    with history.alone():
        pass


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_damage_does_more_than_be_told(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    """Whatever a file holds, reading it ends in a network or in one clear error."""
    history = History(tmp_path_factory.mktemp("home") / "home.db")
    with history.alone():
        pass
    history.keep(refined(1))
    path = history.folder / "refined-1"
    whole = path.read_bytes()
    for damaged in (noise, whole[:at] + noise + whole[at + len(noise) :], whole[:at]):
        path.write_bytes(damaged)
        with suppress(ModelError):
            assert history.read(1).base is not None
    (history.folder / "current").write_bytes(noise)
    with suppress(ModelError):
        assert history.current() in (None, *range(10**6))


def test_damage_is_rolled_back_from(history: History) -> None:
    """A pointer that says nothing leads to what came with the agent."""
    history.keep(refined(1))
    (history.folder / "current").write_text("gibberish")
    assert history.roll_back() is None
    assert history.current() is None


def test_what_is_missing_or_too_large_is_told(history: History) -> None:
    """Nothing is read without a bound."""
    number = history.keep(refined(1))
    path = history.folder / f"refined-{number}"
    path.write_bytes(bytes(2 << 20))
    with pytest.raises(ModelError, match="too large"):
        history.read(number)
    path.unlink()
    with pytest.raises(FwidError, match="is missing"):
        history.read(number)
