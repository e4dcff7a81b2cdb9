"""A deploy, as a process sees it: SIGTERM, and some seconds until it must be gone.

Servers answer SIGTERM by closing sockets at once, and by waiting for streams that never end. Here
the clients are sent away first, over some seconds, while the server goes on; then it stops.
"""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import Any

from course_lib.systems.realtime_notifications.hub import Hub

__all__ = ["drain_on_sigterm"]


def drain_on_sigterm(hub: Hub, over: float) -> None:
    """Let SIGTERM drain the hub over so many seconds, and only then reach the server's handler.

    Called in the main thread, while the server runs. A second SIGTERM does not wait.
    """
    loop = asyncio.get_running_loop()
    server: Any = signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        if callable(server):
            server(signal.SIGTERM, None)

    def drain() -> None:
        draining = loop.create_task(hub.drain(over))
        draining.add_done_callback(lambda _: stop())

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, server)
        loop.call_soon_threadsafe(drain)

    signal.signal(signal.SIGTERM, handle)
