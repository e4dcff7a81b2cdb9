"""Each popular answer breaks, and the harness that breaks it passes the right one elsewhere."""

import asyncio

from course_lib.lab import World, crash_everywhere, explore, run
from course_lib.systems.rate_limiting import popular


def test_incr_expire_admits_twice_the_limit() -> None:
    """Around the end of its window, INCR and EXPIRE let 2 x 100 through in two seconds."""

    async def scenario() -> int:
        world = World()
        redis = world.redis("server")
        admitted = [await popular.incr_expire(redis, "user", 100, 60)]
        await asyncio.sleep(59)
        admitted += [await popular.incr_expire(redis, "user", 100, 60) for _ in range(99)]
        await asyncio.sleep(1.5)
        admitted += [await popular.incr_expire(redis, "user", 100, 60) for _ in range(100)]
        return sum(admitted)

    assert run(scenario()) == 200


def test_incr_expire_locks_out_for_ever() -> None:
    """A crash between INCR and EXPIRE leaves a count without an end."""

    async def scenario(world: World) -> None:
        await popular.incr_expire(world.redis("server"), "user", 1, 60)

    async def recover(world: World) -> bool:
        await asyncio.sleep(3600)
        return await popular.incr_expire(world.redis("server 2"), "user", 1, 60)

    report = crash_everywhere(scenario, recover, lambda admitted: admitted)
    assert not report.holds
    assert {(run.crashed_at, run.moment) for run in report.failures} == {
        (1, "after"),
        (2, "before"),
    }


def test_get_then_decr_spends_a_token_twice() -> None:
    """Two servers spend one token, in some order of four effects."""

    async def scenario(world: World) -> int:
        await world.redis("set-up").set("tokens", 1)
        servers = [world.redis(f"server {n}") for n in (1, 2, 3)]
        return sum(await asyncio.gather(*(popular.get_then_decr(s, "tokens") for s in servers)))

    found = explore(scenario, lambda admitted: admitted <= 1)
    assert not found.holds
    assert found.counterexample
    assert found.counterexample.result == 2


def test_get_then_decr_refuses_whom_it_does_not_know() -> None:
    """Without a token, or without an entry at all, it refuses; one server alone is right."""

    async def scenario() -> list[bool]:
        redis = World().redis("server")
        unknown = await popular.get_then_decr(redis, "tokens")
        await redis.set("tokens", 1)
        return [unknown, *[await popular.get_then_decr(redis, "tokens") for _ in range(2)]]

    assert run(scenario()) == [False, True, False]


def test_refill_timers_multiply() -> None:
    """Three servers' timers fill three times as fast, and nothing stops them at the burst."""

    async def scenario() -> int:
        world = World()
        refills = [popular.refill_timer(world.redis(f"s{n}"), "tokens", 10, 1.0) for n in range(3)]
        tasks = [asyncio.create_task(refill) for refill in refills]
        await asyncio.sleep(60.5)
        for task in tasks:
            task.cancel()
        return int(await world.redis("reader").get("tokens"))

    assert run(scenario()) == 3 * 10 * 60


def test_check_then_add_overfills_the_log() -> None:
    """Two servers find the same last place in the log."""

    async def scenario(world: World) -> int:
        servers = [world.redis(f"server {n}") for n in (1, 2)]
        calls = (
            popular.check_then_add(server, "user", 1, 60, world.now, unique=number)
            for number, server in enumerate(servers)
        )
        return sum(await asyncio.gather(*calls))

    found = explore(scenario, lambda admitted: admitted <= 1)
    assert not found.holds
    assert found.counterexample
    assert found.counterexample.result == 2


def test_check_then_add_alone_is_right() -> None:
    """One server, one request after the other: the log holds its limit, and forgets in time."""

    async def scenario() -> list[bool]:
        redis = World().redis("server")
        times = [(0, 1), (0, 2), (59, 3), (60, 4)]
        return [await popular.check_then_add(redis, "u", 2, 60, now, n) for now, n in times]

    assert run(scenario()) == [True, True, False, True]


def test_the_first_forwarded_address_is_the_clients_word() -> None:
    """A client that invents addresses is never the same client twice."""
    seen = {
        popular.by_forwarded_address({"x-forwarded-for": f"10.9.8.{n}, 203.0.113.7"}, "10.0.0.1")
        for n in range(100)
    }
    assert len(seen) == 100
    assert popular.by_forwarded_address({}, "10.0.0.1") == "10.0.0.1"
