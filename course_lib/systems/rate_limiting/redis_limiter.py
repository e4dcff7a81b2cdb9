"""A limit shared by all servers: one atomic script on Redis, one round trip, one key.

Redis runs a script from start to end with nothing in between and with its own clock, so neither the
order of the servers' requests nor their clocks matter.
A key expires once its whole limit is there again (a sliding log's up to a window later); if
Redis's clock then runs back, it is new.
Leaves out: what to do when Redis is down (see fallback.py).
Note: redis-py may repeat a command whose answer was lost; the request is then counted twice. That
refuses too much, never too little; a client made with `retry=Retry(NoBackoff(), 0)` never repeats.
Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

from functools import partial
from hashlib import sha1
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from course_lib.systems.rate_limiting.decision import Algorithm, Decision

__all__ = ["RedisLimiter"]


class RedisLimiter:
    """Limits requests by key, over Redis.

    >>> limiter = RedisLimiter(redis, TokenBucket(rate=10, burst=5))
    >>> (await limiter.hit("user:7")).remaining
    4
    """

    def __init__(self, redis: Redis, algorithm: Algorithm[Any], prefix: str = "limit") -> None:
        self.redis = redis
        self.algorithm = algorithm
        self.prefix = prefix
        # EVALSHA sends these 40 characters instead of the script. redis-py's Script object does so
        # too, and takes a fortieth of a decision's time on fakeredis for it.
        self._sha = sha1(algorithm.script.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"RedisLimiter({self.algorithm!r}, prefix={self.prefix!r})"

    def key(self, key: str) -> str:
        """The name in Redis; it holds the algorithm's, for no two can read each other's state.

        >>> RedisLimiter(redis, FixedWindow(100, 60)).key("user:7")
        'limit:fixed_window:user:7'
        """
        return f"{self.prefix}:{self.algorithm.name}:{key}"

    async def load(self) -> None:
        """Load the script beforehand, so that the first hit is one round trip like all others."""
        await self.redis.script_load(self.algorithm.script)

    async def hit(self, key: str, cost: int = 1) -> Decision:
        """Decide on one request of `key`, and count it if it may go.

        Raises redis.exceptions.ConnectionError or TimeoutError if Redis does not answer.

        >>> await RedisLimiter(redis, FixedWindow(limit=1, window=60)).hit("user:7", cost=2)
        Decision(allowed=False, limit=1, remaining=1, retry_after=inf, reset_after=0.0)
        """
        arguments = self.algorithm.arguments(cost)
        ask = partial(self.redis.evalsha, self._sha, 1, self.key(key), *arguments)
        try:
            answer = await ask()
        except NoScriptError:  # Redis was restarted, or has never seen it
            await self.load()
            answer = await ask()
        # One line of text, not a list: redis-py reads each element of a list by itself.
        allowed, remaining, wait, reset = map(int, answer.split())
        return Decision.of(allowed == 1, self.algorithm.limit, remaining, wait, reset)
