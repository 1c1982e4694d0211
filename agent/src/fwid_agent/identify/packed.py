"""A file of plain arrays and what is said of them: nothing in it is run, and all of it is bounded.

A magic word, then zstandard of msgpack: `{"said": {...}, "arrays": {name: [dtype, shape, bytes]}}`.
How much it unpacks to stands in the frame, and is looked at before a byte is unpacked.
"""

from collections.abc import Mapping
from math import prod
from typing import Annotated, Any

import msgspec
import numpy as np
import zstandard

from fwid_agent.errors import ModelError

MOST_BYTES = 64 << 20  # unpacked: a forest of a large home takes some 5 MB
_MAGIC = b"fwid arrays 1\n"
_LEVEL = 15
_DTYPES = ("<f4", "<f8", "<i2", "<i4", "<u8")
_Size = Annotated[int, msgspec.Meta(ge=0, le=MOST_BYTES)]
Arrays = dict[str, np.ndarray]


class _Array(msgspec.Struct, array_like=True, frozen=True):
    dtype: str
    shape: Annotated[tuple[_Size, ...], msgspec.Meta(max_length=4)]
    values: bytes


class _File(msgspec.Struct, frozen=True):
    said: dict[str, Any]
    arrays: dict[str, _Array]


def pack(said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the file."""
    packed = {
        name: _Array(
            values.dtype.newbyteorder("<").str,
            values.shape,
            np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes(),
        )
        for name, values in arrays.items()
    }
    content = msgspec.msgpack.encode(_File(dict(said), packed))
    return _MAGIC + zstandard.ZstdCompressor(level=_LEVEL).compress(content)


def unpack(content: bytes, name: str) -> tuple[dict[str, Any], Arrays]:
    """Read a file; raises ModelError where it is none, or would be larger than it may."""
    if not content.startswith(_MAGIC):
        raise ModelError(f"{name}: is no file of a model")
    frame = content[len(_MAGIC) :]
    try:
        size = zstandard.frame_content_size(frame)
        if not 0 <= size <= MOST_BYTES:
            raise ModelError(f"{name}: would unpack to more than {MOST_BYTES >> 20} MB")
        whole = zstandard.ZstdDecompressor().decompress(frame)
        file = msgspec.msgpack.decode(whole, type=_File)
        return file.said, {key: _read(each) for key, each in file.arrays.items()}
    except (zstandard.ZstdError, msgspec.DecodeError, ValueError) as error:
        raise ModelError(f"{name}: is damaged ({error})") from error


def _read(array: _Array) -> np.ndarray:
    if array.dtype not in _DTYPES:
        raise ValueError("an array is of no kind that is known")
    dtype = np.dtype(array.dtype)
    if prod(array.shape) * dtype.itemsize != len(array.values):
        raise ValueError("an array is of another length than it says")
    values: np.ndarray = np.frombuffer(array.values, dtype).reshape(array.shape)
    return values.astype(dtype.newbyteorder("="), copy=False)
