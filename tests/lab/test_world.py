"""The world: effects travel, are applied and written down; nodes stop, die and come back."""

import asyncio
import os
import subprocess
import sys

import pytest
from redis import RedisError

from course_lib.lab import EPOCH, ProcessDied, World, run


def ask(world, what="ask", who="client", target="server", **options):
    """One effect of a client on a server that notes the time of its arrival."""
    return world.effect(who, target, what, lambda: world.now, **options)


def in_world(scenario, **options):
    """Run a scenario in a world of its own, and give its result and the world."""
    world = World(**options)
    return run(scenario(world)), world


# Travelling


def test_there_and_back():
    """A request takes the latency there, and its answer the latency back."""

    async def scenario(world):
        world.link("client", "server", latency=0.25)
        await asyncio.sleep(1)
        arrived = await ask(world)
        return arrived, world.now

    (arrived, back), world = in_world(scenario)
    assert (arrived, back) == (1.25, 1.5)
    effect = world.log[0]
    assert (effect.sent, effect.time, effect.answered) == (1.0, 1.25, 1.5)
    assert (effect.number, effect.who, effect.target) == (1, "client", "server")


def test_the_log_is_in_order_of_arrival():
    """Effects are numbered as they were applied, not as they were sent."""

    async def scenario(world):
        world.link("far", "server", latency=5)
        far = asyncio.create_task(ask(world, who="far"))
        await asyncio.sleep(1)
        await asyncio.gather(far, ask(world, who="near"))

    _, world = in_world(scenario)
    assert [(effect.number, effect.who) for effect in world.log] == [(1, "near"), (2, "far")]
    assert [str(effect) for effect in world.log] == ["near: ask -> 1.0", "far: ask -> 5.0"]


def test_a_request_on_its_way_arrives():
    """It is applied even if its sender has given up, and the log says that nobody heard."""

    async def scenario(world):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await ask(world)
        await asyncio.sleep(10)

    _, world = in_world(scenario, latency=3)
    assert [(effect.time, effect.answered, effect.unheard) for effect in world.log] == [
        (3.0, None, True)
    ]
    assert "too late: nobody waits for it" in str(world.log[0])


def test_partition_and_heal():
    """A message into a partition stays lost; after healing messages pass again."""

    async def scenario(world):
        world.partition("client", "server")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await ask(world, "lost")
        world.heal("client", "server")
        await ask(world, "passed")

    _, world = in_world(scenario)
    assert [effect.what for effect in world.log] == ["passed"]


def test_a_lost_answer():
    """When only the answer is lost, the effect has happened and the sender does not know."""

    async def scenario(world):
        asking = asyncio.create_task(ask(world))
        await asyncio.sleep(0.5)
        world.partition("client", "server")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking, 60)

    _, world = in_world(scenario, latency=1)
    assert [(effect.time, effect.answered) for effect in world.log] == [(1.0, None)]


def test_loss_and_jitter():
    """Lost requests are never applied; the others arrive within latency plus jitter."""

    async def scenario(world):
        world.link("client", "server", latency=1, jitter=0.5, loss=0.3)
        tasks = [asyncio.create_task(ask(world, str(number))) for number in range(200)]
        await asyncio.sleep(10)
        return sum(task.done() for task in tasks)

    heard, world = in_world(scenario, seed=5)
    assert 0 < heard < len(world.log) < 200
    assert all(1 <= effect.time <= 1.5 for effect in world.log)


# Errors and nodes


def test_errors_travel_back():
    """An error of the target is raised at the sender after the way back, and is in the log."""

    async def scenario(world):
        with pytest.raises(KeyError):
            await world.effect("client", "server", "look", lambda: {}["missing"])
        return world.now

    now, world = in_world(scenario, latency=1)
    assert now == 2
    assert str(world.log[0]) == "client: look -> KeyError: 'missing'"


def test_stop_and_start():
    """A stopped node refuses, with the error that the sender's library would raise."""

    async def scenario(world):
        world.stop("server")
        with pytest.raises(OSError, match="server refuses the connection"):
            await ask(world, refuse=OSError)
        world.start("server")
        await ask(world)

    in_world(scenario)


def test_kill():
    """A killed node dies at its pending effect and at its next one, past `except Exception`."""

    async def scenario(world):
        seen = []

        async def process():
            try:
                try:
                    await ask(world)
                except Exception:
                    seen.append("survived")
            finally:
                try:
                    await ask(world, "clean-up")
                except ProcessDied:
                    seen.append("no clean-up")

        task = asyncio.create_task(process())
        await asyncio.sleep(1)
        world.kill("client")
        with pytest.raises(ProcessDied, match="client died"):
            await task
        return seen

    seen, world = in_world(scenario, latency=2)
    assert seen == ["no clean-up"]
    assert "clean-up" not in [effect.what for effect in world.log]


def test_a_killed_node_comes_back_as_another_process():
    """After a restart new tasks act as the node; those of before, and their children, do not."""

    async def scenario(world):
        done = []

        async def beat(name):
            await ask(world, name)
            done.append(name)

        async def old():
            await beat("first beat")
            await asyncio.sleep(10)
            await asyncio.gather(beat("child of the dead"))

        async def keep_up():
            await asyncio.sleep(5)
            world.kill("client")
            await asyncio.sleep(1)
            world.start("client")
            await beat("new process")

        await asyncio.gather(old(), keep_up(), return_exceptions=True)
        await asyncio.create_task(beat("later"))
        return done

    done, _ = in_world(scenario)
    assert done == ["first beat", "new process", "later"]


def test_a_dead_task_is_not_an_error():
    """A task of a killed node that nobody awaits just ends; the run goes on."""

    async def scenario(world):
        asyncio.create_task(ask(world))  # noqa: RUF006
        await asyncio.sleep(1)
        world.kill("client")
        await asyncio.sleep(10)
        return "goes on"

    assert in_world(scenario, latency=2)[0] == "goes on"


# Time


def test_calendar():
    """Virtual time 0 is the first second of 2026, at the edge of every window."""
    assert World().time() == EPOCH
    assert EPOCH % 3600 == 0


def test_time_goes_on_in_another_run():
    """A world that is used in several runs keeps its time, also between them."""
    world = World()

    async def pass_time(seconds):
        await asyncio.sleep(seconds)
        await ask(world)
        return world.now

    assert run(pass_time(5)) == 5
    assert world.now == 5
    assert run(pass_time(2)) == 7
    assert [effect.time for effect in world.log] == [5, 7]


# Determinism


async def everything(world):
    """A bit of all that could go in another order."""
    world.link("a", "redis", latency=0.01, jitter=0.02)
    world.link("b", "redis", latency=0.01, jitter=0.02, loss=0.2)

    async def client(name):
        redis = world.redis(name, socket_timeout=1)
        for number in range(5):
            try:
                await redis.sadd("names", name, f"{name}{number}", "x", "y", "z")
                await redis.smembers("names")
                await redis.spop("names")
                await redis.zrandmember("scores")
            except RedisError:
                await asyncio.sleep(world.random.random())

    await asyncio.gather(*(client(name) for name in "abc"))
    return "\n".join(f"{effect.time:.6f} {effect}" for effect in world.log)


def test_same_seed_same_log():
    """Ten runs of one seed give one log, and another seed gives another."""
    logs = {in_world(everything, seed=3)[0] for _ in range(10)}
    assert len(logs) == 1
    assert in_world(everything, seed=4)[0] not in logs


def test_parts_throw_no_dice_of_the_program():
    """A client, a link or a command leaves the program's own dice as they are."""

    async def scenario(world):
        world.link("a", "redis", jitter=1)
        client = world.redis("a")
        await client.sadd("set", 1, 2, 3)
        await client.spop("set")
        return world.random.random()

    assert in_world(scenario, seed=9)[0] == World(seed=9).random.random()


def test_no_hash_order():
    """The log does not depend on the order of sets, which differs from process to process."""
    code = "from tests.lab.test_world import *; print(in_world(everything, seed=3)[0])"
    logs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(logs) == 1
    assert "SPOP" in logs.pop()
