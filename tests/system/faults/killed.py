"""Processes that are killed, and one that is asked to stop."""

import os
import random
import signal
import time

from tests.system.agent import wait_for
from tests.system.faults.lab import RATE, Lab, Row, capturers, processes

_SEED = 4


def agent_killed(lab: Lab) -> Row:
    """SIGKILL at random moments, those of the start too."""
    rng = random.Random(_SEED)
    rounds = 4 if lab.quick else 200
    before, worst_s, start_s = 0, 0.0, 0.0
    with lab.sending() as sending:
        for number in range(rounds):
            started = None
            with lab.agent(wait=False) as agent:
                if number % 4 == 3:
                    time.sleep(rng.uniform(0, 2))
                else:
                    began = time.monotonic()
                    agent.says("capturing")
                    started = time.time()
                    start_s = max(start_s, time.monotonic() - began)
                    time.sleep(rng.uniform(0, 6))
                agent.process.kill()
                killed = time.time()
                agent.process.wait()
                sent = sending.count()
            wait_for(lambda: not processes(lab.home), 10, "the capture ends with its agent")
            if lab.store.exists():
                lab.check_whole()
            counted = lab.counted()
            assert before <= counted <= sent, "what was stored is gone, or was counted twice"
            if started is not None:  # whatever came later than what is stored is lost
                worst_s = max(worst_s, killed - max(lab.stored_until_s(), started))
            before = counted
        assert before > 0
    return Row(
        "agent killed",
        f"SIGKILL {rounds} times at random moments, at start too",
        f"{rounds} of {rounds}: store whole, nothing twice",
        f"at most the last {worst_s:.1f} s (a window is 1 s)",
        f"{start_s:.1f} s at most, from start to capture",
    )


def capture_killed(lab: Lab) -> Row:
    """SIGKILL of the process that holds the ring; the agent never ends."""
    rounds = 3 if lab.quick else 200
    rng = random.Random(_SEED)
    gaps = []
    with lab.agent() as agent, lab.sending() as sending:
        for _ in range(rounds):
            time.sleep(rng.uniform(0, 1))
            said = len(agent.log)
            began = time.monotonic()
            os.kill(capturers(lab.home)[-1], signal.SIGKILL)
            agent.says("capturing", after=said)
            gaps.append(time.monotonic() - began)
        sent = sending.stop()
        time.sleep(0.5)
        assert agent.stop() == 0
    lab.check_whole()
    counted = lab.counted()
    assert 0 < counted <= sent
    return Row(
        "capture process killed",
        f"SIGKILL {rounds} times at random moments",
        f"{rounds} of {rounds}: started again, and said",
        f"{(sent - counted) / rounds / RATE:.1f} s of traffic each time",
        f"{max(gaps):.1f} s at most",
    )


def stopped(lab: Lab) -> Row:
    """SIGTERM while frames come."""
    rounds = 2 if lab.quick else 20
    times, lost = [], 0
    for _ in range(rounds):
        before = lab.counted()
        with lab.agent() as agent, lab.sending(1000) as sending:
            time.sleep(1)
            sent = sending.stop()
            began = time.monotonic()
            assert agent.stop() == 0
            times.append(time.monotonic() - began)
        lost += sent - (lab.counted() - before)
    assert lost == 0
    return Row(
        "asked to stop",
        f"SIGTERM {rounds} times, straight after the last of 1000 frames/s",
        "ends with 0",
        f"{lost} frames",
        f"ends in {max(times):.1f} s at most",
    )
