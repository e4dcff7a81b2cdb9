"""The world's Redis: redis-py clients whose commands travel through the world, each one effect.

Commands sent as one pipeline or transaction arrive together and count as one effect. Leaves out
clusters, the greeting of a new connection, and the time that a command takes to run.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import redis.asyncio
from fakeredis.aioredis import FakeAsyncRedisConnection, FakeReader, FakeWriter
from redis.client import CaseInsensitiveDict

from course_lib.lab.redis_commands import Command, in_words, readable, touched, unpack
from course_lib.lab.redis_server import Servers, Socket

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["client"]

# Errors that a server sends as an answer: the connection is fine.
ANSWERS = (redis.ResponseError, redis.AuthenticationError)


def client(world: World, who: str, server: str, options: dict[str, Any]) -> redis.asyncio.Redis:
    """A redis-py client whose connections go through the world."""
    servers = world.part("redis", lambda: Servers(world))
    # A pool without a retry policy makes connections that do not retry.
    settings: dict[str, Any] = {
        "decode_responses": True,
        "protocol": 2,
        "socket_timeout": None,
        **options,
    }
    pool = redis.asyncio.ConnectionPool(
        connection_class=_Connection,
        servers=servers,
        server=servers.get(server),
        who=who,
        target=server,
        **settings,
    )
    return _Client.on_pool(pool)


class _Client(redis.asyncio.Redis):
    _models: ClassVar[dict[Any, _Client]] = {}

    @classmethod
    def on_pool(cls, pool: redis.asyncio.ConnectionPool) -> _Client:
        """A client like the first one with these options.

        Building its table of callbacks anew would take most of the time of a short run, and
        `explore` makes thousands of those.
        """
        settings = pool.connection_kwargs
        kind = settings.get("protocol"), settings.get("legacy_responses", True)
        if kind not in cls._models:
            cls._models[kind] = model = cls(connection_pool=pool)
            model.connection_pool = None  # type: ignore[assignment]
            model.auto_close_connection_pool = True  # as Redis.from_pool does
        client = cls.__new__(cls)
        for name, value in vars(cls._models[kind]).items():
            setattr(client, name, asyncio.Lock() if isinstance(value, asyncio.Lock) else value)
        client.connection_pool = pool
        client.response_callbacks = CaseInsensitiveDict({})
        dict.update(client.response_callbacks, cls._models[kind].response_callbacks)
        return client

    def __repr__(self) -> str:
        settings = self.connection_pool.connection_kwargs
        return f"<Redis client of {settings['who']} on {settings['target']}>"


class _Connection(FakeAsyncRedisConnection):
    """The client's end of a connection."""

    def __init__(self, *, servers: Servers, who: str, target: str, **settings: Any):
        super().__init__(**settings)
        self.world, self.servers = servers.world, servers
        self.who, self.target = who, target
        self._sock: Socket | None = None  # type: ignore[assignment]

    async def _connect(self) -> None:
        self._sock = self.servers.connect(self.who, self.target, int(self.db), self._client_info)
        # redis-py takes a connection with a reader and a writer for connected.
        self._reader = FakeReader(self._sock)
        self._writer = FakeWriter(self._sock)

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """No greeting: HELLO and CLIENT SETINFO would be effects that no lesson is about."""
        self._parser.on_connect(self)  # type: ignore[no-untyped-call]

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Hang up, at once."""
        self._close()

    def _close(self) -> None:
        if self._sock is not None:
            self._sock.hang_up()
        self._sock = self._reader = self._writer = None

    # Sending

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        await self._send([args], list(self.pack_command(*args)))

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        chunks = [command] if isinstance(command, (bytes, str)) else list(command)
        await self._send(list(unpack(chunks)), chunks)

    async def _send(self, commands: list[Command], chunks: list[Any]) -> None:
        if self._sock is None:
            await self.connect()  # type: ignore[no-untyped-call]
        assert self._sock is not None
        # Kept: the request arrives even if this connection is closed meanwhile.
        socket = self._sock
        try:
            answers = await self._in_time(self._effect(socket, commands, chunks))
        except BaseException:
            # The answer may still come: a connection in that state must not serve the next command.
            self._close()
            raise
        socket.deliver(answers)

    async def _effect(self, socket: Socket, commands: list[Command], chunks: list[Any]) -> Any:
        keys, writes = touched(commands)
        return await self.world.effect(
            self.who,
            self.target,
            "; ".join(map(in_words, commands)),
            lambda: socket.apply(chunks),
            refuse=redis.asyncio.ConnectionError,
            keys=keys,
            writes=writes,
            shown=lambda answers: readable(answers, commands[-1]),
        )

    async def _in_time(self, waiting: Any) -> Any:
        if self.socket_timeout is None:
            return await waiting
        try:
            async with asyncio.timeout(self.socket_timeout):
                return await waiting
        except TimeoutError:
            raise self._no_answer() from None

    def _no_answer(self) -> Exception:
        text = f"{self.target} did not answer within {self.socket_timeout:g} s"
        return redis.asyncio.TimeoutError(text)

    # Reading

    async def read_response(  # type: ignore[override]
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
    ) -> Any:
        """The next answer; with `timeout` None if there is none by then, as redis-py does."""
        if self._sock is None:
            raise redis.asyncio.ConnectionError(f"not connected to {self.target}")
        try:
            answer = await self._next_answer(self._sock, timeout)
        except BaseException as error:
            if disconnect_on_error or isinstance(error, redis.asyncio.ConnectionError):
                self._close()
            raise
        if isinstance(answer, ANSWERS):
            raise answer
        return answer if disable_decoding else self._decode(answer)

    async def _next_answer(self, socket: Socket, wait: float | None) -> Any:
        responses = socket.responses
        assert responses is not None
        answer = await self._wait(responses, wait) if responses.empty() else responses.get_nowait()
        if isinstance(answer, BaseException) and not isinstance(answer, ANSWERS):
            raise answer
        return answer

    async def _wait(self, responses: asyncio.Queue[Any], wait: float | None) -> Any:
        """Here only messages and commands that wait come by; other answers are there already."""
        patience = self.socket_timeout if wait is None else wait
        try:
            async with asyncio.timeout(None if patience == math.inf else patience):
                return await responses.get()
        except TimeoutError:
            if wait is not None:
                return None
            raise self._no_answer() from None
