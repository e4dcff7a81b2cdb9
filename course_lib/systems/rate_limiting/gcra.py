"""GCRA: keep one number, the time at which a perfectly even client would send its next request.

Each admitted request moves this theoretical arrival time (TAT) on by one interval. A request is
refused if the TAT would run more than the burst ahead of the clock. It decides as the token bucket
does (TAT - now is what is missing in the bucket) and stores one number instead of two.
Leaves out: the variants with a tolerance that is no multiple of the interval.
Source: ITU-T I.371, annex A (virtual scheduling); https://brandur.org/rate-limiting
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from course_lib.systems.rate_limiting.decision import (
    NEVER,
    SECOND,
    Decision,
    Seconds,
    exact,
    whole,
)
from course_lib.systems.rate_limiting.token_bucket import emission_interval

__all__ = ["GCRA"]

SCRIPT = """
local capacity, interval, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tat = tonumber(redis.call('GET', KEYS[1]) or 0)
local ahead = math.max(0, math.min(capacity, tat - now))

local price = cost * interval
local allowed = ahead + price <= capacity
local wait = (allowed and 0) or (price > capacity and -1) or ahead + price - capacity
if allowed then ahead = ahead + price end

if allowed or now + ahead < tat then
  redis.call('SET', KEYS[1], string.format('%d', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
end
local remaining = math.floor((capacity - ahead) / interval)
return string.format('%d %d %d %d', allowed and 1 or 0, remaining, wait, ahead)
"""


@dataclass(frozen=True)
class GCRA:
    """Admit `rate` a second in the long run, and up to `burst` at once after a rest.

    >>> gcra = GCRA(rate=10, burst=5)
    >>> gcra.decide(gcra.initial, now=1_000_000, cost=3)[0], gcra.decide(1_300_000, 1_050_000)[0]
    (1300000, 1400000)
    """

    rate: Seconds
    burst: int

    name: ClassVar[str] = "gcra"
    script: ClassVar[str] = SCRIPT
    initial: ClassVar[int] = 0

    def __post_init__(self) -> None:
        emission_interval(self.rate, self.burst)

    @cached_property
    def interval(self) -> int:
        """The microseconds between two requests of a perfectly even client."""
        return emission_interval(self.rate, self.burst)

    @cached_property
    def capacity(self) -> int:
        """How far the theoretical arrival time may run ahead, in microseconds."""
        return self.burst * self.interval

    @property
    def limit(self) -> int:
        """The most that can be admitted at once: the burst."""
        return self.burst

    @property
    def span(self) -> Fraction:
        """The seconds in which a spent burst comes back."""
        return Fraction(self.capacity, SECOND)

    def decide(self, state: int, now: int, cost: int = 1) -> tuple[int, Decision]:
        """Decide on one request; the state is the theoretical arrival time in microseconds.

        >>> GCRA(rate=10, burst=1).decide(1_100_000, now=1_050_000)[1]
        Decision(allowed=False, limit=1, remaining=0, retry_after=0.05, reset_after=0.05)
        """
        price = whole("cost", cost) * self.interval
        # A clock that ran back (failover) leaves the TAT far ahead: never further than the burst.
        ahead = max(0, min(self.capacity, state - now))
        allowed = ahead + price <= self.capacity
        wait = NEVER if price > self.capacity else max(0, ahead + price - self.capacity)
        if allowed:
            ahead += price
        if allowed or now + ahead < state:
            state = now + ahead
        remaining = (self.capacity - ahead) // self.interval
        return state, Decision.of(allowed, self.burst, remaining, wait, ahead)

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV: capacity and interval in microseconds, cost."""
        return [self.capacity, self.interval, whole("cost", cost)]

    def share(self, servers: int, at_least: int = 1) -> GCRA:
        """The same with one server's part of rate and burst, the burst never below `at_least`."""
        part = exact("rate", self.rate) / whole("servers", servers)
        return GCRA(part, max(at_least, self.burst // servers))
