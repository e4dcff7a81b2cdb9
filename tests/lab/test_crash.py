"""crash_everywhere: a death before and after every effect, then recovery."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from course_lib.lab import ProcessDied, crash_everywhere

ATOMIC = "local n = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 60) return n"


async def nothing(world):
    """Recovery that does nothing."""


async def admitted_in_the_end(world):
    """An hour later, does the limit admit a request again?"""
    await asyncio.sleep(3600)
    return int(await world.redis("later").incr("hits")) <= 1


async def incr_then_expire(world):
    client = world.redis("server")
    if await client.incr("hits") == 1:
        await client.expire("hits", 60)


async def in_one_script(world):
    await world.redis("server").eval(ATOMIC, 1, "hits")


def test_every_point():
    """Each effect is a point twice: the process dies before it, and after it without an answer."""
    seen = []

    async def scenario(world):
        client = world.redis("server")
        for number in range(3):
            await client.rpush("list", number)
        seen.append("finished")

    async def recover(world):
        seen.append(tuple(await world.redis("other").lrange("list", 0, -1)))

    report = crash_everywhere(scenario, recover, lambda _: True)
    assert (report.holds, report.points) == (True, 6)
    assert seen[:2] == ["finished", ("0", "1", "2")]
    assert seen[2:] == [(), ("0",), ("0",), ("0", "1"), ("0", "1"), ("0", "1", "2")]
    assert str(report) == "Holds after each of 6 crashes."


def test_locked_out_for_ever():
    """A crash between INCR and EXPIRE leaves a counter that never ends; it is found."""
    report = crash_everywhere(incr_then_expire, admitted_in_the_end, lambda admitted: admitted)
    assert [(failure.crashed_at, failure.moment) for failure in report.failures] == [
        (1, "after"),
        (2, "before"),
    ]
    assert str(report).splitlines() == [
        "Broken by 2 of 4 crashes.",
        "  1  server  INCRBY hits 1 -> 1",
        "  x  server dies at INCRBY hits 1, after it was applied",
        "  2  later   INCRBY hits 1 -> 2",
        "The invariant does not hold for False.",
    ]


def test_one_script_is_safe():
    """The same in one script holds after every crash."""
    assert crash_everywhere(in_one_script, admitted_in_the_end, lambda admitted: admitted).holds


def test_the_dead_do_nothing():
    """Neither `finally` nor `except Exception`, nor a task in the background, acts after death."""

    async def scenario(world):
        client = world.redis("server")

        async def beat():
            while True:
                await asyncio.sleep(1)
                await asyncio.gather(client.rpush("beats", "beat"))

        background = asyncio.create_task(beat())
        try:
            try:
                await client.set("a", 1)
            except Exception:
                await client.set("excepted", 1)
        finally:
            await client.set("cleaned", 1)
            background.cancel()

    async def recover(world):
        await asyncio.sleep(10)
        client = world.redis("server")
        return await client.mget("a", "excepted", "cleaned"), await client.llen("beats")

    results = []
    crash_everywhere(scenario, recover, lambda result: results.append(result) is None)
    assert results == [
        ([None, None, None], 0),
        (["1", None, None], 0),
        (["1", None, None], 0),
        (["1", None, "1"], 0),
    ]


def test_the_others_go_on():
    """Only the node whose effect it was dies; what others had begun comes to its end."""

    async def scenario(world):
        async def node(name):
            client = world.redis(name)
            await client.incr("n")
            await asyncio.sleep(1)
            await client.rpush("done", name)

        await asyncio.gather(node("a"), node("b"))

    async def recover(world):
        await asyncio.sleep(10)
        return await world.redis("other").lrange("done", 0, -1)

    results = []
    crash_everywhere(scenario, recover, lambda result: results.append(result) is None)
    assert results == [["b"], ["b"], ["a"], ["a"], ["b"], ["a", "b"], ["a"], ["a", "b"]]


def test_recovery_is_a_new_process():
    """Recovery may act as the node that died, and uses clients of its own."""

    async def scenario(world):
        memory["client"] = world.redis("server")
        await memory["client"].set("state", "half")
        await memory["client"].set("state", "whole")

    async def recover(world):
        client = world.redis("server")
        if await client.get("state") == "half":
            await client.set("state", "mended")
        return await client.get("state")

    memory, results = {}, []
    assert crash_everywhere(scenario, recover, lambda r: results.append(r) is None).holds
    assert results == [None, "mended", "mended", "whole"]


def shop(world):
    """An app that charges, then ships."""
    app, client = FastAPI(), world.redis("shop")

    @app.post("/buy")
    async def buy():
        await client.incr("charged")
        await client.incr("shipped")
        return "thanks"

    world.serve("shop", app)


async def browse(world):
    shop(world)
    async with world.http("browser") as client:
        await client.post("http://shop/buy")


async def look(world):
    client = world.redis("auditor")
    charged, shipped = await client.mget("charged", "shipped")
    return charged == shipped


def test_a_server_dies_while_it_answers():
    """A crash inside a request handler is found; what its client sees is no failure by itself."""
    report = crash_everywhere(browse, look, bool)
    assert report.points == 6
    assert [(failure.who, failure.crashed_at, failure.moment) for failure in report.failures] == [
        ("shop", 2, "after"),
        ("shop", 3, "before"),
    ]


def test_the_client_may_try_again():
    """A client sees a broken connection and may ask the restarted server once more."""

    async def scenario(world):
        shop(world)
        async with world.http("browser") as client:
            try:
                await client.post("http://shop/buy")
            except httpx.TransportError:
                world.start("shop")
                await client.post("http://shop/buy")

    async def recover(world):
        client = world.redis("auditor")
        return int(await client.get("charged") or 0)

    report = crash_everywhere(scenario, recover, lambda charged: charged <= 1)
    assert [(failure.crashed_at, failure.moment) for failure in report.failures] == [
        (2, "after"),
        (3, "before"),
        (3, "after"),
    ]


def test_errors_without_a_crash():
    """A scenario that fails anyway is an error of its own, not a finding."""

    async def scenario(world):
        await world.redis("a").incr("n")
        raise ValueError("broken in any case")

    with pytest.raises(ValueError, match="in any case"):
        crash_everywhere(scenario, nothing, lambda _: True)


def test_a_recovery_that_raises():
    """An error of the recovery after a crash is a failure, with its sentence."""

    async def recover(world):
        if await world.redis("server").get("hits") and await world.redis("x").ttl("hits") < 0:
            raise RuntimeError("no time-out on hits")

    report = crash_everywhere(incr_then_expire, recover, lambda _: True)
    message = "The scenario raised RuntimeError: no time-out on hits"
    assert {failure.message for failure in report.failures} == {message}


def test_same_every_time():
    """The report is the same in every run, and leaves no dead process behind."""
    reports = {str(crash_everywhere(incr_then_expire, admitted_in_the_end, bool)) for _ in range(5)}
    assert len(reports) == 1


def test_a_group_that_loses_a_member():
    """A TaskGroup in which a process dies ends with it; other errors in it are not hidden."""

    async def scenario(world):
        async with asyncio.TaskGroup() as group:
            group.create_task(world.redis("a").incr("n"))
            group.create_task(world.redis("b").incr("n"))

    assert crash_everywhere(scenario, nothing, lambda _: True).points == 4


def test_process_died_is_no_exception():
    """`except Exception` of a program never catches its own death."""
    assert not issubclass(ProcessDied, Exception)


def test_nobody_dies_in_the_set_up():
    """What the set-up does is there in every run; it is no crash point and not in the schedule."""

    async def setup(world):
        await world.redis("server").set("stock", 3)

    async def scenario(world):
        await world.redis("server").decr("stock")

    async def left(world):
        return int(await world.redis("server").get("stock"))

    report = crash_everywhere(scenario, left, lambda stock: stock == 3, setup=setup)
    assert (report.points, len(report.failures)) == (2, 1)
    assert "SET stock" not in str(report)
    assert report.counterexample.effects[0].what.startswith("DECR")
    assert report.counterexample.result == 2
