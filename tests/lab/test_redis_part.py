"""Redis in the world: redis-py and fakeredis on virtual time, each command one effect."""

import asyncio
import time

import fakeredis._helpers
import pytest
import redis
import redis.asyncio
from fakeredis._core import _database, _server
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import EPOCH, Deadlock, ProcessDied, World, run
from course_lib.lab.redis_commands import touched, unpack

INCREMENT = "local n = redis.call('INCR', KEYS[1]) return {n, redis.call('TIME')[1]}"


def in_world(scenario, **options):
    """Run a scenario in a world of its own, and give its result and the world."""
    world = World(**options)
    return run(scenario(world)), world


def said(world):
    """The effect log in words."""
    return [str(effect) for effect in world.log]


def in_a_group(*entries, wait):
    """Read as a group, waiting up to `wait` ms, while entries come in at their second."""

    async def scenario(world):
        reader, writer = world.redis("a"), world.redis("b")
        for stream in ("one", "two"):
            await reader.xgroup_create(stream, "group", id="0", mkstream=True)

        async def write():
            for second, stream in entries:
                await asyncio.sleep(second - world.now)
                await writer.xadd(stream, {"n": second})

        writing = asyncio.create_task(write())
        await asyncio.sleep(1)
        streams = {"one": ">", "two": ">"}
        read = await reader.xreadgroup("group", "ann", streams, block=wait)
        writing.cancel()
        return [(stream, len(found)) for stream, found in read], world.now

    return in_world(scenario)[0]


def test_a_group_takes_what_is_there():
    """A blocking read of a group gives at once what came before it."""
    assert in_a_group((0, "two"), wait=60_000) == ([("two", 1)], 1.0)


def test_a_group_waits_for_its_own_streams():
    """It waits for an entry of its streams, whatever else changes meanwhile."""
    assert in_a_group((2, "other"), (5, "one"), wait=60_000) == ([("one", 1)], 5.0)


def test_a_group_waits_no_longer():
    """Without an entry it answers nothing when its time is over."""
    assert in_a_group((2, "other"), wait=3_000) == ([], 4.0)


# Effects


def test_one_command_one_effect():
    """Each command takes the latency both ways and stands in the log as one would type it."""

    async def scenario(world):
        client = world.redis("a")
        await client.set("n", 5)
        return await client.incr("n"), world.now

    result, world = in_world(scenario, latency=0.25)
    assert result == (6, 1.0)
    assert said(world) == ["a: SET n 5 -> OK", "a: INCRBY n 1 -> 6"]


def test_a_pipeline_is_one_effect():
    """A pipeline or a transaction arrives at once; so does a script."""

    async def scenario(world):
        client = world.redis("a")
        async with client.pipeline(transaction=True) as pipe:
            first = await pipe.incr("n").expire("n", 60).execute()
        async with client.pipeline(transaction=False) as pipe:
            second = await pipe.get("n").ttl("n").execute()
        return first, second, await client.eval(INCREMENT, 1, "n")

    (first, second, script), world = in_world(scenario)
    assert (first, second, script[0]) == ([1, True], ["1", 60], 2)
    assert [effect.what for effect in world.log] == [
        "MULTI; INCRBY n 1; EXPIRE n 60; EXEC",
        "GET n; TTL n",
        "EVAL script 1 n",
    ]
    assert [effect.keys for effect in world.log] == [frozenset("n")] * 3
    assert [effect.writes for effect in world.log] == [True, False, True]


def test_an_error_answer():
    """An error that Redis answers is raised by redis-py, and the connection serves on."""

    async def scenario(world):
        client = world.redis("a")
        await client.set("text", "x")
        with pytest.raises(redis.ResponseError, match="not an integer"):
            await client.incr("text")
        return await client.get("text")

    result, world = in_world(scenario)
    assert result == "x"
    assert "not an integer" in said(world)[1]


def test_watch():
    """A transaction whose watched key was changed by another node is refused."""

    async def scenario(world):
        mine, other = world.redis("mine"), world.redis("other")
        async with mine.pipeline() as pipe:
            await pipe.watch("n")
            await other.set("n", 1)
            pipe.multi()
            pipe.set("n", 2)
            with pytest.raises(redis.WatchError):
                await pipe.execute()
        return await mine.get("n")

    assert in_world(scenario)[0] == "1"


def test_concurrent_commands_of_one_client():
    """One client serves many tasks at once, and each gets its own answer."""

    async def scenario(world):
        client = world.redis("a")
        for number in range(20):
            await client.set(str(number), number)
        return await asyncio.gather(*(client.get(str(number)) for number in range(20))), world.now

    (answers, now), _ = in_world(scenario, latency=1)
    assert answers == [str(number) for number in range(20)]
    assert now == 42


def test_bytes_if_asked_for():
    """Answers are text unless the client was made with decode_responses=False."""

    async def scenario(world):
        client = world.redis("a", decode_responses=False)
        await client.set("n", b"\xff")
        return await client.get("n")

    assert in_world(scenario)[0] == b"\xff"


def test_servers_and_databases_are_apart():
    """Two servers share no keys, and neither do two databases; two clients of one server do."""

    async def scenario(world):
        await world.redis("a").set("n", 1)
        clients = [world.redis("b"), world.redis("b", server="other"), world.redis("b", db=1)]
        return [await client.get("n") for client in clients]

    assert in_world(scenario)[0] == ["1", None, None]


# Time


def test_redis_follows_the_clock():
    """TIME, TTL, expiry and the ids of a stream are those of the virtual calendar."""

    async def scenario(world):
        client = world.redis("a")
        await asyncio.sleep(10)
        await client.set("n", 1, ex=60)
        await client.hset("h", "f", 1)
        await client.expire("h", 30)
        entry = await client.xadd("s", {"a": 1})
        clock, ttl = await client.time(), await client.ttl("n")
        await asyncio.sleep(59)
        late = await client.get("n"), await client.ttl("n"), await client.exists("h")
        await asyncio.sleep(1.001)
        return entry, clock, ttl, late, await client.get("n")

    entry, clock, ttl, late, gone = in_world(scenario)[0]
    assert entry == f"{int(EPOCH + 10) * 1000}-0"
    assert clock == (int(EPOCH) + 10, 0)
    assert (ttl, late, gone) == (60, ("1", 1, 0), None)


def test_scripts_see_the_clock():
    """TIME inside a script is virtual too, to the microsecond."""

    async def scenario(world):
        await asyncio.sleep(0.123456)
        return await world.redis("a").eval("return redis.call('TIME')", 0)

    assert in_world(scenario)[0] == [str(int(EPOCH)), "123456"]


def test_nothing_stays_patched():
    """Between commands, and after an error, fakeredis has the real clock and the real dice."""
    import random

    async def scenario(world):
        client = world.redis("a")
        await client.set("n", "x")
        with pytest.raises(redis.ResponseError):
            await client.incr("n")
        assert abs(fakeredis._helpers.current_time() / 1000 - time.time()) < 5

    in_world(scenario)
    assert _server.time is time
    assert _database.random is random


def test_other_fakeredis_keeps_real_time():
    """A fakeredis of one's own, beside a world, is not touched by it."""

    async def scenario(world):
        await world.redis("a").set("n", 1)
        own = fakeredis.FakeRedis()
        return own.time()[0]

    assert abs(in_world(scenario)[0] - time.time()) < 5


# Commands that wait


def test_blpop_waits_in_virtual_time():
    """BLPOP ends with the push, or with nothing when its virtual seconds are over."""

    async def scenario(world):
        client = world.redis("worker")
        empty = await client.blpop("jobs", timeout=30)
        at = world.now

        async def push():
            await asyncio.sleep(5)
            await world.redis("shop").rpush("jobs", "job 1")

        pushing = asyncio.create_task(push())
        job = await client.blpop("jobs", timeout=30)
        await pushing
        return empty, at, job, world.now

    empty, at, job, now = in_world(scenario)[0]
    assert (empty, at) == (None, 30)
    assert (job, now) == (("jobs", "job 1"), 35)


def test_a_waiting_command_sees_virtual_time():
    """What a waiting XREADGROUP takes is delivered, idle and expired by the virtual clock."""

    async def scenario(world):
        reader, writer = world.redis("reader"), world.redis("writer")
        await writer.xgroup_create("s", "g", mkstream=True)
        reading = asyncio.create_task(reader.xreadgroup("g", "me", {"s": ">"}, block=60_000))
        await asyncio.sleep(7)
        await writer.xadd("s", {"n": 1})
        await reading
        await asyncio.sleep(3)
        (pending,) = await writer.xpending_range("s", "g", "-", "+", 10)
        return pending["time_since_delivered"]

    assert in_world(scenario)[0] == 3000


def test_who_has_left_takes_nothing():
    """A BLPOP whose client was cancelled or timed out does not swallow the next job."""

    async def scenario(world):
        leaver = world.redis("leaver", socket_timeout=5)
        with pytest.raises(redis.TimeoutError, match="did not answer within 5 s"):
            await leaver.blpop("jobs", timeout=60)
        waiting = asyncio.create_task(world.redis("cancelled").blpop("jobs", timeout=60))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(1)
        client = world.redis("worker")
        await client.rpush("jobs", "job")
        return await client.blpop("jobs", timeout=1)

    assert in_world(scenario)[0] == ("jobs", "job")


@pytest.mark.parametrize("turns", range(12))
def test_who_leaves_at_once_takes_nothing(turns):
    """A BLPOP cancelled in the very instant in which it arrives takes nothing, at whichever turn of
    the loop that is."""

    async def scenario(world):
        await world.redis("worker").ping()
        leaving = asyncio.create_task(world.redis("leaver").blpop("jobs"))
        for _ in range(turns):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(1)
        left_waiting = asyncio.all_tasks() - {asyncio.current_task()}
        client = world.redis("worker")
        await client.rpush("jobs", "job")
        return left_waiting, await client.blpop("jobs", timeout=1)

    assert in_world(scenario)[0] == (set(), ("jobs", "job"))


def test_who_waits_longest_is_served_first():
    """Waiting commands get what comes in the order in which they began to wait, in every world."""

    async def scenario(world):
        async def wait(name, got):
            await world.redis(name).blpop("queue")
            got.append(name)

        names = [f"server {number}" for number in range(8)]
        got = []
        waiting = [asyncio.create_task(wait(name, got)) for name in names]
        await asyncio.sleep(1)
        await world.redis("a").rpush("queue", *names)
        await asyncio.gather(*waiting)
        return got == names

    assert all(in_world(scenario)[0] for _ in range(5))


def test_subscribers_hear_in_one_order():
    """A message reaches the subscribers of a channel in the same order in every world."""

    async def scenario(world):
        async def listen(name, heard):
            async with world.redis(name).pubsub() as channel:
                await channel.subscribe("news")
                while not await channel.get_message(ignore_subscribe_messages=True, timeout=None):
                    pass
                heard.append(name)

        heard = []
        listening = [asyncio.create_task(listen(f"server {n}", heard)) for n in range(8)]
        await asyncio.sleep(1)
        await world.redis("a").publish("news", "hello")
        await asyncio.gather(*listening)
        return heard

    first, *others = (in_world(scenario)[0] for _ in range(5))
    assert len(first) == 8
    assert others == [first] * 4


def test_messages_travel():
    """A subscriber gets each message after the latency, in order, up to the first lost one."""

    async def scenario(world):
        world.link("reader", "redis", latency=2)
        pubsub = world.redis("reader").pubsub()
        await pubsub.subscribe("news")
        assert (await pubsub.get_message(timeout=10))["type"] == "subscribe"
        start = world.now
        writer = world.redis("writer")
        await writer.publish("news", "one")
        await writer.publish("news", "two")
        got = [(await pubsub.get_message(timeout=10))["data"] for _ in range(2)]
        took = world.now - start
        world.partition("reader", "redis")
        await writer.publish("news", "lost")
        world.heal("reader", "redis")
        await writer.publish("news", "after a lost one")
        return got, took, await pubsub.get_message(timeout=10)

    assert in_world(scenario)[0] == (["one", "two"], 2.0, None)


def test_waiting_for_ever_is_a_deadlock():
    """A BLPOP without a time-out that nobody ends is reported."""

    async def scenario(world):
        return await world.redis("a").blpop("jobs")

    with pytest.raises(Deadlock) as caught:
        in_world(scenario)
    _, mine, server = str(caught.value).splitlines()
    assert mine.endswith('return await world.redis("a").blpop("jobs")')
    assert "redis, for a waits for Event.wait" in server


# Failures


def test_socket_timeout():
    """redis-py gives up after `socket_timeout`; the command may still be applied."""

    async def scenario(world):
        world.link("a", "redis", latency=3)
        client = world.redis("a", socket_timeout=5)
        with pytest.raises(redis.TimeoutError):
            await client.incr("n")
        gave_up = world.now
        return gave_up, await world.redis("b").get("n")

    (gave_up, value), _ = in_world(scenario)
    assert (gave_up, value) == (5, "1")


def test_the_answer_of_another_command_is_never_taken():
    """After a time-out the late answer is dropped with its connection."""

    async def scenario(world):
        client = world.redis("a", socket_timeout=1)
        await client.set("n", "right")
        world.link("a", "redis", latency=2)
        with pytest.raises(redis.TimeoutError):
            await client.get("other")
        world.link("a", "redis", latency=0)
        return await client.get("n")

    assert in_world(scenario)[0] == "right"


def test_a_cancelled_command_costs_its_connection():
    """Nobody knows how far it came, so the next command goes through a new connection."""

    async def scenario(world):
        client = world.redis("a")
        before = await client.client_id()
        world.link("a", "redis", latency=5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.get("n")
        return before, await client.client_id()

    before, after = in_world(scenario)[0]
    assert before != after


def test_retries_are_off_unless_asked_for():
    """A refused command fails at once; a client with a retry policy tries again."""
    from redis.asyncio.retry import Retry
    from redis.backoff import ConstantBackoff

    async def scenario(world):
        patient = world.redis("b", retry=Retry(ConstantBackoff(10), 3))
        world.stop("redis")
        with pytest.raises(redis.ConnectionError, match="redis refuses the connection"):
            await world.redis("a").get("n")
        at = world.now
        asyncio.get_running_loop().call_later(15, world.start, "redis")
        await patient.set("n", 1)
        return at, world.now

    assert in_world(scenario)[0] == (0, 20)


def test_stop_and_start():
    """A stopped server breaks connections that wait; after its start the data is there again."""

    async def scenario(world):
        client = world.redis("a")
        await client.set("n", 1)
        waiting = asyncio.create_task(client.blpop("jobs"))
        await asyncio.sleep(1)
        world.stop("redis")
        with pytest.raises(redis.ConnectionError, match="redis closed the connection"):
            await waiting
        world.start("redis")
        return await client.get("n")

    assert in_world(scenario)[0] == "1"


def test_a_dead_client_stops_waiting():
    """A killed node's BLPOP dies with it, and takes nothing from the list."""

    async def scenario(world):
        waiting = asyncio.create_task(world.redis("worker").blpop("jobs"))
        await asyncio.sleep(1)
        world.kill("worker")
        with pytest.raises(ProcessDied):
            await waiting
        other = world.redis("other")
        await other.rpush("jobs", "job")
        return await other.llen("jobs")

    assert in_world(scenario)[0] == 1


def test_no_address_in_the_name():
    """A client shows who it is and where it goes, the same in every run."""
    assert repr(World().redis("a")) == "<Redis client of a on redis>"


# What commands touch


@given(st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=4))
def test_unpack(commands):
    """Commands that redis-py packed are read back as they were."""
    connection = redis.asyncio.Connection()
    packed = connection.pack_commands([["SET", *words] for words in commands])
    assert list(unpack(packed)) == [("SET", *words) for words in commands]


@pytest.mark.parametrize(
    ("command", "keys", "writes"),
    [
        (("GET", "a"), {"a"}, False),
        (("INCR", "a"), {"a"}, True),
        (("EXISTS", "a", "b"), {"a", "b"}, False),
        (("DEL", "a", "b"), {"a", "b"}, True),
        (("EVALSHA", "sha", 2, "a", "b", "argument"), {"a", "b"}, True),
        (("RENAME", "a", "b"), None, True),
        (("PUBLISH", "a", "b"), None, True),
        (("TIME",), None, True),
    ],
)
def test_touched(command, keys, writes):
    """A command is known by its keys, or it is taken to touch everything."""
    assert touched([command]) == (None if keys is None else frozenset(keys), writes)
