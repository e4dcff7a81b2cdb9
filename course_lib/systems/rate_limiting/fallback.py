"""Redis is down: let everybody in, nobody in, or count here, by this server's share.

A time-out bounds what a slow Redis costs one request, and a cool-down bounds how many pay it: after
a failure, Redis is left alone for `cool_down` seconds; then one request tries it, and all others
wait for its news under the fallback. redis-py reconnects by itself.
Leaves out: telling the servers' number by itself, and merging local counts back into Redis.
Source: https://stripe.com/blog/rate-limiters (fail open); Nygard, Release It (circuit breaker).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from redis.exceptions import ConnectionError, ReadOnlyError, TimeoutError

from course_lib.systems.rate_limiting.decision import Decision
from course_lib.systems.rate_limiting.local_limiter import LocalLimiter
from course_lib.systems.rate_limiting.redis_limiter import RedisLimiter

__all__ = ["Fallback", "FallbackLimiter", "Outage", "Ruling", "Unavailable"]

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())

Fallback = Literal["open", "closed", "local"]
Answer = TypeVar("Answer")

# A replica that was promoted too late refuses to write: down, as far as a limiter is concerned.
DOWN = (ConnectionError, TimeoutError, ReadOnlyError, OSError)


class Unavailable(Exception):
    """Redis did not answer, or is being left alone after it did not."""


class Outage:
    """Remembers that Redis is down; one for all limiters of a Redis. `clock` gives seconds.

    >>> outage = Outage(clock=asyncio.get_running_loop().time, timeout=0.1, cool_down=1.0)
    >>> await outage.attempt(redis.ping)
    True
    """

    def __init__(
        self, clock: Callable[[], float], timeout: float = 0.1, cool_down: float = 1.0
    ) -> None:
        if timeout <= 0 or cool_down <= 0:
            raise ValueError("timeout and cool_down are seconds, above 0")
        self.clock = clock
        self.timeout = timeout
        self.cool_down = cool_down
        self._alone_until: float | None = None

    def __repr__(self) -> str:
        return "Outage(up)" if self._alone_until is None else f"Outage(until {self._alone_until})"

    async def attempt(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Call, and give back the answer; raises Unavailable if Redis is down or left alone."""
        if self._alone_until is not None and self.clock() < self._alone_until:
            raise Unavailable
        if self._alone_until is not None:
            # Taken before the wait: only this request tries, however many come meanwhile.
            self._alone_until = self.clock() + self.cool_down
        try:
            async with asyncio.timeout(self.timeout):
                answer = await call()
        except DOWN as error:
            if self._alone_until is None:
                log.warning("Redis does not answer: limits go by their fallbacks: %r", error)
            self._alone_until = self.clock() + self.cool_down
            raise Unavailable from error
        if self._alone_until is not None:
            log.warning("Redis answers again: limits are shared again")
        self._alone_until = None
        return answer


@dataclass(frozen=True)
class Ruling:
    """The decision and who made it; by "open" or "closed" there is no decision to speak of."""

    allowed: bool
    by: Literal["redis", "local", "open", "closed"]
    decision: Decision | None


class FallbackLimiter:
    """Limits over Redis, and by the fallback while Redis is down; `servers` share a local limit.

    `cost` is the most that one request costs.

    >>> limiter = FallbackLimiter(RedisLimiter(redis, GCRA(10, 20)), outage, "local", servers=4)
    >>> (await limiter.hit("user:7")).by
    'redis'
    """

    def __init__(
        self,
        limiter: RedisLimiter,
        outage: Outage,
        fallback: Fallback = "open",
        servers: int = 1,
        cost: int = 1,
    ) -> None:
        if fallback not in ("open", "closed", "local"):
            raise ValueError(f'fallback must be "open", "closed" or "local", not {fallback!r}')
        self.limiter = limiter
        self.outage = outage
        self.fallback = fallback
        # However small the share, a request that fits the limit must fit the share.
        share = limiter.algorithm.share(servers, at_least=min(cost, limiter.algorithm.limit))
        self.local: LocalLimiter[Any] = LocalLimiter(share, outage.clock)

    async def hit(self, key: str, cost: int = 1) -> Ruling:
        """Decide on one request of `key`; never raises because Redis is down."""
        try:
            decision = await self.outage.attempt(lambda: self.limiter.hit(key, cost))
            return Ruling(decision.allowed, "redis", decision)
        except Unavailable:
            if self.fallback == "local":
                decision = self.local.hit(key, cost)
                return Ruling(decision.allowed, "local", decision)
            return Ruling(self.fallback == "open", self.fallback, None)
