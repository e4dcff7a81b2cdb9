"""What every rate limiter answers, and what every rate limiter has.

Inside, time is whole microseconds, as Redis's TIME gives it: exact, and the same in Python and
in Lua. Outside, a `Decision` speaks of seconds.

Leaves out: queueing a request until it may go (shaping); a decision is yes or no, at once.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar, NamedTuple, Protocol, TypeVar

__all__ = ["NEVER", "Algorithm", "Decision", "Seconds", "exact", "microseconds", "whole"]

Seconds = int | float | Fraction
State = TypeVar("State")

SECOND = 1_000_000
NEVER = -1
"""The wait, in microseconds, of a request that costs more than the whole limit."""

EXACT = 2**53
"""Redis scripts count in doubles, which hold every whole number up to here."""


class Decision(NamedTuple):
    """Whether one request may go, and what its sender should know; times are in seconds.

    limit: the most that can be admitted at once.
    remaining: how many requests of cost 1 would be admitted right after this one.
    retry_after: 0.0 if allowed; otherwise the smallest wait after which the same request would be
        admitted if nobody else came; `math.inf` if it costs more than the whole limit.
    reset_after: the wait after which the limiter would have forgotten everything.

    >>> FixedWindow(limit=1, window=60).decide((0, 1), now=45_000_000)[1]
    Decision(allowed=False, limit=1, remaining=0, retry_after=15.0, reset_after=15.0)
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset_after: float

    @classmethod
    def of(cls, allowed: bool, limit: int, remaining: int, wait: int, reset: int) -> Decision:
        """Turn the microseconds of a core or a script into a decision in seconds.

        >>> Decision.of(False, 5, 0, NEVER, 1_500_000)
        Decision(allowed=False, limit=5, remaining=0, retry_after=inf, reset_after=1.5)
        """
        retry_after = math.inf if wait == NEVER else wait / SECOND
        return cls(allowed, limit, remaining, retry_after, reset / SECOND)


class Algorithm(Protocol[State]):
    """A rate limiting algorithm: a pure decision, and the same decision as one Redis script."""

    name: ClassVar[str]
    script: ClassVar[str]

    @property
    def limit(self) -> int:
        """The most that can be admitted at once."""
        ...

    @property
    def span(self) -> Fraction:
        """The seconds over which `limit` is granted: the window, or the time to fill a bucket."""
        ...

    @property
    def initial(self) -> State:
        """The state of a key that was never seen, or that was forgotten."""
        ...

    def decide(self, state: State, now: int, cost: int = 1) -> tuple[State, Decision]:
        """Decide on one request at `now`, in microseconds; pure.

        A refused request leaves the state as it is, unless the clock ran back: refusing is a read.
        """
        ...

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV."""
        ...

    def share(self, servers: int, at_least: int = 1) -> Algorithm[State]:
        """The same limiter with one server's part of the limit, never below `at_least`."""
        ...


def whole(name: str, value: int, most: int = EXACT) -> int:
    """Give back a whole number from 1 to `most`, or say what is wrong with it.

    >>> whole("limit", 0)
    ValueError: limit must be at least 1, not 0
    """
    if type(value) is not int:
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, not {value}")
    return value


def exact(name: str, value: Seconds) -> Fraction:
    """Give back a positive number as the fraction that was meant, or say what is wrong with it.

    >>> exact("rate", 100 / 60)
    Fraction(5, 3)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise ValueError(f"{name} must be a number, not {value!r}")
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a finite number above 0, not {value}")
    if value < 1e-9:
        raise ValueError(f"{name} must be at least 1e-9, not {value}")
    return Fraction(value).limit_denominator(10**9)


def microseconds(name: str, seconds: Seconds) -> int:
    """Give back seconds as whole microseconds, or say what is wrong with them.

    >>> microseconds("window", 0.1)
    100000
    """
    value = exact(name, seconds) * SECOND
    if value.denominator != 1 or value < 1:
        raise ValueError(f"{name} must be a whole number of microseconds, not {seconds} s")
    return whole(f"{name} in microseconds", int(value), EXACT // 8)
