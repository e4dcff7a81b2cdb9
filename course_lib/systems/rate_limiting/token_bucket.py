"""Token bucket: tokens drip in at a rate, up to a burst; a request takes some or is refused.

No timer fills the bucket: the level is worked out from the time since the last request. It is kept
as time: one token is worth `interval` microseconds, and each microsecond adds one to the level.
The interval is rounded up to a whole microsecond, so the rate is never exceeded; at 1,000 a second
it is at most 0.1% slower than asked, and exact for every rate that divides a million.
Leaves out: a burst that differs from what has been saved up (a separate peak rate).
Source: Turner, New directions in communications, 1986; RFC 2698.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from course_lib.systems.rate_limiting.decision import (
    EXACT,
    NEVER,
    SECOND,
    Decision,
    Seconds,
    exact,
    whole,
)

__all__ = ["TokenBucket", "emission_interval"]

SCRIPT = """
local capacity, interval, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local level, last = (redis.call('GET', KEYS[1]) or ARGV[1] .. ' 0'):match('(%d+) (%d+)')
local back = now < tonumber(last)

local price = cost * interval
level = math.min(capacity, level + (back and 0 or now - last))
local allowed = price <= level
if allowed then level = level - price end

local reset = capacity - level
if allowed or back then
  redis.call('SET', KEYS[1], string.format('%d %d', level, now), 'PX', math.ceil(reset / 1000) + 1)
end
local wait = (allowed and 0) or (price > capacity and -1) or price - level
local remaining = math.floor(level / interval)
return string.format('%d %d %d %d', allowed and 1 or 0, remaining, wait, reset)
"""


def emission_interval(rate: Seconds, burst: int) -> int:
    """The microseconds between two tokens, rounded up, or a sentence on what is wrong.

    >>> emission_interval(100 / 60, burst=100), emission_interval(3, burst=1)
    (600000, 333334)
    """
    per_second = exact("rate", rate)
    if per_second > SECOND:
        raise ValueError(f"rate must be at most {SECOND} a second, not {rate}")
    interval = math.ceil(SECOND / per_second)
    if whole("burst", burst) * interval > EXACT // 8:
        raise ValueError(f"a bucket of {burst} at {rate} a second would take centuries to fill")
    return interval


@dataclass(frozen=True)
class TokenBucket:
    """Admit `rate` a second in the long run, and up to `burst` at once after a rest.

    >>> bucket = TokenBucket(rate=10, burst=5)
    >>> bucket.decide(bucket.initial, now=0, cost=3)[0], bucket.decide((200_000, 0), 50_000)[0]
    ((200000, 0), (150000, 50000))
    """

    rate: Seconds
    burst: int

    name: ClassVar[str] = "token_bucket"
    script: ClassVar[str] = SCRIPT

    def __post_init__(self) -> None:
        emission_interval(self.rate, self.burst)

    @cached_property
    def interval(self) -> int:
        """The microseconds between two tokens."""
        return emission_interval(self.rate, self.burst)

    @cached_property
    def capacity(self) -> int:
        """The level of a full bucket, in microseconds."""
        return self.burst * self.interval

    @property
    def limit(self) -> int:
        """The most that can be admitted at once: the burst."""
        return self.burst

    @property
    def span(self) -> Fraction:
        """The seconds in which an empty bucket fills."""
        return Fraction(self.capacity, SECOND)

    @property
    def initial(self) -> tuple[int, int]:
        """A full bucket."""
        return (self.capacity, 0)

    def decide(
        self, state: tuple[int, int], now: int, cost: int = 1
    ) -> tuple[tuple[int, int], Decision]:
        """Decide on one request; the state is (level, time of the last request) in microseconds.

        >>> TokenBucket(rate=10, burst=5).decide((30_000, 0), now=50_000)[1]
        Decision(allowed=False, limit=5, remaining=0, retry_after=0.02, reset_after=0.42)
        """
        price = whole("cost", cost) * self.interval
        level, last = state
        # A clock that ran back (failover) adds nothing, and counting goes on from there.
        back = now < last
        level = min(self.capacity, level + (0 if back else now - last))
        allowed = price <= level
        if allowed:
            level -= price
        if allowed or back:
            state = (level, now)
        wait = 0 if allowed else NEVER if price > self.capacity else price - level
        remaining, reset = level // self.interval, self.capacity - level
        return state, Decision.of(allowed, self.burst, remaining, wait, reset)

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV: capacity and interval in microseconds, cost."""
        return [self.capacity, self.interval, whole("cost", cost)]

    def share(self, servers: int, at_least: int = 1) -> TokenBucket:
        """The bucket with one server's part of rate and burst, the burst never below `at_least`."""
        part = exact("rate", self.rate) / whole("servers", servers)
        return TokenBucket(part, max(at_least, self.burst // servers))
