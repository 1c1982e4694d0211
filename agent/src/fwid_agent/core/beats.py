"""Periods of packets that come regularly: keep-alives, polls, announcements.

A row beats where the device is silent for as long a third time in a row. What else it says
meanwhile ends the series, so that a period is never told of packets that merely come often.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.types import F8, I4, I8, U4, Bools

_SHORTEST = -0.5  # log10 of seconds: shorter silences are pauses within a conversation
_LONGEST = 5.0  # a day and a bit
_ALIKE = 0.0212  # log10: 5 %
_SERIES = 3  # silences
# Cells are centred on periods that people choose, so that what is set to 60 s is told as 60 s and
# never now as this and now as its neighbour.
_CHOSEN = (1.0, 1.2, 1.5, 1.8, 2.0, 2.4, 3.0, 3.6, 4.0, 5.0, 6.0, 7.5, 9.0)
_CELLS = np.array(
    [round(each * 10**decade) for decade in range(7) for each in _CHOSEN if each * 10**decade >= 3]
)  # tenths of a second
_BORDERS = np.sqrt(_CELLS[1:] * _CELLS[:-1])


@dataclass(frozen=True, slots=True)
class Beats:
    """Packets that end a series of equal silences, one element each."""

    contribution: I8  # [n] index of the contribution
    period: U4  # [n] tenths of a second, one of few cells


class BeatBook:
    """What the last silences of each slot (device and row) were, from batch to batch."""

    def __init__(self) -> None:
        self._last: F8 = np.zeros((0, _SERIES - 1))  # [slots] log10 of seconds, oldest first

    def update(self, slot: I8, contribution: I8, log_gap: F8) -> Beats:
        """Take gaps, sorted by slot and in it by time.

        Args:
            slot: [n] whose gap it is.
            contribution: [n] that ends it.
            log_gap: [n] log10 of seconds.

        """
        silent = np.flatnonzero((log_gap >= _SHORTEST) & (log_gap <= _LONGEST))
        slot, contribution, log_gap = slot[silent], contribution[silent], log_gap[silent]
        if not len(slot):
            return Beats(contribution, np.zeros(0, np.uint32))
        self._grow(int(slot[-1]) + 1)
        told = np.unique(slot)
        # What was known of a slot goes before what is new of it.
        both = np.concatenate([np.repeat(told, _SERIES - 1), slot])
        order = np.argsort(both, kind="stable")
        both = both[order]
        gaps = np.concatenate([self._last[told].ravel(), log_gap])[order]
        begin = np.searchsorted(both, told)
        end = np.append(begin[1:], len(both))
        self._last[told] = np.stack(
            [gaps[end - back] for back in range(_SERIES - 1, 0, -1)], axis=1
        )
        beat = _end_series(gaps)
        # A known silence ends no series anew, and none reaches back into another slot.
        beat[order < len(told) * (_SERIES - 1)] = False
        at = np.flatnonzero(beat)
        mean = np.mean([gaps[at - back] for back in range(_SERIES)], axis=0)
        which = order[at] - len(told) * (_SERIES - 1)
        return Beats(contribution[which], _cell(mean))

    def forget(self, slots: I4 | I8) -> None:
        """Know nothing of these slots any more."""
        self._last[slots[slots < len(self._last)]] = np.nan

    def _grow(self, slots: int) -> None:
        if slots > len(self._last):
            more = np.full((slots - len(self._last), _SERIES - 1), np.nan)
            self._last = np.concatenate([self._last, more])


def _end_series(gaps: F8) -> Bools:
    """Say which gaps are as long as each of those before them."""
    beat = np.ones(len(gaps), bool)
    for back in range(1, _SERIES):
        beat[:back] = False
        beat[back:] &= np.abs(gaps[back:] - gaps[:-back]) <= _ALIKE  # false where one is unknown
    return beat


def _cell(log_gap: F8) -> U4:
    cells: U4 = _CELLS[np.searchsorted(_BORDERS, 10 ** (log_gap + 1))].astype(np.uint32)
    return cells
