"""What a key costs."""

from typing import Any

import pytest

from course_lib.lab import World, run
from course_lib.systems.rate_limiting import Algorithm, RedisLimiter, SlidingLog, stored_bytes
from tests.systems.rate_limiting.cases import ORDINARY


@pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)
@pytest.mark.parametrize("text", [True, False], ids=["text", "bytes"])
def test_only_the_log_grows(algorithm: Algorithm[Any], text: bool) -> None:
    """Four units later, the log holds four more times of 16 bytes; the others are no larger."""

    async def scenario() -> list[int]:
        redis = World().redis("server", decode_responses=text)
        limiter = RedisLimiter(redis, algorithm)
        sizes = [await stored_bytes(redis, limiter.key("u"))]
        for cost in (1, 4):
            await limiter.hit("u", cost)
            sizes.append(await stored_bytes(redis, limiter.key("u")) - len(limiter.key("u")))
        return sizes

    nothing, one, five = run(scenario())
    assert nothing == 0
    assert one >= 16
    if isinstance(algorithm, SlidingLog):
        assert five == one + 4 * 16
    else:
        assert five <= one <= 40


def test_the_name_counts_too() -> None:
    """A key of 17 bytes with a value of 16 bytes costs 33."""

    async def scenario() -> int:
        redis = World().redis("server")
        await redis.set("limit:gcra:user:7", "1767225600100000")
        return await stored_bytes(redis, "limit:gcra:user:7")

    assert run(scenario()) == 33
