"""The world's SQL: aiosqlite connections to a SQLite file, each statement one effect, run inline.

aiosqlite runs statements in a thread, which would race with virtual time; here they run in the
loop's own turn. Rows are fetched inline too, and are not effects. Isolation is SQLite's in WAL
mode: one writer at a time, and readers see the last commit. Leaves out power failures (nothing is
synced), and connections of other libraries.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Generator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite

from course_lib.lab import scratch
from course_lib.lab.errors import ProcessDied

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["connection"]

PLAIN = ("execute", "executemany", "executescript", "commit", "rollback")
AT_ONCE = ("_execute_fetchall", "_execute_insert")  # aiosqlite's own: execute and fetch in one go
STATEMENTS = frozenset((*PLAIN, *AT_ONCE))
SET_WHEN_OPENED = (
    "isolation_level cannot be set here: the connection belongs to another thread. "
    "Open it so: isolation_level=..."
)


@cache
def _blank() -> bytes:
    """An empty database in WAL mode: copying it is quicker than switching a new one over."""
    with tempfile.TemporaryDirectory(prefix="blank-") as folder:
        path = Path(folder) / "database.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        return path.read_bytes()


class _Room:
    """Lets worlds that nobody has any more go before the files run out: a world is a circle.

    Worlds that are closed, as those of `explore`, need no collector.
    """

    LEAST = 40  # a system may allow as few as 256 open files, and a database takes three

    def __init__(self) -> None:
        self._live: weakref.WeakSet[_Database] = weakref.WeakSet()
        self._most = self.LEAST

    def take(self, database: _Database) -> None:
        """Count one more open database."""
        if len(self._live) >= self._most:
            gc.collect()
            self._most = max(self.LEAST, 2 * len(self._live))
        self._live.add(database)

    def give_back(self, database: _Database) -> None:
        """Count one less."""
        self._live.discard(database)


_ROOM = _Room()


class _Databases:
    """The database files of one world, gone when the world is."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="world-", dir=scratch.folder(), ignore_cleanup_errors=True
        )
        self._known: dict[str, _Database] = {}

    def get(self, world: World, name: str) -> _Database:
        """The database of this name, made at first use."""
        if not self._known:
            world.on_close(self.close)
        if name not in self._known:
            path = Path(self._folder.name) / f"{len(self._known)}.sqlite"
            path.write_bytes(_blank())
            made = self._known[name] = _Database(str(path))
            _ROOM.take(made)
            world.on_death(lambda node: _drop_connections(made, node))
        return self._known[name]

    def close(self) -> None:
        """Close every database and remove the files."""
        for database in self._known.values():
            database.close()
        self._folder.cleanup()


class _Database:
    """One database file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.unlocked = asyncio.Event()
        self.open: list[_Connection] = []
        # Without one that stays, SQLite tidies the file up whenever the last connection closes.
        self._kept = self.connect()
        self._kept.execute("SELECT 1 FROM sqlite_master").close()

    def __del__(self) -> None:
        self._kept.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self.open):
            connection.drop()
        self._kept.close()
        _ROOM.give_back(self)

    def connect(self, isolation_level: Any = "") -> sqlite3.Connection:
        """A plain connection; the world waits for locks, so SQLite itself must not."""
        # A world may be let go in any thread: whichever happens to collect the garbage.
        connection = sqlite3.connect(
            self.path, timeout=0, check_same_thread=False, isolation_level=isolation_level
        )
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    def release(self) -> None:
        """Wake everybody who waits for a lock, and let them try again."""
        self.unlocked.set()
        self.unlocked = asyncio.Event()


def connection(
    world: World, who: str, database: str, busy_timeout: float, isolation_level: str | None
) -> aiosqlite.Connection:
    """An aiosqlite connection whose statements go through the world."""
    file = world.part("sql", _Databases).get(world, database)
    return _Connection(world, who, database, file, busy_timeout, isolation_level)


def _drop_connections(database: _Database, node: str) -> None:
    for open_connection in list(database.open):
        if open_connection.who == node:
            open_connection.died = True
            open_connection.drop()
    database.release()


@cache
def _model() -> dict[str, Any]:
    """The fields of a connection; making each anew would make a thread that nobody starts."""
    return vars(aiosqlite.Connection(lambda: sqlite3.connect(":memory:"), iter_chunk_size=64))


class _Connection(aiosqlite.Connection):
    def __init__(
        self,
        world: World,
        who: str,
        name: str,
        database: _Database,
        busy_timeout: float,
        isolation_level: str | None,
    ):
        vars(self).update(_model())
        self._connector = partial(database.connect, isolation_level)
        self.who = who
        self._world, self._name, self._database = world, name, database
        self._busy_timeout = busy_timeout
        self.died = False

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._open().__await__()

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is None:
            self._connection = self._connector()
            self._database.open.append(self)
        return self

    @property
    def _conn(self) -> sqlite3.Connection:
        """aiosqlite asks for it at every statement, also for one of a process that has died."""
        if self.died:
            raise ProcessDied(f"{self.who} died")
        return super()._conn

    @property
    def isolation_level(self) -> str | None:
        """How the connection was opened; to set it fails, as on a real one."""
        return self._conn.isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        raise sqlite3.ProgrammingError(SET_WHEN_OPENED)

    def __del__(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Close at once, as when the process dies: an open transaction is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self in self._database.open:
            self._database.open.remove(self)

    async def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self.drop()
        self._database.release()

    def stop(self) -> None:
        """Nothing to stop: there is no thread."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.died:
            raise ProcessDied(f"{self.who} died")
        if self._connection is None:
            raise ValueError("Connection closed")
        name = fn.__name__
        if name not in STATEMENTS:
            return fn(*args, **kwargs)
        return await self._statement(name, lambda: self._run_while_alive(fn, args, kwargs), args)

    def _run_while_alive(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """A statement that was on its way when its process died finds its connection closed."""
        if self.died:
            raise sqlite3.OperationalError(f"{self.who} closed the connection")
        return fn(*args, **kwargs)

    async def _statement(self, name: str, run: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        what = " ".join(str(args[0]).split()) if args else name.upper()
        reads = what.upper().startswith("SELECT")
        deadline = None
        while True:
            unlocked = self._database.unlocked
            try:
                result = await self._world.effect(
                    self.who,
                    self._name,
                    what,
                    run,
                    refuse=sqlite3.OperationalError,
                    writes=not reads,
                    shown=_row_count,
                )
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise
                deadline = deadline or asyncio.get_running_loop().time() + self._busy_timeout
                await self._wait_for(unlocked, deadline)
            else:
                if not self.in_transaction:
                    self._database.release()
                return result

    async def _wait_for(self, unlocked: asyncio.Event, deadline: float) -> None:
        """Wait for the lock; without end where the order is tried out, or all orders would fail."""
        try:
            async with asyncio.timeout_at(None if self._world.is_directed else deadline):
                await unlocked.wait()
        except TimeoutError:
            text = f"database is locked: waited {self._busy_timeout:g} s"
            raise sqlite3.OperationalError(text) from None


def _is_locked(error: sqlite3.OperationalError) -> bool:
    """Whether it is worth waiting: a transaction that has read old rows can never write again."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) and name != "SQLITE_BUSY_SNAPSHOT"


def _row_count(result: object) -> object:
    """What the log shows of a statement: how many rows, or the one row that a shortcut fetched."""
    if isinstance(result, sqlite3.Cursor):
        return "rows" if result.description else f"{max(result.rowcount, 0)} changed"
    if isinstance(result, tuple | sqlite3.Row):
        return _in_words(result)
    if isinstance(result, list):
        return _in_words(result[0]) if len(result) == 1 else f"{len(result)} rows"
    return "ok"


def _in_words(row: tuple[object, ...] | sqlite3.Row) -> str:
    return ", ".join(map(str, row))
