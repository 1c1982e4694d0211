"""A stream that is read in a thread of its own, so that nobody who wants to stop waits for it."""

import http.client
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_WAITING_PIECES = 64  # beyond, whoever sends has to wait
_GATHER_S = 0.1  # that pieces wait for each other: what a block costs is shared by its frames
_GATHER_BYTES = 1 << 20


class PieceReader:
    """Reads until the end, or until there is an error.

    Args:
        read: blocks until something has come; gives nothing at the end.

    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._queue: queue.Queue[bytes | Exception] = queue.Queue(_WAITING_PIECES)
        self._last: bytes | Exception | None = None  # the end, once it has come
        threading.Thread(target=self._run, name="reader", daemon=True).start()

    def take(self, wait_s: float) -> bytes | None:
        """Return what has come, waiting for it as long as this at the most.

        Returns:
            None where nothing has come, no bytes at the end of the stream.

        Raises:
            OSError, HTTPException: the stream broke off; all before was returned.

        """
        pieces: list[bytes] = []
        until = time.monotonic() + wait_s
        while self._last is None and sum(map(len, pieces)) < _GATHER_BYTES:
            try:
                piece = self._queue.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                break
            if not piece or isinstance(piece, Exception):
                self._last = piece
            else:
                if not pieces:
                    until = min(until, time.monotonic() + _GATHER_S)
                pieces.append(piece)
        if pieces:
            return b"".join(pieces)
        if isinstance(self._last, Exception):
            raise self._last
        return self._last

    def drop(self) -> None:
        """Forget what has come, so that the thread sees that its stream was closed."""
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()

    def _run(self) -> None:
        last: bytes | Exception = b""
        try:
            while piece := self._read():
                self._queue.put(piece)
        except (OSError, ValueError, http.client.HTTPException) as error:
            last = error
        self._queue.put(last)
