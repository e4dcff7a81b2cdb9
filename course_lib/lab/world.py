"""A backend in one process: Redis, SQL and HTTP between nodes, with one clock, one seed, one log.

Everything a node does to the outside is an *effect*: a request travels, is applied, and its answer
travels back. The world writes each one down. `explore` and `crash_everywhere` take the order and
the fate of effects into their own hands; everybody else gets them in the order of their arrival
times.
"""

from __future__ import annotations

import asyncio
import random
import weakref
from asyncio import events
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from course_lib.lab.effect import Director, Effect, Pending
from course_lib.lab.errors import ProcessDied
from course_lib.lab.lives import Lives
from course_lib.lab.network import NEVER, Link, Network

if TYPE_CHECKING:
    import aiosqlite
    import httpx
    import redis.asyncio

    from course_lib.lab.disk_part import Disk
    from course_lib.lab.websocket_part import Connect

__all__ = ["EPOCH", "Director", "Effect", "Pending", "ProcessDied", "World"]

T = TypeVar("T")
EPOCH = 1_767_225_600.0
"""Where virtual time 0.0 stands on the calendar: 2026-01-01T00:00:00Z, the edge of every window."""


class World:
    """Hands out what a backend has, all of it on the clock of the running loop.

    `latency` is the one-way time of every link that `link` does not set, in seconds.

    >>> async def visit(world):
    ...     redis = world.redis("server 1")
    ...     return await redis.incr("visits"), world.now
    >>> from course_lib.lab import run
    >>> run(visit(World(latency=0.5)))
    (1, 1.0)
    """

    def __init__(self, seed: int = 0, latency: float = 0.0, director: Director | None = None):
        self.seed = seed
        self.random = random.Random(seed)
        self.network = Network(random.Random(seed + 1), Link(latency))
        self.log: list[Effect] = []
        self.lives = Lives()
        self.apps: dict[str, Any] = {}
        self._director = director
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._offset = 0.0
        self._offsets: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()
        self._turns: dict[str, int] = {}
        self._dead: set[str] = set()
        self._in_flight: dict[str, dict[Pending, None]] = {}
        self._parts: dict[str, Any] = {}
        self._told_of_deaths: list[Callable[[str], None]] = []
        self._told_of_stops: list[Callable[[str], None]] = []
        self._told_of_close: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return (
            f"World({len(self.log)} effects by {len(self.network.nodes)} nodes, at {self.now:g} s)"
        )

    # Time

    @property
    def now(self) -> float:
        """Virtual seconds since the clock started; between two runs, where the clock stopped."""
        loop = events._get_running_loop()
        if loop is not self._loop and loop is not None:
            self._move_to(loop)
        return self.now_here()

    def now_here(self) -> float:
        """`now` for code that this world's own loop runs: it need not ask which loop that is."""
        return self._offset + self._loop.time() if self._loop is not None else 0.0

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """A world that goes on in another run keeps its time: it never goes back."""
        if self._loop is not None:
            last = self._offset + self._loop.time()
            known = self._offsets.get(loop, last)
            self._offset = max(known, last - loop.time())
        self._offsets[loop] = self._offset
        self._loop = loop

    def time(self) -> float:
        """Seconds since 1970 on the virtual calendar; what `time.time` would say."""
        return EPOCH + self.now

    # What a node can use

    def redis(self, who: str, server: str = "redis", **options: Any) -> redis.asyncio.Redis:
        """A redis-py client of node `who`; each command is one effect on node `server`.

        Answers are decoded to str, and failed commands are not retried, unless `options` say so.
        """
        from course_lib.lab import redis_part

        return redis_part.client(self, who, server, options)

    def sql(
        self,
        who: str,
        database: str = "main",
        busy_timeout: float = 5.0,
        isolation_level: str | None = "",
    ) -> aiosqlite.Connection:
        """An aiosqlite connection of node `who`, for `async with`; each statement is one effect.

        A statement that meets a lock waits for it, at most `busy_timeout` virtual seconds.
        `isolation_level` is that of `sqlite3.connect`: None begins no transaction by itself.
        """
        from course_lib.lab import sql_part

        return sql_part.connection(self, who, database, busy_timeout, isolation_level)

    def disk(self, who: str, disk: str = "disk") -> Disk:
        """The files of node `who`; each read or write is one effect, and outlives the process."""
        from course_lib.lab import disk_part

        return disk_part.disk(self, who, disk)

    def serve(self, host: str, app: Any) -> None:
        """Let node `host` answer http://host/ with an ASGI app, such as a FastAPI one."""
        self.network.number(host)
        self.apps[host] = app

    def http(
        self, who: str, through: Callable[..., Any] | None = None, **options: Any
    ) -> httpx.AsyncClient:
        """An httpx client of node `who`; it reaches the hosts that `serve` named, nothing else.

        `through` puts a transport of yours, such as a cache, in front of the world's.
        """
        from course_lib.lab import http_part

        return http_part.client(self, who, through, options)

    def websocket(self, who: str, url: str, **options: Any) -> Connect:
        """A WebSocket of node `who`, for `async with`, as `websockets.connect(url)` gives one."""
        from course_lib.lab import websocket_part

        return websocket_part.Connect(self, who, url, **options)

    # The network

    def address(self, node: str) -> str:
        """The node's address, such as 10.0.0.1."""
        return self.network.address(node)

    def link(
        self,
        a: str,
        b: str,
        latency: float = 0.0,
        jitter: float = 0.0,
        loss: float = 0.0,
        bandwidth: float = NEVER,
    ) -> None:
        """Set a link: one-way latency and jitter in seconds, loss as a share of messages.

        `bandwidth` is bytes of HTTP bodies per second in each direction, without limit by default.
        """
        self.network.links[frozenset((a, b))] = Link(latency, jitter, loss, bandwidth)

    def break_at(self, sender: str, receiver: str, positions: Iterable[int]) -> None:
        """Break the connection that carries these bytes of requests' bodies, counted from 0.

        The bytes before the position still arrive; both ends learn of the break at once.
        """
        flow = self.network.flow(sender, receiver)
        flow.breaks = sorted([*flow.breaks, *positions])

    def partition(self, a: str, b: str) -> None:
        """Lose every message between two nodes until `heal`."""
        self.network.cut.add(frozenset((a, b)))

    def heal(self, a: str, b: str) -> None:
        """Undo `partition`."""
        self.network.cut.discard(frozenset((a, b)))

    def stop(self, node: str) -> None:
        """Stop a node: it refuses connections until `start`, and keeps its data."""
        self.network.stopped.add(node)
        for tell in self._told_of_stops:
            tell(node)

    def start(self, node: str) -> None:
        """Start a stopped or killed node again; tasks of its life before a kill stay dead."""
        self.network.stopped.discard(node)
        if node in self._dead:
            self._dead.discard(node)
            self.lives.begin(node)

    def kill(self, node: str) -> None:
        """Let the node's process die now: ProcessDied at its next and at each pending effect."""
        self._dead.add(node)
        self.lives.end(node)
        for pending in self._in_flight.pop(node, {}):
            pending.fail(ProcessDied(f"{node} died"))
        for tell in self._told_of_deaths:
            tell(node)

    def end(self) -> None:
        """No effect happens any more: whoever asks for one dies."""
        self._ended = True

    def close(self) -> None:
        """Let go of files; for who makes many worlds, and does not wait for the collector."""
        self.end()
        for tell in self._told_of_close:
            tell()

    def is_up(self, node: str) -> bool:
        """Whether the node takes connections."""
        return node not in self.network.stopped and node not in self._dead

    # For the parts

    def part(self, name: str, make: Callable[[], T]) -> T:
        """What a part of the world keeps here, made at first use."""
        if name not in self._parts:
            self._parts[name] = make()
        return self._parts[name]  # type: ignore[no-any-return]

    def on_death(self, tell: Callable[[str], None]) -> None:
        """Call `tell(node)` when a node is killed."""
        self._told_of_deaths.append(tell)

    def on_close(self, tell: Callable[[], None]) -> None:
        """Call `tell()` when the world is closed."""
        self._told_of_close.append(tell)

    def on_stop(self, tell: Callable[[str], None]) -> None:
        """Call `tell(node)` when a node is stopped."""
        self._told_of_stops.append(tell)

    def travel(self, sender: str, receiver: str) -> float:
        """Seconds a message takes; 0 where a director decides the order, NEVER if it is lost."""
        travel = self.network.travel(sender, receiver)
        return travel if self._director is None or travel == NEVER else 0.0

    @property
    def is_directed(self) -> bool:
        """Whether somebody else decides the order of effects."""
        return self._director is not None

    # Effects

    async def effect(
        self,
        who: str,
        target: str,
        what: str,
        apply: Callable[[], object],
        *,
        refuse: Callable[[str], Exception] = ConnectionError,
        keys: frozenset[str] | None = None,
        writes: bool = True,
        shown: Callable[[object], object] | None = None,
    ) -> Any:
        """Send a request from `who` to `target`, apply it there in one step, bring the answer back.

        A request that is on its way arrives even if its sender stops waiting. `refuse` makes the
        error that the sender sees when the target takes no connections; `shown` makes what the log
        shows of the result.
        """
        if self._ended or self.lives.is_dead(who) or who in self._dead:
            raise ProcessDied(f"{who} died")
        self.network.number(who)
        turn = self._turns[who] = self._turns.get(who, 0) + 1
        effect = Effect(0, who, target, what, self.now, keys=keys, writes=writes)
        assert self._loop is not None
        answer = self._loop.create_future()
        pending = Pending(self, effect, apply, refuse, shown, answer, turn)
        self._in_flight.setdefault(who, {})[pending] = None
        self._dispatch(pending)
        try:
            return await answer
        finally:
            self._in_flight.get(who, {}).pop(pending, None)

    def _dispatch(self, pending: Pending) -> None:
        effect = pending.effect
        travel = self.travel(effect.who, effect.target)
        if travel == NEVER:
            return
        if self._director is not None:
            self._director.take(pending)
        else:
            asyncio.get_running_loop().call_later(travel, self.arrive, pending)

    def arrive(self, pending: Pending) -> None:
        """Apply a pending effect now, log it, and send its answer back."""
        effect = pending.effect
        fate = self._director.fate(effect) if self._director is not None else "lives"
        if fate == "before":
            return self.kill(effect.who)
        effect.time = self.now_here()
        effect.number = len(self.log) + 1
        effect.unheard = pending.answer.done()
        self.log.append(effect)
        outcome = pending.outcome()
        if fate == "after":
            return self.kill(effect.who)
        back = self.travel(effect.target, effect.who)
        if back == 0:
            pending.give(outcome)
        elif back != NEVER:
            asyncio.get_running_loop().call_later(back, pending.give, outcome)
        return None
