"""SQL in the world: SQLite's isolation on virtual time, each statement one effect."""

import asyncio
import gc
import sqlite3

import pytest

from course_lib.lab import ProcessDied, World, crash_everywhere, explore, run, sql_part
from tests.systems.real_redis import RealWorld


def in_world(scenario, **options):
    """Run a scenario in a world of its own, and give its result and the world."""
    world = World(**options)
    return run(scenario(world)), world


async def stock_of(world, amount=10):
    """A table with one row."""
    async with world.sql("setup") as db:
        await db.execute("CREATE TABLE stock (amount INTEGER)")
        await db.execute("INSERT INTO stock VALUES (?)", (amount,))
        await db.commit()


async def amount(db):
    async with db.execute("SELECT amount FROM stock") as cursor:
        return (await cursor.fetchone())[0]


def test_statements_are_effects():
    """Each statement takes the latency both ways, and the log shows what it did."""

    async def scenario(world):
        await stock_of(world)
        start = len(world.log), world.now
        async with world.sql("shop") as db:
            await db.execute("UPDATE stock SET amount =\n  amount - 1")
            await db.commit()
            return start, await amount(db), world.now

    (start, left, now), world = in_world(scenario, latency=0.5)
    assert (left, now - start[1]) == (9, 3.0)
    assert [str(effect) for effect in world.log[start[0] :]] == [
        "shop: UPDATE stock SET amount = amount - 1 -> 1 changed",
        "shop: COMMIT -> ok",
        "shop: SELECT amount FROM stock -> rows",
    ]
    assert [effect.writes for effect in world.log[start[0] :]] == [True, True, False]


def test_shortcuts_are_effects():
    """A statement that fetches its rows in one go is one effect too, and takes its time."""

    async def scenario(world):
        await stock_of(world)
        start = len(world.log), world.now
        async with world.sql("shop") as db:
            rows = list(await db.execute_fetchall("SELECT amount FROM stock"))
            await db.execute_fetchall("SELECT 1 WHERE 0")
            last = await db.execute_insert("INSERT INTO stock VALUES (?)", (3,))
            return start, rows, last, world.now

    (start, rows, last, now), world = in_world(scenario, latency=0.5)
    assert (rows, last, now - start[1]) == ([(10,)], (2,), 3.0)
    assert [str(effect) for effect in world.log[start[0] :]] == [
        "shop: SELECT amount FROM stock -> 10",
        "shop: SELECT 1 WHERE 0 -> 0 rows",
        "shop: INSERT INTO stock VALUES (?) -> 2",
    ]
    assert [effect.writes for effect in world.log[start[0] :]] == [False, False, True]


def test_isolation():
    """Nobody sees what is not committed, and everybody sees what is."""

    async def scenario(world):
        await stock_of(world)
        async with world.sql("writer") as writer, world.sql("reader") as reader:
            await writer.execute("UPDATE stock SET amount = 0")
            before = await amount(reader)
            await writer.commit()
            return before, await amount(reader)

    assert in_world(scenario)[0] == (10, 0)


def test_no_transaction_unless_asked_for():
    """With isolation_level=None each statement counts at once, and BEGIN begins a transaction."""

    async def scenario(world):
        await stock_of(world)
        async with world.sql("a", isolation_level=None) as a, world.sql("b") as b:
            assert (a.isolation_level, b.isolation_level) == (None, "")
            await a.execute("UPDATE stock SET amount = 9")
            at_once, begun = await amount(b), a.in_transaction
            await a.execute("BEGIN")
            await a.execute("UPDATE stock SET amount = 8")
            return at_once, begun, await amount(b), a.in_transaction

    assert in_world(scenario)[0] == (9, False, 9, True)


def test_isolation_of_an_open_connection(tmp_path):
    """It cannot be changed, in a world as on a real connection, whose thread is another one."""

    async def change(world):
        async with world.sql("server") as db:
            with pytest.raises(sqlite3.ProgrammingError, match="thread"):
                db.isolation_level = None

    run(change(World()))
    asyncio.run(change(RealWorld("", tmp_path)))


def test_a_writer_waits_for_the_lock():
    """It waits in virtual time for the other to commit, and goes on at that moment."""

    async def scenario(world):
        await stock_of(world)

        async def hold():
            async with world.sql("first") as db:
                await db.execute("UPDATE stock SET amount = amount - 1")
                await asyncio.sleep(3)
                await db.commit()
                await asyncio.sleep(10)

        holding = asyncio.create_task(hold())
        await asyncio.sleep(1)
        async with world.sql("second") as db:
            await db.execute("UPDATE stock SET amount = amount - 1")
            now = world.now
            await db.commit()
            await holding
            return now, await amount(db)

    assert in_world(scenario)[0] == (3, 8)


def test_waiting_too_long():
    """After the busy time-out the statement fails, as SQLite's own would."""

    async def scenario(world):
        await stock_of(world)
        async with world.sql("first") as first, world.sql("second", busy_timeout=2) as second:
            await first.execute("UPDATE stock SET amount = 1")
            with pytest.raises(sqlite3.OperationalError, match="database is locked: waited 2 s"):
                await second.execute("UPDATE stock SET amount = 2")
            return world.now

    assert in_world(scenario)[0] == 2


def test_an_old_reader_cannot_write():
    """A transaction that has read rows which changed since fails at once: waiting is no use."""

    async def scenario(world):
        await stock_of(world)
        async with world.sql("first") as first, world.sql("second") as second:
            await first.execute("BEGIN")
            await amount(first)
            await second.execute("UPDATE stock SET amount = 1")
            await second.commit()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await first.execute("UPDATE stock SET amount = 2")
            return world.now

    assert in_world(scenario)[0] == 0


@pytest.mark.parametrize("connections", [1, 3])
def test_a_dead_process_is_rolled_back(connections):
    """All open transactions of a killed node are undone, and their locks are free."""

    async def scenario(world):
        await stock_of(world)

        async def process():
            for number in range(connections):
                held.append(await world.sql("shop", f"database {number}"))
                db = await world.sql("shop", f"database {number}")
                await db.execute("CREATE TABLE stock (amount)")
                await db.execute("BEGIN")
                await db.execute("INSERT INTO stock VALUES (1)")
                held.append(db)
            await asyncio.sleep(60)
            await held[0].commit()

        held = []
        task = asyncio.create_task(process())
        await asyncio.sleep(1)
        world.kill("shop")
        found = []
        for number in range(connections):
            async with world.sql("other", f"database {number}") as db:
                await db.execute("INSERT INTO stock VALUES (7)")
                await db.commit()
                found.append(await amount(db))
        with pytest.raises(ProcessDied, match="shop died"):
            await task
        return found

    assert in_world(scenario)[0] == [7] * connections


def test_a_statement_on_its_way_dies_with_its_process():
    """What a process had sent when it died is not applied, and disturbs nobody."""

    async def scenario(world):
        await stock_of(world)
        db = await world.sql("shop", isolation_level=None)
        task = asyncio.create_task(db.execute("UPDATE stock SET amount = 0"))
        await asyncio.sleep(0.5)
        world.kill("shop")
        await asyncio.sleep(2)
        async with world.sql("other") as other:
            return task.done(), await amount(other)

    assert in_world(scenario, latency=1)[0] == (True, 10)


def test_closing():
    """A closed connection refuses statements, and what it had not committed is undone."""

    async def scenario(world):
        await stock_of(world)
        db = await world.sql("shop")
        await db.execute("UPDATE stock SET amount = 0")
        await db.close()
        with pytest.raises(ValueError, match="no active connection"):
            await db.execute("SELECT 1")
        async with world.sql("other") as other:
            return await amount(other)

    assert in_world(scenario)[0] == 10


def test_errors():
    """A wrong statement raises SQLite's error, and the connection serves on."""

    async def scenario(world):
        async with world.sql("shop") as db:
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await db.execute("SELECT * FROM missing")
            async with db.execute("SELECT 1") as cursor:
                return await cursor.fetchall()

    assert in_world(scenario)[0] == [(1,)]


def read_then_write(statement):
    """Two shops that each sell one; `statement` writes what was left."""

    async def scenario(world):
        await stock_of(world)

        async def sell(name):
            async with world.sql(name) as db:
                left = await amount(db)
                await db.execute(statement, {"left": left - 1})
                await db.commit()

        await asyncio.gather(sell("a"), sell("b"))
        async with world.sql("setup") as db:
            return await amount(db)

    return scenario


def test_lost_update():
    """explore finds the lost update of read-then-write, and none where SQL does the sum."""
    broken = explore(read_then_write("UPDATE stock SET amount = :left"), lambda left: left == 8)
    right = explore(
        read_then_write("UPDATE stock SET amount = amount - 1 WHERE :left"), lambda left: left == 8
    )
    assert not broken.holds
    assert right.holds
    assert right.exhaustive


@pytest.fixture
def no_collector():
    """Garbage stays for the time of a test."""
    gc.disable()
    yield
    gc.enable()


def test_worlds_let_their_files_go(no_collector):
    """Worlds that nobody has any more close their databases, before the files run out."""

    async def scenario(world):
        async with world.sql("shop") as db:
            await db.execute("CREATE TABLE t (n)")

    before = len(sql_part._ROOM._live)
    for _ in range(3 * (sql_part._Room.LEAST + before)):
        in_world(scenario)
    assert len(sql_part._ROOM._live) <= 2 * (sql_part._Room.LEAST + before)


def test_searches_leave_no_file_open(no_collector):
    """Worlds that explore and crash_everywhere made close their databases without the collector."""

    async def scenario(world):
        async with world.sql("shop") as db:
            await db.execute("CREATE TABLE IF NOT EXISTS t (n)")

    before = set(sql_part._ROOM._live)
    assert explore(scenario, lambda _: True).holds
    assert crash_everywhere(scenario, scenario, lambda _: True).holds
    assert set(sql_part._ROOM._live) <= before
