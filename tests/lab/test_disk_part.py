"""The world's disk: files that outlive processes, one effect an operation."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import ProcessDied, World, crash_everywhere, explore, run

NAMES = st.sampled_from(["a", "b"])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=9)), max_size=12))
def test_appends_add_up(writes):
    """A file is what was appended to it, in order; sizes and ranges fit."""

    async def scenario():
        disk = World().disk("server")
        for name, data in writes:
            await disk.append(name, data)
        found = {name: await disk.read(name) for name in await disk.names()}
        for name, data in found.items():
            assert await disk.size(name) == len(data)
            assert await disk.read(name, 2, 3) == data[2:5]
            assert await disk.read(name, 4) == data[4:]
        return found

    wanted = {}
    for name, data in writes:
        wanted[name] = wanted.get(name, b"") + data
    assert run(scenario()) == wanted


def test_missing_files():
    """To read or measure a file that is not there is an error; to delete it is none."""

    async def scenario():
        disk = World().disk("server")
        await disk.delete("a")
        for ask in (disk.read, disk.size):
            with pytest.raises(FileNotFoundError, match="a"):
                await ask("a")
        await disk.append("a", b"x")
        await disk.delete("a")
        return await disk.names()

    assert run(scenario()) == []


def test_one_effect_each():
    """Each operation is in the log, in words."""
    world = World()

    async def scenario():
        disk = world.disk("server")
        await disk.append("a", b"hello")
        await disk.read("a")

    run(scenario())
    assert [str(effect) for effect in world.log] == [
        "server: append 5 bytes to a -> ok",
        "server: read a -> 5 bytes",
    ]


def test_survives_the_process():
    """A node that is killed loses its process, and its files stay; another disk has other files."""

    async def scenario():
        world = World()
        await world.disk("server").append("a", b"x")
        world.kill("server")
        with pytest.raises(ProcessDied):
            await world.disk("server").append("a", b"y")
        world.start("server")

        async def afterwards():
            return await world.disk("server 2").read("a"), await world.disk("x", "other").names()

        return await asyncio.create_task(afterwards())

    assert run(scenario()) == (b"x", [])


def test_crashes_come_between_effects():
    """A crash leaves the first append without the second, and never half of one."""
    seen = set()

    async def write(world):
        disk = world.disk("server")
        await disk.append("a", b"12")
        await disk.append("a", b"34")

    async def read(world):
        disk = world.disk("server")
        return await disk.read("a") if await disk.names() else b""

    crash_everywhere(write, read, lambda held: seen.add(held) or True)
    assert seen == {b"", b"12", b"1234"}


def test_other_files_commute():
    """Two nodes that write to different files are tried in one order, to one file in both."""

    def orders(first, second):
        async def scenario(world):
            writes = [("a", first, b"x"), ("b", second, b"y")]
            await asyncio.gather(*[world.disk(who).append(f, data) for who, f, data in writes])

        return explore(scenario, lambda _: True).orders

    assert (orders("one", "two"), orders("one", "one")) == (1, 2)
