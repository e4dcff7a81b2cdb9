"""The whole of it in a world: queue, service, log on Redis, several servers, clients."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

from course_lib.lab import World
from course_lib.systems import realtime_notifications as rt

__all__ = ["Stack", "buyer"]


def buyer(event: dict[str, str]) -> Iterable[rt.Told]:
    """Whom an event concerns: the buyer of the order."""
    yield rt.Told(event["buyer"], event["text"], event.get("order", ""))


class Stack:
    """Servers named server-1, server-2 and so on, one worker, and the queue of an API server.

    `options` are those of each server's Hub.
    """

    def __init__(
        self,
        world: World,
        servers: int = 2,
        notify: Callable[[dict[str, str]], Iterable[rt.Told]] = buyer,
        **options: Any,
    ):
        self.world = world
        self.hubs: dict[str, rt.Hub] = {}
        self.queue = rt.EventQueue(world.redis("api"))
        redis = world.redis("worker")
        self.worker = rt.Worker(rt.EventQueue(redis), rt.RedisLog(redis), notify)
        self.tasks = [asyncio.ensure_future(self.worker.run())]
        for number in range(1, servers + 1):
            self._serve(f"server-{number}", {"random": random.Random(number), **options})

    def _serve(self, name: str, options: dict[str, Any]) -> None:
        redis = self.world.redis(name)
        hub, presence = rt.Hub(rt.RedisLog(redis), **options), rt.Presence(redis, name)
        self.hubs[name] = hub
        self.world.serve(name, rt.create_app(hub, presence))
        # On a real port the app's own lifespan starts these two.
        self.tasks += [asyncio.ensure_future(each.run()) for each in (hub, presence)]

    async def tell(self, text: str, user: str = "ann") -> str:
        """What an API server does when something has happened."""
        return await self.queue.put({"buyer": user, "text": text})

    def client(
        self, transport: str, server: str = "server-1", state: rt.Comeback | None = None, **how: Any
    ) -> AsyncGenerator[rt.Message, None]:
        """A client of user ann on the node named after its transport."""
        state = state or rt.Comeback(random.Random(7))
        who, query = transport, "user=ann"
        base = f"http://{server}/notifications"
        match transport:
            case "polling":
                return rt.poll(self.world.http(who), f"{base}?{query}", how.get("every", 5), state)
            case "long polling":
                wait = how.get("wait", 25)
                return rt.long_poll(self.world.http(who), f"{base}?{query}", wait, state)
            case "SSE":
                silence = how.get("silence", 45)
                return rt.event_source(
                    self.world.http(who), f"{base}/stream?{query}", state, silence
                )
        socket = f"ws://{server}/notifications/socket?{query}"
        return rt.web_socket(lambda url: self.world.websocket(who, url), socket, state)

    async def hear(
        self, messages: AsyncGenerator[rt.Message, None], heard: list[tuple[float, str]]
    ) -> None:
        """Write down when each message came, in seconds, and its data."""
        async with aclosing(messages) as coming:
            async for message in coming:
                heard.append((round(self.world.now, 3), message.data))

    def hear_on(
        self, messages: AsyncGenerator[rt.Message, None], heard: list[tuple[float, str]]
    ) -> None:
        """The same in the background, until `close`."""
        self.tasks.append(asyncio.ensure_future(self.hear(messages, heard)))

    def close(self) -> None:
        """End the servers and the worker."""
        for task in self.tasks:
            task.cancel()
