"""A household: the devices of the made corpus, with their days of one version."""

from pathlib import Path

import pytest
from fwid_agent.lab.cases import DAY_NS, LabelledDevice
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.daily import list_days
from fwid_agent.pipeline.models import load_prior
from fwid_agent.pipeline.refined import Base, read_base
from fwid_agent.refine.attempt import Plan
from fwid_agent.refine.days import LEAST_DAYS, Stretch

CORPUS = Path(__file__).parents[2] / "data" / "made-corpus"


@pytest.fixture(autouse=True)
def _memory(own_memory_only: None) -> None:
    """At home, refining has a process of its own."""


@pytest.fixture(scope="session")
def devices() -> list[LabelledDevice]:
    """Every device, with its labels."""
    return load_corpus(CORPUS, lambda _: None)


@pytest.fixture(scope="session")
def home(devices: list[LabelledDevice]) -> list[Stretch]:
    """Each device's first version, where it lasted long enough."""
    stretches = []
    for device in devices:
        days = list(list_days(device))
        first = tuple(day for label, day in days if label.version == days[0][0].version)
        if len(first) >= LEAST_DAYS:
            stretches.append(Stretch(device.mac, first))
    assert len(stretches) > 3
    return stretches


@pytest.fixture(scope="session")
def plan() -> Plan:
    """As at home, with fewer pairs."""
    return Plan(load_prior(), DAY_NS, learnt_pairs=24, held_pairs=16)


@pytest.fixture(scope="session")
def base() -> Base:
    """What is refined."""
    return read_base()
