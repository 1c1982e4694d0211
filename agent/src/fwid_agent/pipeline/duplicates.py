"""Frames that are in the captures of a run more than once: which of them count.

They are looked for where sources overlap: between live sources, between the interfaces of one
capture, between captures of one time, and, where somebody asks for it, within one source (a mirror
port).

Captures are read one after the other, each as a session. Beside one that overlaps earlier ones,
those are read again, frame by frame of the same time, only to be compared: no memory could hold
all frames of a long overlap.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from fwid_agent.capture.files import CaptureReader, open_capture
from fwid_agent.capture.frames import select_frames
from fwid_agent.capture.stream import is_stream
from fwid_agent.core.copies import (
    COPY_WITHIN_NS,
    CopyFilter,
    InterfaceFilter,
    find_near,
    hash_frames,
)
from fwid_agent.core.merging import SourceMerge
from fwid_agent.core.packets import decode_packets
from fwid_agent.errors import UnreadableInputError
from fwid_agent.types import U8, Bools, FrameBlock, PacketBatch

MOST_COMPANIONS = 8  # each is read once more; no home is captured by more at once
_BLOCK_BYTES = 1 << 20


class _Filter(Protocol):
    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools | None:
        """Return which frames count [n]; None: all of them."""


class Duplicates:
    """Takes out the frames of a run that count already, session by session.

    Args:
        mirrored: look for copies within one source too.
        several: live sources, each with a clock of its own.

    """

    def __init__(self, *, mirrored: bool, several: bool) -> None:
        self._mirrored = mirrored
        self._several = several
        self._read: list[tuple[str, int]] = []  # captures, with the time of their last frame
        self._path: str | None = None
        self._companions: list[Companion] = []
        self._filters = self._new_filters()
        self.copies: Counter[int] = Counter()  # by source

    def begin(self, path: str | None, first_ns: int) -> None:
        """Begin a session: a capture, or None for what has no file to be read again."""
        self._path = None if path is None or is_stream(path) else path
        if self._path is not None:
            for earlier, last_ns in self._read[::-1]:
                if first_ns < last_ns and len(self._companions) < MOST_COMPANIONS:
                    # One that has gone meanwhile is left out; what it had was read.
                    with suppress(UnreadableInputError):
                        self._companions.append(Companion(earlier))
        self._filters = self._new_filters()

    def take_out(self, block: FrameBlock, batch: PacketBatch) -> tuple[FrameBlock, PacketBatch]:
        """Return the frames that count, as frames and as packets."""
        for each in self._filters:
            kept = each.keep(block, batch) if len(block.ts_ns) else None
            if kept is not None and not kept.all():
                self.copies.update(block.source[~kept].tolist())
                block = select_frames(block, kept)
                batch = PacketBatch(*(getattr(batch, field.name)[kept] for field in fields(batch)))
        return block, batch

    def end(self, last_ns: int) -> None:
        """End the session that was begun last."""
        for companion in self._companions:
            companion.close()
        self._companions = []
        self._filters = self._new_filters()
        if self._path is not None:
            self._read.append((self._path, last_ns))
            self._path = None

    def _new_filters(self) -> list[_Filter]:
        mirrored: list[_Filter] = [CopyFilter()] if self._mirrored else []
        between = SourceMerge() if self._several else InterfaceFilter()
        return [*mirrored, between, *self._companions]


class Companion:
    """An earlier capture, read again in step with the present one."""

    def __init__(self, path: str) -> None:
        self._reader = open_capture(path, _BLOCK_BYTES)
        self._pieces = _read_pieces(self._reader)
        self._held: list[_Piece] = []  # that frames to come may be alike

    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools:
        """Return which frames [n] this capture does not have."""
        hashes, ts_ns = hash_frames(block, batch), block.ts_ns
        here = np.zeros(len(hashes), bool)
        begin_ns, end_ns = int(ts_ns.min()) - COPY_WITHIN_NS, int(ts_ns.max()) + COPY_WITHIN_NS
        held = []
        for piece in self._until(end_ns):
            if begin_ns <= piece.last_ns and piece.first_ns <= end_ns:
                here |= find_near(hashes, ts_ns, piece.hash(), piece.block.ts_ns)
            if piece.last_ns >= end_ns - 2 * COPY_WITHIN_NS:
                held.append(piece)
        self._held = held
        return ~here

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def _until(self, end_ns: int) -> "Iterator[_Piece]":
        yield from self._held
        if self._held and self._held[-1].last_ns > end_ns:
            return
        for piece in self._pieces:
            yield piece
            if piece.last_ns > end_ns:
                return


@dataclass(slots=True)
class _Piece:
    """A block of an earlier capture."""

    block: FrameBlock
    first_ns: int
    last_ns: int
    hashes: U8 | None = None  # made when they are first asked for

    def hash(self) -> U8:
        if self.hashes is None:
            self.hashes = hash_frames(self.block, decode_packets(self.block))
        return self.hashes


def _read_pieces(reader: CaptureReader) -> Iterator[_Piece]:
    try:
        for block in reader:
            yield _Piece(block, int(block.ts_ns.min()), int(block.ts_ns.max()))
    except UnreadableInputError:
        return  # told when the capture itself was read
