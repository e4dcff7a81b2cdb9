"""Chapter 18's experiments: what the sliders show is what the strategies did."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments import caching as harness
from course_lib.experiments import caching_controls as controls
from course_lib.experiments import caching_eviction as evictions
from course_lib.experiments import caching_stampede as stampedes
from course_lib.experiments import caching_traffic as workloads
from course_lib.experiments.caching_stores import Shelf, Table, Tray
from course_lib.lab import World, run
from course_lib.show import Choice
from course_lib.systems import caching


def first(known):
    """The first settings of a set of sliders."""
    return {control.name: control.value for control in known}


def any_setting(known):
    """A strategy that draws any setting the sliders can take."""
    return st.fixed_dictionaries(
        {
            c.name: st.sampled_from(c.options)
            if isinstance(c, Choice)
            else st.integers(0, round((c.high - c.low) / c.step)).map(
                lambda n, c=c: min(c.high, c.low + n * c.step)
            )
            for c in known
        }
    )


def bill(**changes):
    """Ten seconds through a strategy."""
    settings = {"strategy": "leases", "skew": 1.0, "size": 100, "ttl": 4.0, "jitter": 0.0}
    return run(
        workloads.bill(seed=18, **{**settings, "read_share": 0.5, "crash": False, **changes})
    )


@settings(deadline=None, max_examples=20)
@given(any_setting(controls.TRAFFIC))
def test_any_traffic(values):
    """Every setting gives a picture, and the same one for the same seed."""
    one, two = (run(workloads.traffic(seed=3, **values)) for _ in range(2))
    assert one.payload() == two.payload()


@settings(deadline=None, max_examples=15)
@given(any_setting(controls.STAMPEDE))
def test_any_stampede(values):
    """Every setting gives a picture with its sentence."""
    assert "loads" in run(stampedes.stampede(seed=3, **values)).summary


@settings(deadline=None, max_examples=10)
@given(any_setting(controls.EVICTION))
def test_any_eviction(values):
    """Every setting gives a picture with its sentence."""
    assert "Hit rate" in evictions.eviction(seed=3, **values).summary


@pytest.mark.parametrize("strategy", workloads.STRATEGIES)
def test_same_work(strategy):
    """Every strategy meets the same reads and writes, and without a crash loses none."""
    sheet = bill(strategy=strategy)
    assert [t for t, _ in sorted(sheet.reads)] == [t for t, _ in sorted(bill().reads)]
    assert len(sheet.writes) == len(bill().writes)
    assert sheet.lost == 0


def test_staleness():
    """Only the time to live leaves old answers, the longer it is the older; never older than it."""
    short, long = (bill(strategy="TTL only", ttl=ttl) for ttl in (1.0, 5.0))
    assert 0 < short.most_age <= 1.01 < long.most_age <= 5.01
    assert short.mean_age < long.mean_age
    for strategy in ("leases", "write-through", "write-back", "no cache"):
        assert bill(strategy=strategy).most_age == 0


def test_lost_writes():
    """A cache that forgets everything loses writes with write-back alone, `BOUND` keys at most."""
    lost = {name: bill(strategy=name, crash=True, read_share=0.1) for name in workloads.STRATEGIES}
    assert {name for name, sheet in lost.items() if sheet.lost} == {"write-back"}


def test_write_heavy():
    """Mostly writes: write-through waits for both stores, write-back for one, and writes less."""
    sheets = {name: bill(strategy=name, read_share=0.1) for name in workloads.STRATEGIES}
    waits = {name: sheet.write_wait for name, sheet in sheets.items()}
    assert waits["write-through"] > waits["no cache"] > waits["write-back"]
    saves = {name: len(sheet.saves) for name, sheet in sheets.items()}
    assert saves["write-through"] == saves["no cache"] > saves["write-back"]


def test_crash_makes_misses():
    """After the cache forgot everything, the hit rate is lower than without the crash."""
    assert bill(crash=True).hit_ratio < bill().hit_ratio


def test_age_of_an_answer():
    """An answer is as far behind as the first acknowledged write that it lacks."""
    history = workloads.History()
    for value, t in (("one", 1.0), ("two", 3.0)):
        history.began("k", value)
        history.ended(value, t)
    assert [history.age("k", v, 5.0) for v in ("first", "one", "two")] == [4.0, 2.0, 0.0]
    assert [history.lost({"k": v}) for v in ("first", "one", "two")] == [2, 1, 0]


VERBS = (
    "get", "set", "delete", "lease", "fill", "newer",
    "stage", "staged", "begin", "done", "read", "write",
)  # fmt: skip
CALLS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "get",
                "set",
                "delete",
                "lease",
                "fill",
                "newer",
                "stage",
                "staged",
                "begin",
                "done",
                "read",
                "write",
            ]
        ),
        st.sampled_from("ab"),
        st.integers(1, 3),
    ),
    max_size=20,
)


async def answer_of(cache, database, buffer, verb, key, number, batches):
    """One verb on stores of either kind, as a comparable answer."""
    value = f"v{number}"
    if verb == "begin":
        batch = await buffer.begin()
        batches.append(batch.number if batch else 0)
        return batch and batch.items
    calls = {
        "get": lambda: cache.get(key),
        "set": lambda: cache.set(key, value, 60),
        "delete": lambda: cache.delete(key),
        "lease": lambda: cache.get_or_lease(key, str(number), 60),
        "fill": lambda: cache.fill(key, str(number), value, 60),
        "newer": lambda: cache.set_if_newer(key, number, value, 60),
        "stage": lambda: buffer.stage(key, value, 1),
        "staged": lambda: buffer.staged(key),
        "done": lambda: buffer.done(batches[-1] if batches else 0),
        "read": lambda: database.read(key),
        "write": lambda: database.write(key, value),
    }
    return await calls[verb]()


@settings(deadline=None, max_examples=40)
@given(CALLS)
def test_stand_ins_answer_as_the_real_ones(verbs):
    """The stores of the sliders answer every verb as Redis and SQLite do."""

    async def story():
        server = await harness.open_server(World(1), "server")
        real = server.cache, server.database, caching.RedisBuffer(server.redis)
        light = Shelf(10, 0.0), Table(0.0), Tray(0.0)
        numbers = [], []
        for verb in verbs:
            ours, theirs = [
                await answer_of(*stores, *verb, batches)
                for stores, batches in zip((light, real), numbers, strict=True)
            ]
            assert ours == theirs, verb

    run(story())


def test_stampede():
    """None: a crowd at each expiry. Single flight: one load for each server. Lease: one in all."""
    peaks = {}
    for name in ("none", "single flight", "lease"):
        trace = run(
            stampedes.stampede(
                seed=1, protection=name, rate=60, load_ms=500, ttl=3.0, beta=1.0, servers=3
            )
        )
        peaks[name] = max(v for _, v in trace.tracks[0].lines["loads"])
    assert peaks["none"] > 10
    assert peaks["single flight"] == 3
    assert peaks["lease"] == 1


def test_jitter_flattens():
    """Keys that were stored together expire together, unless there is jitter."""
    flat, spike = (
        max(
            v
            for _, v in run(stampedes.expiry(seed=1, keys=40, ttl=3.0, jitter=j))
            .tracks[0]
            .lines["loads"][4:]
        )
        for j in (80, 0)
    )
    assert flat < spike / 2


def test_load_saved():
    """More reads and more room save more; without any read a cache saves nothing."""
    by_share = [evictions.load_saved(share, 250) for share in (0.0, 0.5, 0.9, 0.99)]
    assert by_share == sorted(by_share)
    assert by_share[0] == 0
    by_size = [evictions.load_saved(0.9, size) for size in (10, 100, 1000)]
    assert by_size == sorted(by_size)


def test_bad_orders_are_counted():
    """The harness counts every order once, and those that leave an old value."""
    read = lambda s: caching.CacheAside(s.cache, s.database).read("cup")  # noqa: E731
    write = lambda s: caching.CacheAside(s.cache, s.database).write("cup", "new")  # noqa: E731
    assert harness.bad_orders(harness.read_while_written(read, write)) == (1, 5)


@pytest.mark.parametrize(
    ("scenarios", "known"),
    [
        (controls.TRAFFIC_SCENARIOS, controls.TRAFFIC),
        (controls.STAMPEDE_SCENARIOS, controls.STAMPEDE),
        (controls.EVICTION_SCENARIOS, controls.EVICTION),
    ],
)
def test_scenarios(scenarios, known):
    """A scenario sets only what has a control."""
    names = {control.name for control in known}
    assert all(set(values) <= names for values in scenarios.values())
