import asyncio
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import drive, load
from course_lib.lab.clock import run

ENDS = st.floats(0.5, 200)
RATES = st.floats(0.01, 20)
SEEDS = st.integers(0, 10_000)


def every_shape(rate, end, seed):
    yield load.steady(rate, end)
    yield load.poisson(rate, end, seed)
    yield load.bursts(rate, 5, 7, end, seed, spread=2)
    yield load.boundary_attack(5, 10, end, spread=1)
    yield load.ramp(0, rate, end, seed)
    yield load.spike(rate, 2 * rate, end / 3, end / 3, end, seed)


@given(RATES, ENDS, SEEDS)
def test_sorted_and_within(rate, end, seed):
    """Every shape of load is sorted, and lies in [start, end)."""
    for times in every_shape(rate, end, seed):
        assert times == sorted(times)
        assert all(0 <= t < end for t in times)


@given(RATES, ENDS, SEEDS)
def test_same_seed(rate, end, seed):
    """The same seed gives the same arrivals."""
    assert list(every_shape(rate, end, seed)) == list(every_shape(rate, end, seed))


@given(RATES, ENDS, SEEDS)
def test_longer_is_an_extension(rate, end, seed):
    """A later end only adds arrivals: those before are the same."""
    short, long = load.poisson(rate, end, seed), load.poisson(rate, 2 * end, seed)
    assert long[: len(short)] == short


def test_seeds_differ():
    """Another seed gives other arrivals."""
    assert load.poisson(1, 100, seed=1) != load.poisson(1, 100, seed=2)


@given(st.floats(0.1, 50), st.floats(1, 100))
def test_steady_gaps(rate, end):
    """Steady load has a request each 1 / rate seconds, the first at the start."""
    times = load.steady(rate, end)
    assert times[0] == 0
    assert all(math.isclose(b - a, 1 / rate, rel_tol=1e-6) for a, b in itertools.pairwise(times))
    assert abs(len(times) - rate * end) <= 1


def test_poisson_moments():
    """Poisson gaps have the mean 1 / rate, and a standard deviation as large as the mean."""
    times = load.poisson(5, 20_000, seed=12)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(0.2, rel=0.02)
    assert spread == pytest.approx(0.2, rel=0.02)


@given(SEEDS, st.integers(1, 50), st.floats(0, 5))
def test_same_background(seed, burst, spread):
    """Changing the bursts leaves the background as it was."""
    background = load.poisson(2, 60, seed)
    times = load.bursts(2, burst, 10, 60, seed, spread=spread)
    assert set(background) <= set(times)
    assert len(times) == len(background) + 6 * burst


@given(SEEDS)
def test_bursts_have_their_own_dice(seed):
    """The places within a burst share no random number with the background."""
    first = load.bursts(0, 1, 10, 5, seed, spread=1)[0]
    assert first != pytest.approx(1 - math.exp(-load.poisson(1, 100, seed)[0]))


@given(st.integers(1, 200), st.integers(1, 120), st.integers(1, 5))
def test_boundary_attack(limit, window, windows):
    """`limit` requests lie just before each edge and `limit` from it on, within the spread."""
    spread = window / 100
    times = load.boundary_attack(limit, window, windows * window + spread, spread=spread)
    for edge in range(window, (windows + 1) * window, window):
        assert sum(edge - spread <= t < edge for t in times) == limit
        assert sum(edge <= t < edge + spread for t in times) == limit
    assert len(times) == 2 * limit * windows


def test_ramp_and_spike():
    """A ramp has the mean of its two rates; a spike has its peak inside and the rate outside."""
    assert len(load.ramp(0, 20, 1000, seed=1)) == pytest.approx(10_000, rel=0.03)
    times = load.spike(1, 50, begins=400, lasts=200, end=1000, seed=1)
    inside = sum(400 <= t < 600 for t in times)
    assert inside == pytest.approx(10_000, rel=0.03)
    assert len(times) - inside == pytest.approx(800, rel=0.1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: load.steady(-1, 5), "A rate must be 0 or more"),
        (lambda: load.poisson(math.nan, 5, 1), "A rate must be 0 or more"),
        (lambda: load.poisson(1, 0, 1), "must end after it starts"),
        (lambda: load.steady(1, math.inf), "must end after it starts"),
        (lambda: load.bursts(1, 0, 5, 10, 1), "burst must be a whole number of 1 or more"),
        (lambda: load.bursts(1, 2, 5, 10, 1, spread=6), "must fit between two bursts"),
        (lambda: load.boundary_attack(5, 10, 20, spread=6), "at most half the window"),
        (lambda: load.boundary_attack(5, 0, 20), "window must be above 0"),
        (lambda: load.spike(1, 2, 0, -1, 5, 1), "cannot last -1 s"),
        (lambda: load.zipf(0, 1, 1), "n must be a whole number"),
        (lambda: load.zipf(5, -1, 1), "skew s must be 0"),
    ],
)
def test_refused(make, sentence):
    """A setting that makes no sense is refused with a sentence."""
    with pytest.raises(ValueError, match=sentence):
        make()


def test_zipf_shares():
    """Keys are drawn as often as their probability says, and probabilities add up to 1."""
    keys = load.zipf(100, 1.0, seed=12)
    drawn = keys.take(50_000)
    assert sum(map(keys.probability, range(100))) == pytest.approx(1)
    for key in (0, 1, 10):
        assert drawn.count(key) / 50_000 == pytest.approx(keys.probability(key), rel=0.07)
    assert {0, 99} <= set(drawn) <= set(range(100))


@given(SEEDS, st.integers(1, 50), st.floats(0, 3))
def test_zipf_same_seed(seed, n, s):
    """The same seed draws the same keys, all of them between 0 and n - 1."""
    drawn = load.zipf(n, s, seed).take(50)
    assert drawn == load.zipf(n, s, seed).take(50)
    assert all(0 <= key < n for key in drawn)


@given(SEEDS)
def test_replay(seed):
    """Each handler starts exactly at its arrival, and the results come in order of arrival."""
    arrivals = load.poisson(3, 20, seed)

    async def handler(number, t):
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(10 - t / 2)  # later requests are answered sooner
        return number, t, now

    results = run(load.replay(arrivals, handler))
    assert results == [(number, t, t) for number, t in enumerate(arrivals)]


def test_replay_from_now():
    """Arrivals count from the moment of the call, or from the origin given."""

    async def moments(**origin):
        await asyncio.sleep(100)
        loop = asyncio.get_running_loop()

        async def handler(number, t):
            return loop.time()

        return await load.replay([0, 5], handler, **origin)

    assert run(moments()) == [100, 105]
    assert run(moments(origin=99)) == [100, 104]


def test_replay_error():
    """The first error ends the replay, and the requests not yet started never start."""
    started = []

    async def handler(number, t):
        started.append(number)
        raise RuntimeError("no answer")

    async def scenario():
        with pytest.raises(RuntimeError, match="no answer"):
            await load.replay([1, 2], handler)
        await asyncio.sleep(10)

    run(scenario())
    assert started == [0]


def test_replay_unsorted():
    """Arrivals out of order are refused."""
    with pytest.raises(ValueError, match="order of time"):
        run(load.replay([2, 1], None))


@pytest.mark.parametrize(("clients", "think", "service"), [(5, 2.0, 0.5), (1, 0.0, 1.0)])
def test_closed_law(clients, think, service):
    """A closed loop has the throughput N / (R + Z): clients over answer time and think time."""

    async def request(client):
        await asyncio.sleep(service)
        return client

    calls = run(load.closed(clients, think, request, 5_000, seed=12))
    assert len(calls) / 5_000 == pytest.approx(clients / (service + think), rel=0.03)
    assert all(call.result == call.client for call in calls)
    assert all(call.answered - call.sent == pytest.approx(service) for call in calls)


def test_closed_one_at_a_time():
    """A client never has two requests open, and none is sent at or after the end."""

    async def request(client):
        await asyncio.sleep(1)

    assert [call.sent for call in run(load.closed(1, 0, request, 50, seed=1))] == list(range(50))
    calls = run(load.closed(3, 1.0, request, 50, seed=1))
    assert [call.sent for call in calls] == sorted(call.sent for call in calls)
    assert max(call.sent for call in calls) < 50
    for client in range(3):
        own = [call for call in calls if call.client == client]
        assert all(a.answered <= b.sent for a, b in itertools.pairwise(own))


def test_closed_same_clients():
    """One more client leaves the thinking of the others as it was."""

    async def request(client):
        return client

    few, more = (run(load.closed(n, 3.0, request, 100, seed=5)) for n in (2, 3))
    assert few == [call for call in more if call.client < 2]


def test_closed_stuck(monkeypatch):
    """A loop that lets no time pass is reported, and does not run for ever."""
    monkeypatch.setattr(drive, "_STUCK", 50)

    async def request(client):
        return None

    with pytest.raises(RuntimeError, match="without time passing"):
        run(load.closed(1, 0, request, 10, seed=1))
