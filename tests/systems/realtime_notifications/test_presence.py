"""Who is connected: by connection, with an expiry."""

import asyncio

from course_lib.lab import World, run
from course_lib.systems.realtime_notifications import Presence
from course_lib.systems.realtime_notifications.popular import ConnectedFlag


def test_one_tab_of_two() -> None:
    """A user is present while one connection is, wherever; each is named with its server."""

    async def scenario() -> list[list[str]]:
        world = World()
        one, two = (Presence(world.redis(name), name) for name in ("server 1", "server 2"))
        tabs = [await one.enter("ann"), await two.enter("ann"), await one.enter("ann")]
        seen = [await two.where("ann")]
        for presence, tab in zip((one, two, one), tabs, strict=True):
            await presence.leave(tab)
            seen.append(await one.where("ann"))
        return seen

    assert run(scenario()) == [
        ["server 1:1", "server 1:2", "server 2:1"],
        ["server 1:2", "server 2:1"],
        ["server 1:2"],
        [],
    ]


def test_lapses_when_the_server_dies() -> None:
    """Renewed entries stay; those of a dead server are gone a time to live later, and no sooner."""

    async def scenario() -> list[bool]:
        world = World()
        dying, auditor = Presence(world.redis("a"), "a", ttl=30), Presence(world.redis("b"), "b")
        renewing = asyncio.ensure_future(dying.run())
        await dying.enter("ann")
        await asyncio.sleep(605)
        seen = [bool(await auditor.where("ann"))]
        world.kill("a")
        await asyncio.sleep(20)
        seen.append(bool(await auditor.where("ann")))
        await asyncio.sleep(11)
        seen.append(bool(await auditor.where("ann")))
        renewing.cancel()
        return [*seen, bool(await world.redis("b").exists("presence:ann"))]

    assert run(scenario()) == [True, True, False, False]


def test_servers_with_other_times_to_live() -> None:
    """A server that lets its entries lapse sooner takes nobody else's entry with its own."""

    async def scenario() -> list[str]:
        world = World()
        long, short = (Presence(world.redis(f"{ttl}"), f"{ttl}", ttl=ttl) for ttl in (3600, 30))
        await long.enter("ann")
        await short.enter("ann")
        await asyncio.sleep(31)
        return await long.where("ann")

    assert run(scenario()) == ["3600:1"]


def test_a_short_outage_of_redis_costs_nobody() -> None:
    """Two renewals may fail before an entry lapses."""

    async def scenario() -> bool:
        world = World()
        presence = Presence(world.redis("a"), "a", ttl=30)
        renewing = asyncio.ensure_future(presence.run())
        await presence.enter("ann")
        await asyncio.sleep(9)
        world.stop("redis")
        await asyncio.sleep(19)
        world.start("redis")
        await asyncio.sleep(3)
        renewing.cancel()
        return bool(await presence.where("ann"))

    assert run(scenario())


def test_the_popular_flag_lies() -> None:
    """Closing one of two tabs says away; a dead server says here, for ever."""

    async def scenario() -> list[bool]:
        world = World()
        flag, auditor = ConnectedFlag(world.redis("a")), ConnectedFlag(world.redis("b"))
        for user in ("ann", "ann", "bob"):
            await flag.enter(user)
        await flag.leave("ann")
        world.kill("a")
        await asyncio.sleep(10**6)
        return [await auditor.is_here("ann"), await auditor.is_here("bob")]

    assert run(scenario()) == [False, True]
