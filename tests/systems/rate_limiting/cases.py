"""What the tests of the limiters share: algorithms, traces, and a Redis whose clock they set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import fakeredis
from fakeredis import _helpers
from fakeredis._core import _server
from fakeredis._socket import _base
from fakeredis.commands_mixins import server_mixin
from hypothesis import strategies as st

from course_lib.systems.rate_limiting import (
    GCRA,
    Algorithm,
    Decision,
    FixedWindow,
    SlidingCounter,
    SlidingLog,
    TokenBucket,
)

EPOCH = 1_767_225_600_000_000
TICK = Fraction(1, 1_000_000)
WINDOWS = (FixedWindow, SlidingLog, SlidingCounter)
BUCKETS = (TokenBucket, GCRA)
ORDINARY: list[Algorithm[Any]] = [
    FixedWindow(5, 60),
    SlidingLog(5, 60),
    SlidingCounter(5, 60),
    TokenBucket(rate=5 / 60, burst=5),
    GCRA(rate=5 / 60, burst=5),
]
"""One of each; five units a minute."""

limits = st.integers(1, 7)
periods = st.sampled_from([1, 2, 3, 7, 10, 999, 1_000, 250_000, 60_000_000])


def windows(kind: Any) -> st.SearchStrategy[Any]:
    """Window algorithms of a kind, with windows from 1 microsecond to a minute."""
    return st.builds(kind, limits, periods.map(lambda period: period * TICK))


def buckets(kind: Any) -> st.SearchStrategy[Any]:
    """Bucket algorithms of a kind, with intervals from 1 microsecond to a minute."""
    return st.builds(kind, periods.map(lambda interval: 1_000_000 / Fraction(interval)), limits)


KINDS: dict[str, st.SearchStrategy[Any]] = {kind.name: windows(kind) for kind in WINDOWS} | {
    kind.name: buckets(kind) for kind in BUCKETS
}
algorithms = st.one_of(list(KINDS.values()))


@st.composite
def traces(
    draw: st.DrawFn,
    back: bool = False,
    most: int = 25,
    among: st.SearchStrategy[Any] = algorithms,
) -> tuple[Any, list[tuple[int, int]]]:
    """An algorithm and a trace of (now, cost) that stays near its span; it may step back."""
    algorithm = draw(among)
    span = int(algorithm.span * 1_000_000)
    steps = st.one_of(
        st.integers(0, 3),
        st.integers(0, span),
        st.integers(0, 3 * span),
        st.sampled_from([span - 1, span, span + 1, span // algorithm.limit]),
        *([st.integers(-3 * span, 0)] if back else []),
    )
    costs = st.one_of(st.just(1), st.integers(1, algorithm.limit + 1))
    pairs = draw(st.lists(st.tuples(steps, costs), max_size=most))
    now, trace = EPOCH + draw(st.integers(0, span)), []
    for step, cost in pairs:
        now += step
        trace.append((now, cost))
    return algorithm, trace


def replay(algorithm: Any, trace: list[tuple[int, int]]) -> tuple[Any, list[Decision]]:
    """The state after a trace, and the core's decisions."""
    state, decisions = algorithm.initial, []
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        decisions.append(decision)
    return state, decisions


def in_words(state: Any) -> str:
    """A core's state as its script writes it."""
    return " ".join(map(str, state)) if isinstance(state, tuple) else str(state)


class ClockedRedis:
    """A fakeredis whose clock says what the test says, in microseconds."""

    def __init__(self) -> None:
        self.client = fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)

    def hit(self, algorithm: Any, now: int, cost: int = 1, key: str = "k") -> Decision:
        """The script's decision at `now`."""
        with self.at(now):
            answer = self.client.eval(algorithm.script, 1, key, *algorithm.arguments(cost))
        allowed, remaining, wait, reset = map(int, answer.split())
        return Decision.of(allowed == 1, algorithm.limit, remaining, wait, reset)

    @contextmanager
    def at(self, now: int) -> Iterator[None]:
        """The server's time, for TIME and for expiry."""
        clock = SimpleNamespace(time=lambda: Fraction(now, 1_000_000))
        modules: list[Any] = [_helpers, _server, _base, server_mixin]
        for module in modules:
            module.time = clock
        try:
            yield
        finally:
            for module in modules:
                module.time = time
