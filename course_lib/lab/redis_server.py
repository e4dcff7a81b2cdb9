"""The world's Redis servers: fakeredis on virtual time, and the server's end of each connection.

fakeredis reads `time.time` in some of its modules. While it applies a command, and at no other
moment, these modules see the world's clock, and the world's dice in place of `random`.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import random as real_random
import time as real_time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import fakeredis
import redis.asyncio
from fakeredis.aioredis import AsyncFakeSocket

from course_lib.lab.errors import ProcessDied
from course_lib.lab.network import NEVER
from course_lib.lab.redis_scripts import KeptScripts
from course_lib.lab.turn import TURN

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["Servers", "Socket"]


def _modules(names: str) -> list[Any]:
    return [importlib.import_module(f"fakeredis.{name}") for name in names.split()]


READ_THE_CLOCK = _modules(
    "_core._server _helpers _socket._base commands_mixins.connection_mixin "
    "commands_mixins.server_mixin model._client_info model._stream model._topk"
)
THROW_DICE = _modules(
    "_core._database commands_mixins.hash_mixin commands_mixins.sortedset_mixin "
    "model._expiring_members_set model._topk"
)
ACCESS: Any = importlib.import_module("fakeredis.model._acl")
_commands_of = functools.cache(ACCESS.get_commands_by_category)


class VirtualClock:
    """Stands in for `time` and `random` inside fakeredis, for the length of a `with`."""

    def __init__(self, world: World):
        self.time = self.monotonic = world.time
        self.dice = world.part("redis dice", lambda: real_random.Random(world.seed + 2))

    def __enter__(self) -> None:
        TURN.acquire()
        for module in READ_THE_CLOCK:
            module.time = self
        for module in THROW_DICE:
            module.random = self.dice

    def __exit__(self, *error: object) -> None:
        for module in READ_THE_CLOCK:
            module.time = real_time
        for module in THROW_DICE:
            module.random = real_random
        TURN.release()


@contextmanager
def _categories_looked_up_once() -> Iterator[None]:
    """Each new server goes through all commands to find those that its first user may run."""
    ACCESS.get_commands_by_category = _commands_of
    try:
        yield
    finally:
        ACCESS.get_commands_by_category = _commands_of.__wrapped__


class _InOrder(dict[Any, None]):
    """A set that keeps the order in which its members came."""

    def add(self, member: Any) -> None:
        self[member] = None

    def remove(self, member: Any) -> None:
        del self[member]


class Servers:
    """All Redis servers of a world, and the connections that they hold."""

    def __init__(self, world: World):
        self.world = world
        self.clock = VirtualClock(world)
        self._servers: dict[str, fakeredis.FakeServer] = {}
        self._scripts: dict[fakeredis.FakeServer, KeptScripts] = {}
        self.numbers = itertools.count(1)
        # By number, for an order that is the same in every run.
        self._sockets: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()
        world.on_stop(self._stopped)
        world.on_death(self._died)

    def get(self, name: str) -> fakeredis.FakeServer:
        """The server of this name, made at first use."""
        if name not in self._servers:
            with self.clock, _categories_looked_up_once():
                self._servers[name] = fakeredis.FakeServer()
        return self._servers[name]

    def scripts(self, server: fakeredis.FakeServer, runtime: Any) -> KeptScripts:
        """The server's Lua runtime, with what it has compiled so far."""
        return self._scripts.setdefault(server, KeptScripts(runtime))

    def connect(self, who: str, name: str, db: int, client_info: Any) -> Socket:
        """The server's end of a new connection of node `who`."""
        with self.clock:
            socket = Socket(self, who, name, db, client_info)
        self._sockets[socket.fileno()] = socket
        return socket

    def _stopped(self, node: str) -> None:
        for socket in list(self._sockets.values()):
            if socket.target == node:
                socket.break_off(redis.asyncio.ConnectionError(f"{node} closed the connection"))

    def _died(self, node: str) -> None:
        self._stopped(node)
        for socket in list(self._sockets.values()):
            if socket.who == node:
                socket.break_off(ProcessDied(f"{node} died"))


class Socket(AsyncFakeSocket):
    """The server's end of a connection: applies commands, and pushes what nobody asked for.

    Messages of a subscription and answers that a command waited for travel like any other message.
    Once one is lost, so is all that follows, as on a broken connection.
    """

    def __init__(self, servers: Servers, who: str, target: str, db: int, client_info: Any):
        self._number = next(servers.numbers)
        super().__init__(
            servers.get(target), db, client_class=redis.asyncio.Redis, client_info=client_info
        )
        self.who, self.target = who, target
        self._scripts = servers.scripts
        self._world, self._clock = servers.world, servers.clock
        self._answers: list[Any] | None = None
        self._gone = False
        self._blocked_command: asyncio.Task[Any] | None = None
        self._last_arrival = 0.0
        # Who has waited longest is served first, as in Redis, and not by place in memory.
        if not isinstance(self._db._change_callbacks, _InOrder):
            self._db._change_callbacks = _InOrder()  # type: ignore[assignment]

    def __hash__(self) -> int:
        """A number of the world's own, so that sets of sockets have one order in every run."""
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other

    def apply(self, chunks: list[Any]) -> list[Any]:
        """Run the commands in these bytes now; gives the answers, none for one that waits."""
        answers: list[Any] = []
        self._answers = answers
        try:
            with self._clock:
                for chunk in chunks:
                    self.sendall(chunk)
        finally:
            self._answers = None
        return answers

    def _get_server_runtime(self, server: fakeredis.FakeServer) -> Any:
        return self._scripts(server, super()._get_server_runtime(server))

    def put_response(self, msg: Any) -> None:
        """Called by fakeredis with each answer and each message of a subscription."""
        if self._answers is not None:
            self._answers.append(msg)
        elif not self._gone:
            self._push(msg)

    def deliver(self, answers: list[Any]) -> None:
        """Let the client's end read these."""
        for answer in answers:
            super().put_response(answer)

    def _push(self, msg: Any) -> None:
        travel = self._world.travel(self.target, self.who)
        if travel == NEVER:
            self._gone = True
            return
        loop = asyncio.get_running_loop()
        self._last_arrival = max(self._last_arrival, loop.time() + travel)
        if self._last_arrival == loop.time():
            self.deliver([msg])
        else:
            loop.call_at(self._last_arrival, self.deliver, [msg])

    def break_off(self, error: BaseException) -> None:
        """Let whoever reads on this connection get the error."""
        if not self._gone:
            self.hang_up()
            self.deliver([error])

    def hang_up(self) -> None:
        """The client has left: a command that waits for it must not take anything any more."""
        self._gone = True
        if self._blocked_command is not None:
            self._blocked_command.cancel()
        if self._server is not None:
            self._cleanup(self._server)

    # Commands that wait, such as BLPOP

    def _blocking(
        self,
        timeout: float | None,
        func: Callable[[bool], Any],
        shape: Callable[[Any], Any] | None = None,
    ) -> Any:
        if self._gone:
            return None if shape is None else shape(None)
        return super()._blocking(timeout, func, shape)

    async def _async_blocking(
        self,
        timeout: float | None,  # noqa: ASYNC109
        func: Callable[[bool], Any],
        event: asyncio.Event,
        callback: Callable[[], None],
        shape: Callable[[Any], Any] | None = None,
    ) -> None:
        def try_again(first: bool) -> Any:
            with self._clock:
                self._db.time = self._world.time()
                return func(first)

        self._blocked_command = task = asyncio.current_task()
        assert task is not None
        task.set_name(f"{self.target}, for {self.who}")
        if self._gone:  # the client left before this task had its first turn
            task.cancel()
        await super()._async_blocking(timeout, try_again, event, callback, shape)

    def _xreadgroup(self, *given: Any) -> Any:
        """A group's read: fakeredis's first look takes what is there and answers nothing.

        And it stops waiting at any change of any key. None lets it wait on.
        """
        look: Any = super()._xreadgroup
        return look(*given[:-1], False) or None

    def _xreadgroup_reply(self, res: Any) -> Any:
        return super()._xreadgroup_reply(res or {})

    def resume(self) -> None:
        with self._clock:
            super().resume()
