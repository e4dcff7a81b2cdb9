"""A limit kept in this process: the same cores, an injected clock, a bounded number of keys.

Leaves out: other servers. Behind N of them a client gets N times the limit, unless each is given
its share.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from course_lib.systems.rate_limiting.decision import SECOND, Algorithm, Decision, whole

__all__ = ["LocalLimiter"]

State = TypeVar("State")


class LocalLimiter(Generic[State]):
    """Limits requests by key, in memory; `clock` gives seconds.

    Beyond `keys` keys it forgets the one that was used longest ago, which gives that client a fresh
    start: memory is bounded, and the limit is exact only for as many clients as that.

    >>> limiter = LocalLimiter(TokenBucket(rate=10, burst=1), clock=lambda: 0.0)
    >>> limiter.hit("user:7").allowed, limiter.hit("user:7").retry_after
    (True, 0.1)
    """

    def __init__(
        self, algorithm: Algorithm[State], clock: Callable[[], float], keys: int = 10_000
    ) -> None:
        self.algorithm = algorithm
        self.clock = clock
        self.keys = whole("keys", keys)
        self._states: OrderedDict[str, tuple[State, float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"LocalLimiter({self.algorithm!r}, {len(self)} of {self.keys} keys)"

    def __len__(self) -> int:
        return len(self._states)

    def hit(self, key: str, cost: int = 1) -> Decision:
        """Decide on one request of `key`, and count it if it may go.

        >>> LocalLimiter(FixedWindow(limit=5, window=60), clock=lambda: 45.0).hit("user:7", cost=2)
        Decision(allowed=True, limit=5, remaining=3, retry_after=0.0, reset_after=15.0)
        """
        seconds = self.clock()
        known = self._states.get(key)
        state = known[0] if known else self.algorithm.initial
        state, decision = self.algorithm.decide(state, round(seconds * SECOND), cost)
        self._states[key] = state, seconds + decision.reset_after
        self._states.move_to_end(key)
        # Two at most: each hit adds one key, so idle ones go faster than new ones come.
        if self._forgot(seconds):
            self._forgot(seconds)
        return decision

    def _forgot(self, seconds: float) -> bool:
        """Forget the key used longest ago if it is idle, or one too many."""
        for key, (_, idle_from) in self._states.items():
            if idle_from <= seconds or len(self._states) > self.keys:
                del self._states[key]
                return True
            break
        return False
