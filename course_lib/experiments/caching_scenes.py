"""Chapter 18's longer scenes: write-back and its crashes, missed events, levels, and HTTP.

Each is a story of a few requests in a world of its own, and returns the rows of a table. Leaves
out: what the short scenes of the notebook show themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response

from course_lib.experiments.caching import Seen, Server, open_server
from course_lib.lab import World
from course_lib.systems import caching

__all__ = [
    "catalogue",
    "flushes_and_a_write",
    "next_server_flushes",
    "nothing_lost",
    "one_page_five_times",
    "price_changes",
    "redis_restarts_empty",
    "seen_after",
    "three_changes_missed",
    "three_levels",
    "write_back_on",
    "writes_and_flushes",
]

Rows = list[list[object]]
Told = dict[str, str]


async def price_changes(world: World) -> None:
    """A server reads a price, so that it is cached, and then changes it."""
    server = await open_server(world, "server", cup="old")
    await server.leased.read("cup")
    await server.leased.write("cup", "new")


def seen_after(seconds: float) -> Callable[[World], Coroutine[Any, Any, Seen]]:
    """What a later reader gets, so many seconds after the crash, and what the database holds."""

    async def look(world: World) -> Seen:
        await asyncio.sleep(seconds)
        later = await open_server(world, "later")
        return Seen(await later.leased.read("cup"), await later.database.read("cup"))

    return look


def write_back_on(server: Server, bound: int = 100) -> caching.WriteBack:
    """Write-back as one server runs it."""
    buffer = caching.RedisBuffer(server.redis)
    return caching.WriteBack(buffer, server.database, server.leased, bound)


def flushes_and_a_write(flushers: int) -> Callable[[World], Coroutine[Any, Any, str | None]]:
    """A scenario: servers flush while another one writes; gives what the database holds at last."""

    async def scenario(world: World) -> str | None:
        names = ["writer", *(f"flusher {n + 1}" for n in range(flushers))]
        writer, *others = [write_back_on(await open_server(world, name)) for name in names]
        await caching.RedisBuffer(world.redis("setup")).load()
        await writer.write("cup", "first")
        await asyncio.gather(*(shop.flush() for shop in others), writer.write("cup", "last"))
        await writer.flush()
        return await (await open_server(world, "later")).database.read("cup")

    return scenario


async def writes_and_flushes(world: World) -> None:
    """A server acknowledges three writes, one of them of a key that is dirty already, and flushes.

    What was acknowledged is written down at once, where a crash of the server cannot reach it.
    """
    shop, told = write_back_on(await open_server(world, "server")), world.part("told", dict)
    for key, value in (("cup", "1"), ("jug", "1"), ("cup", "2")):
        await shop.write(key, value)
        told[key] = value
    await shop.flush()


async def next_server_flushes(world: World) -> dict[str, tuple[str, str | None]]:
    """The next process flushes; gives what was acknowledged, and what the database holds."""
    server = await open_server(world, "next")
    await write_back_on(server).flush()
    told: Told = world.part("told", dict)
    return {key: (value, await server.database.read(key)) for key, value in told.items()}


def nothing_lost(rows: dict[str, tuple[str, str | None]]) -> None:
    """The invariant: of every key the database holds what was acknowledged, or something newer."""
    for key, (told, row) in rows.items():
        assert int(row or 0) >= int(told), f"{key}: {told!r} was acknowledged, {row!r} is there"


async def redis_restarts_empty(seed: int, bound: int) -> Rows:
    """Ten writes to six keys, then Redis forgets everything; key, acknowledged, in the database."""
    server = await open_server(World(seed), "server")
    shop, told = write_back_on(server, bound), Told()
    for number in range(10):
        key, value = f"order {number % 6}", f"version {number}"
        await shop.write(key, value)
        told[key] = value
    await server.redis.flushall()
    return [[key, value, await server.database.read(key)] for key, value in told.items()]


async def three_changes_missed(seed: int, kind: Callable[..., Any]) -> list[str]:
    """A server hears of one change, is away for three, and comes back; which keys it forgot."""
    world, forgotten = World(seed), list[str]()
    forget = [forgotten.append]
    if kind is caching.ByStream:
        forget.append(lambda *_: forgotten.append("everything"))
    here, there = (kind(world.redis(name), *forget) for name in ("server 1", "server 2"))
    await here.listen()
    await there.publish("jug")
    await here.take()
    await here.stop()
    for key in ("cup", "mug", "pot"):
        await there.publish(key)
    await here.resume()
    await here.take()
    return forgotten


async def three_levels(seed: int) -> Rows:
    """One key read twice on a server and once on another: server, stores asked, milliseconds."""
    world, shops, rows = World(seed, latency=0.002), dict[str, caching.TwoLevel](), Rows()
    for name in ("server 1", "server 2"):
        server = await open_server(world, name, cup="7 EUR")
        local = caching.LocalCache(caching.LRU, 100, world.time)
        shops[name] = caching.TwoLevel(local, server.leased)
    for name in ("server 1", "server 1", "server 2"):
        before, began = len(world.log), world.now
        await shops[name].read("cup")
        asked = [effect.target for effect in world.log[before:]]
        rows.append([name, ", ".join(asked) or "none", 1000 * (world.now - began)])
    return rows


def catalogue(world: World, server: Server) -> None:
    """An API that says how long a page may be kept, and which version it is."""
    app = FastAPI()

    @app.get("/products/{key}")
    async def product(key: str, request: Request) -> Response:
        tag = caching.entity_tag(await server.database.version(key))

        async def page() -> str:
            return await server.database.read(key) or ""

        return await caching.respond(request, tag, "max-age=10", page)

    world.serve("api", app)


MOMENTS = (
    ("first", 0, False),
    ("5 s later", 5, False),
    ("at 15 s", 10, False),
    ("at 20 s; the price has changed", 5, True),
    ("at 30 s", 10, False),
)


async def one_page_five_times(seed: int) -> Rows:
    """A browser with a cache asks for one page: moment, price, age, requests sent, bodies made."""
    world, rows = World(seed), Rows()
    server = await open_server(world, "api", cup="7 EUR")
    catalogue(world, server)
    cached = partial(caching.CachingTransport, clock=world.time)
    async with world.http("browser", through=cached) as browser:
        for moment, wait, changes in MOMENTS:
            await asyncio.sleep(wait)
            if changes:
                await server.database.write("cup", "8 EUR")
            start = len(world.log)
            answer = await browser.get("http://api/products/cup")
            asked = [effect.what for effect in world.log[start:]]
            sent = sum(what.startswith("GET /") for what in asked)
            bodies = sum(what.startswith("SELECT value") for what in asked)
            rows.append([moment, answer.text, answer.headers.get("age", ""), sent, bodies])
    return rows
