"""How long to wait before the next try: longer each time, and never all at once."""

import random
from collections.abc import Callable

_FIRST_S = 0.5
_LONGEST_S = 60.0


class Backoff:
    """Waiting times that double; half of each is chance, so that many clients spread out."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """Start anew; `chance` gives numbers from 0 to 1."""
        self._chance = chance
        self.failures = 0  # in a row

    def reset(self) -> None:
        """Begin with short times again: it has worked."""
        self.failures = 0

    def next_s(self) -> float:
        """Count a failure, and return how long to wait after it."""
        longest_s = min(_FIRST_S * 2.0**self.failures, _LONGEST_S)
        self.failures += 1
        return longest_s * (0.5 + 0.5 * self._chance())
