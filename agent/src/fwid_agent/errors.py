"""What can go wrong for a user: each error is one clear line and a documented exit code."""

from typing import ClassVar


class FwidError(Exception):
    """Root of every error that a user sees; `str(error)` is the whole line."""

    exit_code: ClassVar[int] = 4


class UsageError(FwidError):
    """The command was asked for something that makes no sense."""

    exit_code = 2


class UnreadableInputError(FwidError):
    """An input cannot be read, from its start or from some offset on.

    `path` names the file ("-" for standard input), `reason` says what is wrong and what to do;
    `offset` is the byte in the (uncompressed) stream, where there is one.
    """

    exit_code = 3

    def __init__(self, path: str, reason: str, offset: int | None = None) -> None:
        self.path = path
        self.reason = reason
        self.offset = offset
        where = f"{path}: byte {offset}" if offset is not None else path
        super().__init__(f"{where}: {reason}")


class CaptureError(FwidError):
    """A source cannot be captured from, or no longer."""

    exit_code = 3


class CaptureEndedError(CaptureError):
    """Nothing will ever come from this source any more."""


class StoreError(FwidError):
    """The store cannot be opened, read or written."""

    exit_code = 4


class StoreLostError(StoreError):
    """The store is removed, or damaged: nothing can be stored in it any more."""


class ModelError(FwidError):
    """A model or prior file does not fit: wrong shape, quantisation, version or checksum."""

    exit_code = 4


class AgentUnreachableError(FwidError):
    """No running agent answers."""

    exit_code = 5
