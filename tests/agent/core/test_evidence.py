"""The decision: replaced own values are software, volume is use, one day proves nothing."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.core.comparison import CELL_DTYPE, Comparison, compare_periods
from fwid_agent.core.episode import Episode
from fwid_agent.core.evidence import Judge, Likeness, decide
from fwid_agent.core.features import FEATURES, extract_features
from fwid_agent.core.findings import list_findings
from fwid_agent.core.kinship import Answered, find_stranger
from fwid_agent.core.periods import Period, make_period
from fwid_agent.core.prior import Tail, weak_prior
from fwid_agent.types import Cause, Identification, TokenKind, Verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.agent.core.tables import DAY_NS, DNS_SENT, TLS_RECEIVED, TLS_SENT, Sizes, days, table

CONTRACT = Path(__file__).parents[2] / "contract"
PRIOR = weak_prior(dict.fromkeys(FEATURES, 0.01))
HABITS: Sizes = {(TLS_SENT, 634): 3, (TLS_SENT, 90): 20, (DNS_SENT, 70): 4, (TLS_RECEIVED, 1200): 9}


def trusting(comparisons: Sequence[Comparison]) -> list[Likeness]:
    """Stand for a model that takes every sign for one of software."""
    return [
        Likeness(1 / (1 + float(np.abs(c.tokens["evidence"]).max(initial=0))), 1.0)
        for c in comparisons
    ]


def doubting(comparisons: Sequence[Comparison]) -> list[Likeness]:
    """Stand for a model that takes every sign for one of settings."""
    return [Likeness(0.5, 0.0) for _ in comparisons]


def period(count: int, sizes: Sizes, first_day: int = 0) -> Period:
    """Make a period of days of the same habits."""
    return make_period(
        table(days(count, sizes, first_day=first_day), first=[(TLS_SENT, 634), (TLS_SENT, 638)]),
        "day",
        DAY_NS,
    )


def replace_size(sizes: Sizes, row: int, old: int, new: int) -> dict[tuple[int, int], int]:
    """Send `new` wherever `old` was sent."""
    return {(r, new if (r, s) == (row, old) else s): n for (r, s), n in sizes.items()}


def test_a_replaced_own_size_is_a_changed_firmware_and_the_reason_names_it() -> None:
    """634 to 638 bytes in every first flight after seven days."""
    after = replace_size(HABITS, TLS_SENT, 634, 638)
    decision = decide("aa", period(7, HABITS), period(2, after, 7), Judge(PRIOR, trusting))
    assert decision.verdict is Verdict.CHANGED
    assert decision.cause is Cause.SOFTWARE
    assert decision.reasons[0].key == "size_replaced"
    assert (decision.reasons[0].params["old"], decision.reasons[0].params["new"]) == (634, 638)
    assert decision.effect is not None
    assert decision.effect.g > 0
    assert (decision.effect.n_baseline, decision.effect.n_test) == (7, 2)


def test_the_same_signs_are_settings_where_the_network_says_so() -> None:
    """The network's opinion decides between the two causes; settings never alarm."""
    after = replace_size(HABITS, TLS_SENT, 634, 638)
    decision = decide("aa", period(7, HABITS), period(2, after, 7), Judge(PRIOR, doubting))
    assert decision.verdict is Verdict.DIFFERENT
    assert decision.cause is Cause.SETTINGS


def test_unchanged_habits_are_stable() -> None:
    """Nothing moved, nothing is said."""
    decision = decide("aa", period(7, HABITS), period(2, HABITS, 7), Judge(PRIOR, trusting))
    assert decision.verdict is Verdict.STABLE
    assert decision.reasons == ()


def test_what_only_others_send_is_not_the_devices_firmware() -> None:
    """A server that answers with another size is no alarm."""
    after = replace_size(HABITS, TLS_RECEIVED, 1200, 1100)
    decision = decide("aa", period(7, HABITS), period(2, after, 7), Judge(PRIOR, trusting))
    assert decision.verdict in (Verdict.STABLE, Verdict.DIFFERENT)


@pytest.mark.parametrize("factor", [0.25, 4])
def test_volume_alone_is_not_firmware(factor: float) -> None:
    """Four times as much, or as little, of the same packets is use."""
    after = {cell: max(1, round(count * factor)) for cell, count in HABITS.items()}
    decision = decide("aa", period(7, HABITS), period(3, after, 7), Judge(PRIOR, trusting))
    assert decision.verdict in (Verdict.STABLE, Verdict.DIFFERENT)


def test_one_day_of_baseline_proves_nothing_and_says_what_is_missing() -> None:
    """A single unit says nothing of day-to-day spread."""
    after = replace_size(HABITS, TLS_SENT, 634, 638)
    decision = decide("aa", period(1, HABITS), period(1, after, 1), Judge(PRIOR, trusting))
    assert decision.verdict is Verdict.INSUFFICIENT
    assert "one more baseline unit" in decision.missing


def test_a_device_that_is_not_there_is_insufficient() -> None:
    """Silence is no evidence of anything."""
    decision = decide("aa", period(2, {}), period(2, HABITS, 7), Judge(PRIOR, trusting))
    assert decision.verdict is Verdict.INSUFFICIENT
    assert "baseline" in decision.missing


def test_sizes_that_come_and_go_anyway_are_not_evidence() -> None:
    """A stream of random sizes loses and gains some every day; that is not an update."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(20):
        windows = [
            (day * DAY_NS, 0, {(TLS_SENT, int(size)): 1 for size in rng.integers(100, 400, 150)})
            for day in range(9)
        ]
        baseline = make_period(table(windows[:7]), "day", DAY_NS)
        test = make_period(table(windows[7:]), "day", DAY_NS)
        alarms += decide("aa", baseline, test, Judge(PRIOR, trusting)).verdict is Verdict.CHANGED
    assert alarms == 0


def test_a_noisy_row_does_not_hide_a_replaced_size_in_a_quiet_one() -> None:
    """Streams come and go while the announcement is replaced once and for all."""
    rng = np.random.default_rng(6)

    def day(number: int, announcement: int) -> tuple[int, int, Sizes]:
        noise = {(TLS_SENT, int(size)): 1 for size in rng.integers(100, 400, 150)}
        return number * DAY_NS, 0, {**noise, (DNS_SENT, announcement): 4}

    baseline = make_period(table([day(n, 100) for n in range(7)]), "day", DAY_NS)
    test = make_period(table([day(n, 90) for n in range(7, 9)]), "day", DAY_NS)
    decision = decide("aa", baseline, test, Judge(PRIOR, trusting))
    assert decision.verdict is Verdict.CHANGED
    assert decision.reasons[0].params["protocol"] == "dns"


def test_statistics_agree_with_students_t_when_the_prior_knows_nothing() -> None:
    """With a prior worth no days the moderated t is the ordinary one (scipy.stats)."""
    rng = np.random.default_rng(2)
    windows = [
        (d * DAY_NS, 0, {(TLS_SENT, 100): int(n)}) for d, n in enumerate(rng.integers(50, 90, 9))
    ]
    baseline, test = (
        make_period(table(part), "day", DAY_NS) for part in (windows[:5], windows[5:])
    )
    vague = weak_prior(dict.fromkeys(FEATURES, 1e-9))
    ignorant = {
        name: type(spread)(spread.variance, 1e-9) for name, spread in vague.spreads["sent"].items()
    }
    comparison = compare_periods(
        baseline,
        test,
        type(vague)(**{**_fields(vague), "spreads": {"sent": ignorant, "received": ignorant}}),
    )
    column = list(FEATURES).index("packets")
    values = [extract_features(p.observations)[:, TLS_SENT, column] for p in (baseline, test)]
    expected = stats.ttest_ind(*values).pvalue
    assert 10 ** -comparison.evidence[TLS_SENT, column] == pytest.approx(expected, rel=1e-6)


def _fields(prior: object) -> dict[str, object]:
    return {name: getattr(prior, name) for name in prior.__slots__}  # type: ignore[attr-defined]


@given(st.permutations(list(range(5))))
@settings(max_examples=20)
def test_swapping_the_periods_mirrors_every_sign(order: list[int]) -> None:
    """What is new one way is gone the other way, with the same surprise."""
    windows = [
        (i * DAY_NS, 0, {(TLS_SENT, 100 + 10 * d): 2, (DNS_SENT, 70): 1})
        for i, d in enumerate(order)
    ]
    first, second = (make_period(table(part), "day", DAY_NS) for part in (windows[:3], windows[3:]))
    there, back = compare_periods(first, second, PRIOR), compare_periods(second, first, PRIOR)
    assert there.tokens["evidence"] == pytest.approx(-back.tokens["evidence"])
    assert there.steps == pytest.approx(-back.steps)


def test_findings_come_strongest_first() -> None:
    """People read the first one."""
    after = replace_size(replace_size(HABITS, TLS_SENT, 634, 638), TLS_RECEIVED, 1200, 1000)
    findings = list_findings(compare_periods(period(7, HABITS), period(2, after, 7), PRIOR))
    surprises = [finding.reason.surprise for finding in findings]
    assert surprises == sorted(surprises, reverse=True)
    assert len(surprises) > 1


def test_every_reason_that_can_be_given_is_in_the_contract() -> None:
    """Page and Home Assistant are tested with its keys and parameters."""
    examples = json.loads((CONTRACT / "reasons.json").read_text())
    known = {(example["key"], *sorted(example["params"])) for example in examples}
    halved = {cell: count // 2 for cell, count in HABITS.items()}
    compared = compare_periods(period(7, HABITS), period(3, halved, 7), PRIOR)
    given = set()
    for kind in TokenKind:
        both = () if kind is TokenKind.ROW else ((-9.0, 9.0),)  # a row is there or not
        for signs in ((-9.0,), (9.0,), *both):
            cells = np.zeros(len(signs), CELL_DTYPE)
            cells["row"], cells["kind"], cells["evidence"] = TLS_SENT, kind, signs
            for found in list_findings(replace(compared, tokens=cells)):
                given.add((found.reason.key, *sorted(found.reason.params)))
    told = Episode(3e6, 4e4, 5.0).reason()
    given.add((told.key, *sorted(told.params)))
    known_as = Identification("hub", None, 0.99, "hub")
    answers = [known_as, *[replace(known_as, label="camera")] * 2]
    stranger = find_stranger([Answered(each, "hub") for each in answers])
    assert stranger is not None
    given.add((stranger.key, *sorted(stranger.params)))
    assert given == known


def test_a_restless_device_raises_its_own_threshold() -> None:
    """The prior is shrunk towards what the device's own days showed."""
    tail = Tail(scale=0.5, cases=5)
    assert tail.threshold(0.01, [3.0] * 5) > tail.threshold(0.01) > tail.threshold(0.01, [0.0] * 5)
