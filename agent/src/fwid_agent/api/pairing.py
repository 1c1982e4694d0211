"""Pairing: a short code that a person reads off the agent is exchanged for a token, once.

Pure: the time is given (of a clock that never jumps), and nothing is kept but numbers. Eight
digits stand against guessing because ten wrong ones end it, wherever they come from; the limit of
each address keeps one careless client from using those ten up.
"""

import hmac
import secrets
from collections import deque
from enum import Enum

CODE_DIGITS = 8
CODE_LIFE_NS = 600 * 1_000_000_000
MOST_WRONG = 10
TRIES_PER_ADDRESS = 5
TRIES_PERIOD_NS = 60 * 1_000_000_000
_MOST_ADDRESSES = 256


class Outcome(Enum):
    """What became of a code. A wrong, used, expired and never made one look alike."""

    PAIRED = "paired"
    WRONG = "wrong"
    LOCKED = "locked"
    TOO_OFTEN = "too often"


class Pairing:
    """The one code that there may be, and who tried."""

    def __init__(self) -> None:
        self._code: str | None = None
        self._expires_ns = 0
        self._wrong = 0
        self._tries: dict[str, deque[int]] = {}  # address -> times, oldest address first

    def new_code(self, now_ns: int) -> str:
        """Make a code, in place of the one before; this unlocks."""
        self._code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        self._expires_ns = now_ns + CODE_LIFE_NS
        self._wrong = 0
        return self._code

    def withdraw(self) -> None:
        """Forget the code: nobody can pair until there is another one."""
        self._code = None

    def is_open(self, now_ns: int) -> bool:
        """Say whether there is a code that can still be used."""
        return self._code is not None and now_ns < self._expires_ns and not self.locked

    @property
    def locked(self) -> bool:
        """Whether so many codes were wrong that only a new one helps."""
        return self._wrong >= MOST_WRONG

    def try_code(self, code: str, address: str, now_ns: int) -> Outcome:
        """Take a code from an address; PAIRED at most once for each that was made."""
        if not self._may_try(address, now_ns):
            return Outcome.TOO_OFTEN
        if self.locked:
            return Outcome.LOCKED
        if self._code is None or now_ns >= self._expires_ns:
            self._code = None
            return Outcome.WRONG
        if hmac.compare_digest(self._code.encode(), code.encode("utf-8", "surrogatepass")):
            self._code = None
            return Outcome.PAIRED
        self._wrong += 1
        if self.locked:
            self._code = None
        return Outcome.WRONG

    def _may_try(self, address: str, now_ns: int) -> bool:
        tries = self._tries.pop(address, deque(maxlen=TRIES_PER_ADDRESS))
        self._tries[address] = tries
        if len(self._tries) > _MOST_ADDRESSES:  # bounded, whoever invents addresses
            del self._tries[next(iter(self._tries))]
        if len(tries) == TRIES_PER_ADDRESS and now_ns - tries[0] < TRIES_PERIOD_NS:
            return False
        tries.append(now_ns)
        return True
