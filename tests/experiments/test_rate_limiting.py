"""Chapter 12's experiments: what the sliders show is what the systems did."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments import rate_limiting as experiments
from course_lib.experiments import rate_limiting_controls as controls
from course_lib.lab import World, load, run
from course_lib.show import Choice, Lanes, Trace
from course_lib.systems import rate_limiting as rl

DOWN, UP, END = experiments.DOWN, experiments.UP, experiments.END
FIRST = {control.name: control.value for control in controls.TRAFFIC}


def traffic(**changes: object) -> Trace:
    """Run the traffic experiment from its first setting."""
    return run(experiments.traffic(seed=12, **{**FIRST, **changes}))  # type: ignore[arg-type]


def outage(**changes: object) -> Trace:
    """Run the outage experiment from its first setting."""
    first = {control.name: control.value for control in controls.OUTAGE}
    return run(experiments.outage(seed=12, **{**first, **changes}))  # type: ignore[arg-type]


def admitted(trace: Trace) -> list[float]:
    """The times of the admitted requests in the picture."""
    lanes = next(track for track in trace.tracks if isinstance(track, Lanes))
    return [event[0] for event in lanes.events if event[2] == "admitted"]


def outcomes(trace: Trace, start: float, end: float) -> set[str]:
    """The outcomes that the picture shows in a span of time."""
    lanes = next(track for track in trace.tracks if isinstance(track, Lanes))
    return {event[2] for event in lanes.events if start < event[0] < end}


def test_send() -> None:
    """The harness keeps the times of the requests that were admitted, and no other."""

    async def every_other(number: int) -> bool:
        return number % 2 == 0

    assert run(experiments.send([0.0, 1.0, 2.0], every_other)) == [0.0, 2.0]


@pytest.mark.parametrize("algorithm", experiments.ALGORITHMS)
@pytest.mark.parametrize("shape", experiments.SHAPES)
def test_bound(algorithm: str, shape: str) -> None:
    """Whatever the traffic, no trailing window holds more than the algorithm's closed form."""
    limiter = experiments.limiter_named(algorithm, 4, 8, 2)
    trace = traffic(algorithm=algorithm, shape=shape, burst=8)
    assert experiments.worst(admitted(trace), 2) <= rl.bound(limiter, 2)


def test_shared_count() -> None:
    """In Redis, four servers admit what one does; each for itself, they admit up to four times."""
    settings = {"algorithm": "sliding log", "shape": "steady", "traffic": 12, "latency": 0}
    one, four = (traffic(servers=n, **settings) for n in (1, 4))
    assert len(admitted(one)) == len(admitted(four))
    apart = traffic(servers=4, counted="on each server", **settings)
    assert len(admitted(apart)) > len(admitted(four))


@settings(deadline=None, max_examples=25)
@given(
    st.fixed_dictionaries(
        {
            control.name: st.sampled_from(control.options)
            if isinstance(control, Choice)
            else st.integers(int(control.low), int(control.high))
            for control in controls.TRAFFIC
        }
    )
)
def test_any_setting(values: dict[str, object]) -> None:
    """Every setting that the sliders can take gives a picture, and its sentence counts it."""
    trace = traffic(**values)
    count, total = map(int, re.findall(r"\d+", trace.summary)[:2])
    assert len(admitted(trace)) == count <= total


def test_same_seed() -> None:
    """One seed gives one picture; another seed gives another."""
    assert traffic().payload() == traffic().payload()
    assert run(experiments.traffic(seed=13, **FIRST)).payload() != traffic().payload()  # type: ignore[arg-type]


def test_fail_open() -> None:
    """While Redis is down, "open" denies nobody and "closed" admits nobody."""
    assert outcomes(outage(fallback="open"), DOWN + 0.2, UP) == {"admitted"}
    assert outcomes(outage(fallback="closed"), DOWN + 0.2, UP) == {"failed"}


def test_local_share() -> None:
    """With local shares the servers together stay within burst and rate of one limit."""
    trace = outage(fallback="local", redis="stopped", servers=2, rate=4)
    during = [t for t in admitted(trace) if DOWN + 1.1 < t < UP]
    assert experiments.worst(during, 1) <= 8


@pytest.mark.parametrize("how", ["silent", "stopped"])
def test_redis_comes_back(how: str) -> None:
    """After the outage Redis decides again, without a restart."""
    trace = outage(fallback="closed", redis=how)
    assert "failed" not in outcomes(trace, UP + 1.2, END)
    assert outcomes(trace, UP + 1.2, END) == {"admitted", "denied"}


def test_silence_costs_the_time_out() -> None:
    """A silent Redis costs a request the time-out, and never more."""
    waits = [
        int(re.findall(r"longest wait (\d+)", outage(timeout=n).summary)[0]) for n in (50, 300)
    ]
    assert waits == [50, 300]


def test_memory() -> None:
    """The log's memory grows with the requests; GCRA's does not grow at all."""
    few, many = (run(experiments.memory(limit=n)) for n in (10, 50))
    sizes = [
        dict(re.findall(r"([A-Za-z ]+) (\d+)[, ]", t.summary.split(":")[1])) for t in (few, many)
    ]
    assert int(sizes[1][" sliding log"]) > 4 * int(sizes[0][" sliding log"])
    assert sizes[0][" GCRA"] == sizes[1][" GCRA"]


@pytest.mark.parametrize("name", experiments.ALGORITHMS)
def test_ten_at_a_time(name: str) -> None:
    """A hit of cost ten stores what ten hits store, whatever the algorithm."""

    async def stored(hits: list[int]) -> int:
        algorithm = experiments.limiter_named(name, rate=1, burst=30, window=30)
        limiter = rl.RedisLimiter(World().redis("server 1"), algorithm)
        for cost in hits:
            await limiter.hit("user:7", cost)
        return await rl.stored_bytes(limiter.redis, limiter.key("user:7"))

    assert run(stored([10, 10, 3])) == run(stored([1] * 23))


@pytest.mark.parametrize(
    ("scenarios", "known"),
    [
        (controls.TRAFFIC_SCENARIOS, controls.TRAFFIC),
        (controls.OUTAGE_SCENARIOS, controls.OUTAGE),
    ],
)
def test_scenarios(scenarios: dict[str, dict[str, object]], known: tuple[object, ...]) -> None:
    """A scenario sets only what has a control."""
    names = {control.name for control in known}  # type: ignore[attr-defined]
    assert all(set(values) <= names for values in scenarios.values())


def test_picture() -> None:
    """The picture's sentence says how many passed and how many in the worst window."""
    arrivals = load.steady(10, 10)
    redis = World(1).redis("server 1")
    limiter = rl.RedisLimiter(redis, rl.SlidingLog(20, 5))

    async def ask(_: int) -> bool:
        return (await limiter.hit("user:7")).allowed

    passed = run(experiments.send(arrivals, ask))
    trace = experiments.picture("A log", arrivals, passed, 20, 5)
    assert trace.summary == "40 of 100 admitted, at most 20 in any 5 s."
