"""Sliding counter: two fixed windows; the previous one counts by the part still in sight.

At 15 s into this minute, 45 of the last 60 seconds belong to the previous minute, so it counts by
45/60. That would be right if the previous minute's requests had come evenly; they need not have.
Leaves out: the truth about the previous window. A client that spends all of it in its last instant
gets close to twice the limit over a trailing window.
Source: https://blog.cloudflare.com/counting-things-a-lot-of-different-things/ (2017).
"""

from __future__ import annotations

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
    microseconds,
    whole,
)

__all__ = ["SlidingCounter"]

State = tuple[int, int, int]

SCRIPT = """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('GET', KEYS[1]) or '0 0 0'
local start, count, previous = stored:match('(%d+) (%d+) (%d+)')
start, count, previous = tonumber(start), tonumber(count), tonumber(previous)

local left = window - now % window
local current = now + left - window
if current < start then count, previous = math.min(limit, count + previous), 0
elseif current == start + window then count, previous = 0, count
elseif current > start then count, previous = 0, 0 end
local allowed = previous * left <= (limit - count - cost) * window
if allowed then count = count + cost end

local wait = 0
if cost > limit then wait = -1
elseif not allowed and count + cost <= limit then
  wait = left - math.floor((limit - count - cost) * window / previous)
elseif not allowed then
  wait = left + window - math.floor((limit - cost) * window / count)
end
local reset = (count > 0 and left + window) or (previous > 0 and left) or 0
if allowed or current < start then
  local value = string.format('%d %d %d', current, count, previous)
  redis.call('SET', KEYS[1], value, 'PX', math.ceil(reset / 1000) + 1)
end
local remaining = math.floor((limit * window - previous * left) / window) - count
return string.format('%d %d %d %d', allowed and 1 or 0, math.max(0, remaining), wait, reset)
"""


@dataclass(frozen=True)
class SlidingCounter:
    """Admit while the estimate, previous * (part still in sight) + current, is within `limit`.

    >>> minute = SlidingCounter(limit=50, window=60)
    >>> minute.estimate((60_000_000, 18, 42), now=75_000_000)
    Fraction(99, 2)
    """

    limit: int
    window: Seconds

    name: ClassVar[str] = "sliding_counter"
    script: ClassVar[str] = SCRIPT
    initial: ClassVar[State] = (0, 0, 0)

    def __post_init__(self) -> None:
        if whole("limit", self.limit) * microseconds("window", self.window) > EXACT:
            most = EXACT // self.period
            raise ValueError(f"limit must be at most {most} for a window of {self.window} s")

    @cached_property
    def period(self) -> int:
        """The window in microseconds."""
        return microseconds("window", self.window)

    @property
    def span(self) -> Fraction:
        """The seconds over which `limit` is granted: the window."""
        return Fraction(self.period, SECOND)

    def estimate(self, state: State, now: int) -> Fraction:
        """Estimate the last window's requests, exactly: previous * (W - elapsed) / W + current.

        >>> float(SlidingCounter(50, 60).estimate((60_000_000, 18, 42), now=75_000_000))
        49.5
        """
        _, count, previous = self.roll(state, now)
        return Fraction(previous * (self.period - now % self.period), self.period) + count

    def roll(self, state: State, now: int) -> State:
        """Move the state to the window of `now`: this window's count becomes the previous one's."""
        start, count, previous = state
        current = now - now % self.period
        if current < start:
            # A clock that ran back (failover): both counts are of now, so nothing is granted twice.
            return current, min(self.limit, count + previous), 0
        if current == start + self.period:
            return current, 0, count
        return (current, 0, 0) if current > start else state

    def decide(self, state: State, now: int, cost: int = 1) -> tuple[State, Decision]:
        """Decide on one request; the state is (start of the window, its count, the previous count).

        >>> SlidingCounter(limit=50, window=60).decide((60_000_000, 18, 42), now=75_000_000)[1]
        Decision(allowed=False, limit=50, remaining=0, retry_after=0.714286, reset_after=105.0)
        """
        whole("cost", cost)
        start, count, previous = self.roll(state, now)
        left = start + self.period - now
        allowed = previous * left <= (self.limit - count - cost) * self.period
        if allowed:
            count += cost
        reset = left + self.period if count else left if previous else 0
        remaining = (self.limit * self.period - previous * left) // self.period - count
        wait = 0 if allowed else self.wait(left, count, previous, cost)
        if allowed or start < state[0]:
            state = (start, count, previous)
        return state, Decision.of(allowed, self.limit, max(0, remaining), wait, reset)

    def wait(self, left: int, count: int, previous: int, cost: int) -> int:
        """The microseconds until a refused request fits, `left` of them in this window."""
        if cost > self.limit:
            return NEVER
        if count + cost <= self.limit:
            return left - (self.limit - count - cost) * self.period // previous
        return left + self.period - (self.limit - cost) * self.period // count

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV: limit, window in microseconds, cost."""
        return [self.limit, self.period, whole("cost", cost)]

    def share(self, servers: int, at_least: int = 1) -> SlidingCounter:
        """The same window with one server's part of the limit, never below `at_least`."""
        return SlidingCounter(max(at_least, self.limit // whole("servers", servers)), self.window)
