"""A redis-py client whose connections end at the judge.

Everything above the connection is redis-py's own: pipelines, scripts, locks, decoding of answers.
"""

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["redis_client"]


def redis_client(learner: "Learner", number: int, options: dict[str, Any]) -> "redis.asyncio.Redis":
    """Return a client that stands for the judge's handle of that number."""
    kind = type(
        "JudgesConnection", (_Connection,), {"learner": learner, "handle": number, "opened": 0}
    )
    settings = {**options, "retry": Retry(NoBackoff(), 0)}
    pool = redis.asyncio.ConnectionPool(connection_class=kind, **settings)
    return redis.asyncio.Redis.from_pool(pool)


class _Connection(AbstractConnection):
    """One connection; its number tells the judge which of its own to use."""

    learner: "Learner"
    handle: int
    opened = 0

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._number = 0
        self._answers: deque[Any] = deque()

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return [("handle", self.handle)]

    @property
    def is_connected(self) -> bool:
        return self._number > 0

    async def connect(self) -> None:
        if not self._number:
            type(self).opened += 1
            self._number = type(self).opened

    async def disconnect(self, *given: Any, **options: Any) -> None:
        self._close()

    def _close(self) -> None:
        self._number = 0
        self._answers = deque()

    def pack_command(self, *args: Any) -> list[Any]:
        """Return the command as words; it is packed at the other end."""
        head = args[0].encode() if isinstance(args[0], str) else args[0]
        words = [*head.split(), *args[1:]] if b" " in head else [head, *args[1:]]
        encode: Any = self.encoder.encode
        return [[bytes(encode(word)) for word in words]]

    def pack_commands(self, commands: Any) -> list[Any]:
        return [self.pack_command(*command)[0] for command in commands]

    async def send_command(self, *args: Any, **options: Any) -> None:
        await self.send_packed_command(self.pack_command(*args))

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        await self.connect()
        try:
            request = ["send", self._number, command]
            self._answers.extend(await self.learner.effect(self.handle, request))
        except BaseException:
            self._close()  # an answer may still come: this connection must not serve another
            raise

    async def can_read_destructive(self) -> bool:
        return bool(self._answers)

    async def can_read(self) -> bool:
        return bool(self._answers)

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109
        **options: Any,
    ) -> Any:
        if not self._answers:
            patience = None if timeout == math.inf else timeout
            request = ["read", self._number, patience]
            self._answers.append(await self.learner.effect(self.handle, request))
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer
