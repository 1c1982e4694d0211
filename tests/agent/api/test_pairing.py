"""Nobody guesses a code: not by trying often, not from many addresses, not after its time."""

from fwid_agent.api.pairing import (
    CODE_LIFE_NS,
    MOST_WRONG,
    TRIES_PER_ADDRESS,
    TRIES_PERIOD_NS,
    Outcome,
    Pairing,
)
from hypothesis import given
from hypothesis import strategies as st


def other(code: str) -> str:
    """A code that is wrong."""
    return f"{(int(code) + 1) % 10**8:08d}"


def test_a_code_pairs_once() -> None:
    """Whoever looks over a shoulder comes too late."""
    pairing = Pairing()
    code = pairing.new_code(0)
    assert len(code) == 8
    assert code.isdecimal()
    assert pairing.try_code(code, "a", 1) is Outcome.PAIRED
    assert pairing.try_code(code, "a", 2) is Outcome.WRONG
    assert not pairing.is_open(2)


def test_an_expired_code_is_as_good_as_none() -> None:
    """A code on an old screen opens nothing."""
    pairing = Pairing()
    code = pairing.new_code(0)
    assert pairing.is_open(CODE_LIFE_NS - 1)
    assert not pairing.is_open(CODE_LIFE_NS)
    assert pairing.try_code(code, "a", CODE_LIFE_NS) is Outcome.WRONG
    assert pairing.try_code(code, "a", 0) is Outcome.WRONG


def test_a_new_code_and_a_withdrawn_one_end_the_one_before() -> None:
    """There is one code at most."""
    pairing = Pairing()
    first = pairing.new_code(0)
    second = pairing.new_code(0)
    assert pairing.try_code(first, "a", 1) is (Outcome.WRONG if first != second else Outcome.PAIRED)
    third = pairing.new_code(2)
    pairing.withdraw()
    assert pairing.try_code(third, "a", 3) is Outcome.WRONG


def test_ten_wrong_codes_lock_until_there_is_a_new_one() -> None:
    """From ten addresses as from one: the right code does not help any more."""
    pairing = Pairing()
    code = pairing.new_code(0)
    for number in range(MOST_WRONG):
        assert pairing.try_code(other(code), str(number), number) is Outcome.WRONG
    assert pairing.locked
    assert pairing.try_code(code, "b", 20) is Outcome.LOCKED
    code = pairing.new_code(21)
    assert pairing.try_code(code, "b", 22) is Outcome.PAIRED


def test_nobody_locks_before_there_is_a_code() -> None:
    """Otherwise every neighbour could keep the next code from working."""
    pairing = Pairing()
    for number in range(3 * MOST_WRONG):
        assert pairing.try_code("00000000", str(number), number) is Outcome.WRONG
    code = pairing.new_code(100)
    assert pairing.try_code(code, "a", 101) is Outcome.PAIRED


def test_one_address_waits_the_others_do_not() -> None:
    """One careless client does not use up the ten."""
    pairing = Pairing()
    code = pairing.new_code(0)
    for number in range(TRIES_PER_ADDRESS):
        assert pairing.try_code(other(code), "a", number) is Outcome.WRONG
    assert pairing.try_code(code, "a", 10) is Outcome.TOO_OFTEN
    assert pairing.try_code(code, "a", TRIES_PERIOD_NS - 1) is Outcome.TOO_OFTEN
    assert pairing.try_code(code, "a", TRIES_PERIOD_NS) is Outcome.PAIRED


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "right", "wrong", "old"]),
        st.integers(0, 12),  # who
        st.sampled_from([0, 1, 10**9, TRIES_PERIOD_NS, CODE_LIFE_NS]),  # how much later
    ),
    max_size=80,
)


@given(STEPS)
def test_no_order_of_tries_opens_more_than_it_should(steps: list[tuple[str, int, int]]) -> None:
    """A code pairs at most once, in its time, before ten wrong ones; nobody tries too often."""
    pairing, code, old = Pairing(), None, "00000000"
    now = made = wrong = 0
    judged: dict[int, list[int]] = {}
    for kind, who, later in steps:
        now += later
        if kind == "new":
            old, code = code or old, pairing.new_code(now)
            made, wrong = now, 0
            continue
        right = kind == "right" and code is not None
        tried = code if right and code else old if kind == "old" and old != code else "x"
        outcome = pairing.try_code(tried, str(who), now)
        usable = code is not None and now - made < CODE_LIFE_NS and wrong < MOST_WRONG
        if outcome is Outcome.TOO_OFTEN:
            recent = [at for at in judged[who] if now - at < TRIES_PERIOD_NS]
            assert len(recent) >= TRIES_PER_ADDRESS
            continue
        judged.setdefault(who, []).append(now)
        assert sum(now - at < TRIES_PERIOD_NS for at in judged[who]) <= TRIES_PER_ADDRESS
        assert (outcome is Outcome.PAIRED) == (right and usable)
        assert (outcome is Outcome.LOCKED) == (wrong >= MOST_WRONG)
        if outcome is Outcome.PAIRED:
            code = None
        elif usable:
            wrong += 1


@given(st.integers(0, 2000))
def test_invented_addresses_do_not_fill_the_memory(count: int) -> None:
    """An attacker has as many IPv6 addresses as he likes."""
    pairing = Pairing()
    for number in range(count):
        pairing.try_code("x", str(number), 0)
    assert len(pairing._tries) <= 256


@given(st.text(max_size=20))
def test_any_text_is_a_wrong_code(text: str) -> None:
    """Whatever is sent, it is answered."""
    pairing = Pairing()
    code = pairing.new_code(0)
    if text != code:
        assert pairing.try_code(text, "a", 0) is Outcome.WRONG
