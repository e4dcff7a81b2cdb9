"""Sliding log: remember when each request came; count those of the last minute.

Exact over every trailing window (now - window, now], and the price is memory: one time for each
admitted unit. The log is a Redis list, oldest first. One script runs at a time, so times arrive in
order and need no sorted set and no unique member. The key's expiry is renewed once in each window,
for two windows, and not at each request: replicas and the append-only file get one write, not two.
Leaves out: refused requests, which are not logged; a client that keeps trying is not punished.
Source: https://www.figma.com/blog/an-alternative-approach-to-rate-limiting/ (sliding window log).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from course_lib.systems.rate_limiting.decision import (
    NEVER,
    SECOND,
    Decision,
    Seconds,
    microseconds,
    whole,
)

__all__ = ["SlidingLog"]

SCRIPT = """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local call, key = redis.call, KEYS[1]
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local stamp = string.format('%d', now)
local function at(i) return tonumber(call('LINDEX', key, i)) end

local newest, last = at(-1), -1
while newest and newest > now do
  call('LSET', key, last, stamp)
  last = last - 1
  newest = at(last)
end
if last < -1 then newest = now end

local count, wait = limit, -1
if cost <= limit then
  wait = math.max(0, (at(cost - limit - 1) or -window) + window - now)
end
-- One unit is refused only by a full log of the last window: none remains, none is too old.
if wait == 0 or cost > 1 then
  while (at(0) or now) <= now - window do call('LPOP', key) end
end
if wait == 0 then
  for _ = 1, cost do count = call('RPUSH', key, stamp) end
  if not newest or math.floor(newest / window) < math.floor(now / window) then
    call('PEXPIRE', key, math.ceil(window / 500) + 1)
  end
  newest = now
elseif cost > 1 then count = call('LLEN', key) end

local reset = count > 0 and newest + window - now or 0
return string.format('%d %d %d %d', wait == 0 and 1 or 0, math.max(0, limit - count), wait, reset)
"""


@dataclass(frozen=True)
class SlidingLog:
    """Admit at most `limit` in every trailing window of `window` seconds.

    >>> log = SlidingLog(limit=2, window=1)
    >>> log.decide((0, 600_000), now=999_999)[1].retry_after, log.decide((0, 600_000), 1_000_000)[0]
    (1e-06, (600000, 1000000))
    """

    limit: int
    window: Seconds

    name: ClassVar[str] = "sliding_log"
    script: ClassVar[str] = SCRIPT
    initial: ClassVar[tuple[int, ...]] = ()

    def __post_init__(self) -> None:
        whole("limit", self.limit)
        microseconds("window", self.window)

    @cached_property
    def period(self) -> int:
        """The window in microseconds."""
        return microseconds("window", self.window)

    @property
    def span(self) -> Fraction:
        """The seconds over which `limit` is granted: the window."""
        return Fraction(self.period, SECOND)

    def decide(
        self, state: tuple[int, ...], now: int, cost: int = 1
    ) -> tuple[tuple[int, ...], Decision]:
        """Decide on one request; the state is the times of the admitted units, oldest first.

        >>> SlidingLog(limit=3, window=1).decide((0,), now=500_000, cost=2)[0]
        (0, 500000, 500000)
        """
        whole("cost", cost)
        # A clock that ran back (failover) left times in the future: they count as of now.
        past = bisect_right(state, now)
        log = state[bisect_right(state, now - self.period) : past] + (now,) * (len(state) - past)
        allowed = len(log) + cost <= self.limit
        if allowed:
            log += (now,) * cost
        count = len(log)
        if allowed:
            wait = 0
        elif cost > self.limit:
            wait = NEVER
        else:
            wait = log[count + cost - self.limit - 1] + self.period - now
        reset = log[-1] + self.period - now if log else 0
        return log, Decision.of(allowed, self.limit, max(0, self.limit - count), wait, reset)

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV: limit, window in microseconds, cost."""
        return [self.limit, self.period, whole("cost", cost)]

    def share(self, servers: int, at_least: int = 1) -> SlidingLog:
        """The same window with one server's part of the limit, never below `at_least`."""
        return SlidingLog(max(at_least, self.limit // whole("servers", servers)), self.window)
