"""A Redis client as a handle: the learner's redis-py talks, commands travel as lists of words.

Each connection of the learner's client has one of the judge's, from the client that the check
made. So pipelines, transactions, WATCH, scripts and time-outs are what they are in a notebook.
"""

from typing import Any

from redis.exceptions import RedisError

from course_lib.grading.protocol.values import NotSendable

__all__ = ["Redis"]


class Redis:
    """One client that a check hands to a learner."""

    def __init__(self, client: Any) -> None:
        self._pool = client.connection_pool
        self._connections: dict[int, Any] = {}

    def options(self) -> dict[str, object]:
        """How the learner's double encodes and decodes."""
        settings = self._pool.connection_kwargs
        names = ("decode_responses", "protocol", "encoding", "encoding_errors")
        return {name: settings[name] for name in names if name in settings}

    def ask(self, payload: Any) -> object:
        """Nothing about Redis is known without waiting."""
        raise NotSendable("a Redis command that does not wait")

    async def effect(self, payload: Any) -> object:
        """Send commands over a connection, or wait for one more answer on it."""
        match payload:
            case ["send", int(number), list(commands)] if commands and all(map(_words, commands)):
                return await self._send(await self._connection(number), commands)
            case ["read", int(number), None | int() | float() as patience]:
                return await _answer(await self._connection(number), timeout=patience)
        raise NotSendable("a Redis request of no known form")

    async def _connection(self, number: int) -> Any:
        if number not in self._connections:
            if len(self._connections) >= 200:
                raise NotSendable("more than 200 connections to Redis")
            self._connections[number] = await self._pool.get_connection()
        return self._connections[number]

    async def _send(self, connection: Any, commands: list[list[bytes]]) -> list[object]:
        if len(commands) == 1:
            await connection.send_command(*commands[0])
        else:
            await connection.send_packed_command(connection.pack_commands(commands))
        return [await _answer(connection) for _ in commands]


def _words(command: Any) -> bool:
    return type(command) is list and bool(command) and all(type(w) is bytes for w in command)


async def _answer(connection: Any, **patience: Any) -> object:
    """An error that Redis answers is an answer; one of the connection is raised."""
    try:
        return await connection.read_response(**patience)
    except RedisError as error:
        if not connection.is_connected:
            raise
        return error
