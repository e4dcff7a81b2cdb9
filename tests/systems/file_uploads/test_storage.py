"""Bytes and records together: every order, every crash, and what a sweep finds."""

import asyncio
import contextlib
import hashlib

import pytest

from course_lib.experiments.file_uploads import broken_places, client, resumable, server
from course_lib.lab import World, crash_everywhere, explore, run
from course_lib.systems import file_uploads as fu
from tests.systems.file_uploads.lab import create, in_world, patch

DATA = bytes(range(40))
FINE = fu.Rules(part_size=8, block_size=4)


async def pieces(*parts):
    for part in parts:
        yield part


async def stored(storage, name):
    """What an upload holds, however far it is."""
    upload = await storage.catalog.find(name, "ask", 0)
    return b"".join([block async for block in storage.read(upload)])


async def opened(world, length=5, rules=FINE):
    """A storage with one upload in it."""
    storage = server(world, rules)
    await storage.catalog.prepare()
    upload = fu.Upload("film", "kim", length, "", world.time() + 60, 0)
    await storage.catalog.create(upload, quota=10**6, now=world.time())
    return storage, upload


def test_two_senders_in_every_order():
    """Two bodies at one offset: in every order of their effects, one is stored and one refused."""

    async def scenario(world):
        storage, upload = await opened(world)

        async def send(who, body):
            mine = fu.Storage(
                fu.Catalog(lambda: world.sql(who)),
                world.disk(who),
                world.time,
                lambda: who,
                FINE,
            )
            try:
                return await mine.append(upload, pieces(body))
            except fu.Refused as refused:
                return refused.status

        results = await asyncio.gather(send("a", b"hello"), send("b", b"HELLO"))
        return results, await stored(storage, "film")

    def one_wins(result):
        answers, held = result
        assert sorted(answers) == [5, 409]
        assert held == (b"hello" if answers[0] == 5 else b"HELLO")

    found = explore(scenario, one_wins, budget=400)
    assert found.holds, found
    assert found.exhaustive


def test_quota_in_every_order():
    """Two uploads at once that fit alone but not together: in every order one is refused."""

    async def scenario(world):
        catalogs = [fu.Catalog(lambda who=who: world.sql(who)) for who in ("a", "b")]
        await catalogs[0].prepare()

        async def create(catalog, name):
            try:
                await catalog.create(fu.Upload(name, "kim", 60, "", 100.0, 0), quota=100, now=0.0)
            except fu.Refused as refused:
                return refused.status
            return 201

        return await asyncio.gather(*[create(c, n) for c, n in zip(catalogs, "xy", strict=True)])

    found = explore(scenario, lambda statuses: sorted(statuses) == [201, 507])
    assert found.holds, found
    assert found.exhaustive


@pytest.mark.parametrize("checksum", [None, "sha256"])
def test_drop_at_every_byte(checksum):
    """The connection breaks after every number of bytes: the file that arrives is the same."""

    async def upload(world):
        return await resumable(world, DATA, 15, checksum)

    assert broken_places(upload, DATA, seed=29) == []


@pytest.mark.parametrize("checksum", [None, "sha256"])
def test_crash_at_every_effect(checksum):
    """Server or client die before and after each effect; a new client finishes: same SHA-256."""

    async def scenario(world):
        storage = server(world, FINE)
        await storage.catalog.prepare()
        async with world.http("client", base_url="http://server") as http:
            sender = client(world, http, DATA, 15, checksum)
            sender.patience = 2
            with contextlib.suppress(fu.GaveUp):
                await sender.upload()

    async def recover(world):
        storage = server(world, FINE)
        await storage.catalog.prepare()
        async with world.http("client 2", base_url="http://server") as http:
            sender = client(world, http, DATA, 15, checksum)
            known = await storage.catalog.offsets()
            url = f"/files/{min(known)}" if known else await sender.create()
            await sender.resume(url)
            content = (await http.get(url)).content
        swept = await fu.sweep(storage)
        upload = await storage.catalog.find(url.removeprefix("/files/"), "ask", world.time())
        after = b"".join([block async for block in storage.read(upload)])
        owned = await storage.catalog.files()
        return content, after, swept, set(await storage.disk.names()) == owned

    def whole(result):
        content, after, _, tidy = result
        for each in (content, after):
            assert hashlib.sha256(each).digest() == hashlib.sha256(DATA).digest()
        assert tidy, "files are left that belong to nobody"

    report = crash_everywhere(scenario, recover, whole)
    assert report.holds, report
    assert report.points >= 30


def test_memory_is_one_block():
    """However large the body, what is written at once is a block."""

    async def scenario(world, http, storage):
        url = (await create(http, 1000)).headers["location"]
        await patch(http, url, 0, bytes(1000))
        parts = await storage.catalog.parts(url.removeprefix("/files/"))
        return [part.stop - part.start for part in parts]

    assert in_world(scenario, fu.Rules(part_size=300, block_size=100)) == [1000]


def test_parts_in_a_stream():
    """A body that comes in pieces is kept part by part, each as soon as it is full."""

    async def scenario():
        storage, upload = await opened(World(1), length=40)
        await storage.append(upload, pieces(*[DATA[n : n + 3] for n in range(0, 40, 3)]))
        return await storage.catalog.parts("film"), await stored(storage, "film")

    parts, held = run(scenario())
    assert held == DATA
    assert [part.start for part in parts] == [0, 9, 18, 27, 36]


def test_sweep():
    """A sweep takes late uploads and orphans, and neither what is whole nor what is going on."""

    async def scenario(world, http, storage):
        done, late = [(await create(http, 5)).headers["location"] for _ in range(2)]
        await patch(http, done, 0, b"hello")
        await patch(http, late, 0, b"abc")
        await storage.disk.append("nobody.0.x", b"left by a crash")
        name = late.removeprefix("/files/")
        await storage.disk.append(f"{name}.0.x", b"lost the race")
        await storage.disk.append(f"{name}.3.x", b"on its way")
        first = await fu.sweep(storage)
        running = await storage.disk.names()
        await asyncio.sleep(storage.rules.lifetime)
        second = await fu.sweep(storage)
        content = (await http.get(done)).content
        return first, f"{name}.3.x" in running, second, await storage.disk.names(), content

    first, still_there, second, files, content = in_world(scenario)
    assert first == (0, 2)
    assert still_there
    assert second == (1, 2)
    assert len(files) == 1
    assert content == b"hello"


def test_sweep_can_die_anywhere():
    """A sweep that dies at any effect leaves nothing that the next one does not find."""

    async def late(world):
        storage, upload = await opened(world, length=40)
        await storage.append(upload, pieces(DATA[:20]))
        return storage

    async def scenario(world):
        storage = await late(world)
        await asyncio.sleep(61)
        await fu.sweep(storage)

    async def recover(world):
        storage = server(world, FINE)
        await storage.catalog.prepare()
        await asyncio.sleep(61)
        await fu.sweep(storage)
        return await storage.disk.names(), await storage.catalog.offsets()

    report = crash_everywhere(scenario, recover, lambda left: left == ([], {}))
    assert report.holds, report


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", ".hidden", "a/b", "a\\b", "a\x00"])
def test_disk_names(tmp_path, name):
    """A real disk opens names of the server's own making, and no path."""
    with pytest.raises(ValueError, match="no name of ours"):
        fu.LocalDisk(tmp_path).path(name)


def test_real_disk(tmp_path):
    """The real disk does what the lab's does."""

    async def use(disk):
        await disk.append("a.0.x", b"hello ")
        await disk.append("a.0.x", b"world")
        await disk.append("b.0.x", b"")
        read = await disk.read("a.0.x", 3, 5), await disk.read("a.0.x", 6), await disk.size("a.0.x")
        await disk.delete("a.0.x")
        await disk.delete("a.0.x")
        return read, await disk.names()

    real = asyncio.run(use(fu.LocalDisk(tmp_path)))
    assert real == run(use(World(1).disk("server")))
    assert real == ((b"lo wo", b"world", 11), ["b.0.x"])
