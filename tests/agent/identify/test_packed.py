"""Files of models: what is read is what was written, and a hostile one costs nothing."""

import msgspec
import numpy as np
import pytest
import zstandard
from fwid_agent.errors import ModelError
from fwid_agent.identify.packed import MOST_BYTES, pack, unpack
from hypothesis import given, settings
from hypothesis import strategies as st

MAGIC = b"fwid arrays 1\n"


def packed(content: bytes) -> bytes:
    return MAGIC + zstandard.ZstdCompressor().compress(content)


@given(
    st.dictionaries(st.text(max_size=8), st.integers(-5, 5) | st.text(max_size=9), max_size=4),
    st.sampled_from(["<f4", "<f8", "<i2", "<i4", "<u8", ">i4"]),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_what_is_read_is_what_was_written(
    said: dict[str, int | str], dtype: str, shape: list[int]
) -> None:
    """Arrays of every kind and shape, empty ones too, and on machines of either order of bytes."""
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    read, arrays = unpack(pack(said, {"a": values}), "file")
    assert read == said
    assert arrays["a"].shape == tuple(shape)
    assert (arrays["a"] == values).all()
    assert arrays["a"].dtype.isnative


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no file of a model"),
        (b"PK\x03\x04", "no file of a model"),
        (MAGIC + b"no zstandard", "damaged"),
        (packed(b"no msgpack"), "damaged"),
        (packed(msgspec.msgpack.encode({"said": {}})), "damaged"),
        (packed(msgspec.msgpack.encode({"said": {}, "arrays": {"a": ["|O", [1], b"x"]}})), "kind"),
        (
            packed(msgspec.msgpack.encode({"said": {}, "arrays": {"a": ["<f4", [2], b"1234"]}})),
            "length",
        ),
        (
            packed(
                msgspec.msgpack.encode({"said": {}, "arrays": {"a": ["<f4", [2**62, 4], b"1"]}})
            ),
            "damaged",
        ),
        # A megabyte of zeros a few bytes long: what it unpacks to is looked at before.
        (packed(bytes(MOST_BYTES + 1)), "would unpack"),
        (
            MAGIC
            + zstandard.ZstdCompressor(
                compression_params=zstandard.ZstdCompressionParameters(write_content_size=False)
            ).compress(bytes(100)),
            "would unpack",
        ),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, said: str) -> None:
    """By a line that says so, before memory is taken for it."""
    with pytest.raises(ModelError, match=said):
        unpack(content, "file")


@settings(max_examples=60)
@given(st.integers(0, 500), st.integers(0, 255))
def test_a_damaged_file_ends_as_an_error_or_as_arrays(place: int, value: int) -> None:
    """No other error gets out."""
    content = bytearray(pack({"any": 1}, {"a": np.arange(40.0)}))
    content[place % len(content)] = value
    try:
        _, arrays = unpack(bytes(content), "file")
    except ModelError:
        return
    assert all(each.size * each.itemsize <= MOST_BYTES for each in arrays.values())
