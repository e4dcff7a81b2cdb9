"""What the tests of caching share: stores in a world, and ways to read and write by name."""

from collections.abc import Callable
from typing import Any

import pytest

from course_lib.experiments.caching import Server, open_server
from course_lib.lab import World, run
from course_lib.systems import caching
from tests.systems.real_redis import needs_url, on_redis

WAYS: dict[str, Callable[[Server], Any]] = {
    "cache-aside": lambda s: caching.CacheAside(s.cache, s.database),
    "leases": lambda s: s.leased,
    "versioned keys": lambda s: caching.VersionedKeys(s.redis, s.cache, s.database, "shelf"),
    "write-through": lambda s: caching.WriteThrough(s.cache, s.database, s.leased),
    "write-back": lambda s: caching.WriteBack(
        caching.RedisBuffer(s.redis), s.database, s.leased, bound=3
    ),
}


def in_world(scenario: Callable[[World], Any], **options: Any) -> Any:
    """Run a scenario in a world of its own and give its result."""
    return run(scenario(World(**options)))


# For laws that hold at any speed: on fakeredis, and on a real Redis with a real file.
engines = pytest.mark.parametrize(
    "engine",
    [in_world, pytest.param(on_redis, marks=needs_url)],
    ids=["fakeredis", "Redis"],
)


async def server_of(world: World, name: str = "server 1", **rows: str) -> Server:
    """A server with both stores."""
    return await open_server(world, name, **rows)
