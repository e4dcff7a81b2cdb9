"""Fixed window: count the requests of this minute; a new minute starts from zero.

Windows are aligned to the epoch, so all servers and all keys change over at the same moment.
Leaves out: the boundary. A client may spend the whole limit at the end of one window and again at
the start of the next: twice the limit within two microseconds.
Source: RFC 6585 (429); https://redis.io/docs/latest/commands/incr/ (pattern: rate limiter).
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

__all__ = ["FixedWindow"]

SCRIPT = """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local start, count = (redis.call('GET', KEYS[1]) or '0 0'):match('(%d+) (%d+)')
start, count = tonumber(start), tonumber(count)

local left = window - now % window
local current = now + left - window
if current > start then count = 0 end
local allowed = count + cost <= limit
if allowed then count = count + cost end

if allowed or current < start then
  local value = string.format('%d %d', current, count)
  redis.call('SET', KEYS[1], value, 'PX', math.ceil(left / 1000) + 1)
end
local wait = (allowed and 0) or (cost > limit and -1) or left
local remaining, reset = math.max(0, limit - count), count > 0 and left or 0
return string.format('%d %d %d %d', allowed and 1 or 0, remaining, wait, reset)
"""


@dataclass(frozen=True)
class FixedWindow:
    """Admit at most `limit` per window of `window` seconds, windows counted from the epoch.

    >>> minute = FixedWindow(limit=100, window=60)
    >>> minute.decide((0, 99), now=59_999_999)[1].allowed, minute.decide((0, 100), 60_000_000)[0]
    (True, (60000000, 1))
    """

    limit: int
    window: Seconds

    name: ClassVar[str] = "fixed_window"
    script: ClassVar[str] = SCRIPT
    initial: ClassVar[tuple[int, int]] = (0, 0)

    def __post_init__(self) -> None:
        whole("limit", self.limit, EXACT)
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
        self, state: tuple[int, int], now: int, cost: int = 1
    ) -> tuple[tuple[int, int], Decision]:
        """Decide on one request; the state is (start of the window, count), `now` in microseconds.

        >>> FixedWindow(limit=2, window=1).decide((0, 1), now=250_000)
        ((0, 2), Decision(allowed=True, limit=2, remaining=0, retry_after=0.0, reset_after=0.75))
        """
        whole("cost", cost)
        start, count = state
        left = self.period - now % self.period
        current = now + left - self.period
        # A clock that ran back (failover) keeps its count: no second helping of an old window.
        if current > start:
            count = 0
        allowed = count + cost <= self.limit
        if allowed:
            count += cost
        if allowed or current < start:
            state = (current, count)
        wait = 0 if allowed else NEVER if cost > self.limit else left
        remaining = max(0, self.limit - count)
        return state, Decision.of(allowed, self.limit, remaining, wait, left if count else 0)

    def arguments(self, cost: int = 1) -> list[int]:
        """What the script takes as ARGV: limit, window in microseconds, cost."""
        return [self.limit, self.period, whole("cost", cost)]

    def share(self, servers: int, at_least: int = 1) -> FixedWindow:
        """The same window with one server's part of the limit, never below `at_least`."""
        return FixedWindow(max(at_least, self.limit // whole("servers", servers)), self.window)
