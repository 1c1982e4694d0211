"""A clock that is wrong, or set, while the agent runs; without touching the machine's own."""

import time
from pathlib import Path

from fwid_agent.store import Store

from tests.system.agent import wait_for
from tests.system.faults.lab import Lab, Row
from tests.system.probe import MAC

_SHIM = Path(__file__).parents[1] / "clock"
_DAY_S = 86_400.0
_UNITS = 3  # to be judged before and after


def forward(lab: Lab) -> Row:
    """A Pi has no clock of its own: until NTP answers, it believes in another year."""
    return _set_clock(lab, "wrong clock until NTP", -3 * 365 * _DAY_S, "3 years behind, then right")


def back(lab: Lab) -> Row:
    """A clock that was ahead is set right."""
    return _set_clock(lab, "clock set back", 30 * _DAY_S, "30 days ahead, then right")


def hour_back(lab: Lab) -> Row:
    """A smaller step, longer than a unit all the same."""
    return _set_clock(lab, "clock set back a little", 3600, "an hour ahead, then right")


def _set_clock(lab: Lab, fault: str, wrong_s: float, injected: str) -> Row:
    wrong = lab.folder.parent / "clock"
    wrong.write_text(str(wrong_s))
    environment = {"FWID_TEST_CLOCK": str(wrong), "PYTHONPATH": f"{_SHIM}:{Path.cwd()}"}
    with lab.agent(environment=environment) as agent, lab.sending() as sending:
        judged_s = [_until_judged(lab, _UNITS)]
        moment = wrong.with_suffix(".new")
        moment.write_text("0")
        moment.rename(wrong)
        judged_s.append(_until_judged(lab, _UNITS))
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
    lab.check_whole()
    lost = sent - lab.counted()
    assert lost == 0
    return Row(
        fault,
        f"{injected}, as the agent's processes see it",
        "units go on being judged",
        f"{lost} frames",
        f"{_UNITS} units after {judged_s[1]:.0f} s ({judged_s[0]:.0f} s before)",
    )


def _until_judged(lab: Lab, more: int) -> float:
    """Wait until so many units more of the device are judged; gives how many seconds that took."""
    began, before = time.monotonic(), _judged(lab)
    wait_for(lambda: _judged(lab) >= before + more, 60, f"{more} units more are judged")
    return time.monotonic() - began


def _judged(lab: Lab) -> int:
    if not lab.store.exists():
        return 0
    with Store.open(lab.store, create=False) as store:
        return len(store.verdicts(MAC, -(2**62)))
