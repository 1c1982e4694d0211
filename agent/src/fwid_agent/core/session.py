"""What one capture session carries from batch to batch: when who was watched, and each row's last.

Devices are known by their indices, which are another's once a device is forgotten.
"""

import numpy as np

from fwid_agent.core.beats import BeatBook, Beats
from fwid_agent.core.tokens import Owner
from fwid_agent.types import (
    F8,
    I4,
    I8,
    ROW_COUNT,
    SENT,
)

_LEAST_WATCH_NS = 1_000_000_000
_SHORTEST_GAP_S = 1e-6
_LOG10_E = np.log10(np.e)
_NEVER_NS = np.iinfo(np.int64).min


class Session:
    """What one capture session carries from batch to batch."""

    def __init__(self, number: int, origin_ns: int, window_ns: int, day_ns: int) -> None:
        self.number = number
        self.origin_ns = origin_ns
        self._window_ns = window_ns
        self._begin_ns, self._end_ns = 0, -1
        # A device that is silent for a day is off, and a window without it is not watched.
        self._patience = max(day_ns // window_ns, 1)
        self._active: dict[int, list[int]] = {}  # device -> windows it was heard in, since told
        self._untold: dict[int, int] = {}  # device -> first window not told yet
        self._told: dict[int, float] = {}  # device -> windows told so far
        self._late: set[tuple[int, int]] = set()  # device and window, after a clock was set back
        self._late_told: set[tuple[int, int]] = set()
        self._last_ns: I8 = np.zeros(0, np.int64)  # of device * ROW_COUNT + row
        self._beats = BeatBook()

    def window_of(self, ts_ns: I8) -> I8:
        """Number of the window of each time."""
        return (ts_ns - self.origin_ns) // self._window_ns

    def see(self, begin_ns: int, end_ns: int) -> None:
        """Take note that it reaches from here to there at the least."""
        if self._end_ns < self._begin_ns:
            self._begin_ns, self._end_ns = begin_ns, end_ns
        self._begin_ns = min(self._begin_ns, begin_ns)
        self._end_ns = max(self._end_ns, end_ns)

    def meet(self, device: int, window: int) -> None:
        """Take note that a device was heard in a window."""
        windows = self._active.setdefault(device, [])
        # Disorder reaches back by one window at most: beyond it the clock was set back, and what
        # it shows now was watched too.
        if window < self._untold.get(device, window) - 1:
            self._late.add((device, window))
        elif not windows or windows[-1] != window:
            windows.append(window)

    def forget(self, devices: I4) -> None:
        """Know nothing of these any more."""
        gone = set(devices.tolist())
        for known in (self._active, self._untold, self._told):
            for device in gone & known.keys():
                del known[device]
        for late in (self._late, self._late_told):
            late -= {one for one in late if one[0] in gone}
        slots = devices[:, None] * ROW_COUNT + np.arange(ROW_COUNT)
        self._last_ns[slots[slots < len(self._last_ns)]] = _NEVER_NS
        self._beats.forget(slots.ravel())

    def tell_finished(self, watched: dict[Owner, float]) -> None:
        """Tell the share watched of every window that time has left behind."""
        current = (self._end_ns - self.origin_ns) // self._window_ns
        for device, windows in self._active.items():
            until = self._untold.get(device, min(windows))
            for active in sorted(windows):
                end = min(active + self._patience, current)
                for window in range(max(until, active), end):
                    self._tell(watched, window, device, self._share(window))
                until = max(until, end)
            self._untold[device] = until
            self._active[device] = [max(windows)]
        for device, window in sorted(self._late - self._late_told):
            self._tell(watched, window, device, self._share(window))
        self._late_told |= self._late

    def tell_rest(self, watched: dict[Owner, float]) -> None:
        """Tell the last window too, topped up to one window for a short session."""
        self.tell_finished(watched)
        short = self._end_ns - self._begin_ns < self._window_ns
        last = (self._end_ns - self.origin_ns) // self._window_ns
        for device, windows in self._active.items():
            if last >= max(windows) + self._patience:
                continue
            share = self._share(last)
            if short:
                share = max(share, 1.0 - self._told.get(device, 0.0))
            self._tell(watched, last, device, share)
        self._active = {}

    def _share(self, window: int) -> float:
        start_ns = self.origin_ns + window * self._window_ns
        inside = min(self._end_ns, start_ns + self._window_ns) - max(self._begin_ns, start_ns)
        # Whoever is heard on the border of a window was watched in it.
        return max(inside, _LEAST_WATCH_NS) / self._window_ns

    def _tell(self, watched: dict[Owner, float], window: int, device: int, share: float) -> None:
        owner = (self.number, window, device)
        watched[owner] = watched.get(owner, 0.0) + share
        self._told[device] = self._told.get(device, 0.0) + share

    def gaps(self, ts_ns: I8, slot: I8) -> tuple[I8, F8, Beats]:
        """Tell the gap since the row's packet before.

        Returns:
            Which contributions have one, log10 of its seconds, and the beats of what is sent.

        """
        slots = int(slot.max()) + 1
        if slots > len(self._last_ns):
            more = np.full(slots - len(self._last_ns), _NEVER_NS)
            self._last_ns = np.concatenate([self._last_ns, more])
        # A stable sort of 16 bits is a radix sort. A slot has one direction, so its packets,
        # sent and received being two runs, are in the order of arrival.
        order = np.argsort(slot.astype(np.uint16) if slots <= 1 << 16 else slot, kind="stable")
        slot, ts_ns = slot[order], ts_ns[order]
        first = np.ones(len(order), bool)
        first[1:] = slot[1:] != slot[:-1]
        before = np.empty_like(ts_ns)
        before[1:] = ts_ns[:-1]
        before[first] = self._last_ns[slot[first]]
        last = np.append(np.flatnonzero(first)[1:], len(order)) - 1
        self._last_ns[slot[last]] = ts_ns[last]
        known = before != _NEVER_NS
        gap_s = (ts_ns[known] - before[known]) * 1e-9
        # The natural logarithm is vectorised where the one to base 10 is not.
        log_gap = np.log(np.maximum(gap_s, _SHORTEST_GAP_S)) * _LOG10_E
        which, slot = order[known], slot[known]
        sent = np.flatnonzero(SENT[slot % ROW_COUNT])
        return which, log_gap, self._beats.update(slot[sent], which[sent], log_gap[sent])
