"""Real servers for real clients: uvicorn processes and a Redis, on loopback and in a folder."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from course_lib.systems.realtime_notifications import RedisLog

REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
APP = "course_lib.systems.realtime_notifications:from_environment"
IN_TIME = 240  # seconds; a bound for a machine under load, not a measurement


class Servers:
    """uvicorn processes that share one listening socket, as a balancer would spread clients."""

    def __init__(self, redis_url: str, **settings: float):
        self.redis_url = redis_url
        self.environment = {**os.environ, "REDIS_URL": redis_url}
        self.environment |= {name: str(value) for name, value in settings.items()}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/notifications"
        self.processes: list[subprocess.Popen[str]] = []
        self.listening: list[threading.Thread] = []
        self.errors: list[str] = []

    def start(self) -> subprocess.Popen[str]:
        """Start one more server, and give it when it is ready."""
        fd = self.socket.fileno()
        command = [sys.executable, "-m", "uvicorn", "--factory", APP, "--fd", str(fd)]
        command += ["--no-access-log"]
        process = subprocess.Popen(
            command, env=self.environment, pass_fds=[fd], stderr=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        said: list[str] = []
        ready = threading.Event()
        self.listening.append(
            threading.Thread(target=self._listen, args=(process, said, ready), daemon=True)
        )
        self.listening[-1].start()
        assert ready.wait(IN_TIME), "".join(said)
        return process

    def _listen(self, process: Any, said: list[str], ready: threading.Event) -> None:
        """Read what a server says to its end: a full pipe would stop it."""
        for line in process.stderr:
            said.append(line)
            if "running on" in line:
                ready.set()
        self.errors += [line for line in said if "Error" in line]

    def log(self) -> RedisLog:
        """The log that they follow."""
        return RedisLog(Redis.from_url(self.redis_url, decode_responses=True))

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            process.kill()
            process.wait()
        for thread in self.listening:
            thread.join()
        self.socket.close()


@contextmanager
def servers(folder: Path, count: int = 2, **settings: float) -> Iterator[Servers]:
    """A Redis of our own and so many servers on it, ready to answer."""
    options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([REDIS or "", *options], stdout=subprocess.PIPE, text=True) as redis:
        assert redis.stdout
        ready = (line for line in redis.stdout if re.search("ready to accept", line, re.I))
        assert next(ready, None), "redis-server did not start"
        running = Servers(f"unix://{folder / 'redis.sock'}", **settings)
        try:
            for _ in range(count):
                running.start()
            yield running
        finally:
            running.end()
            redis.terminate()


def in_time(scenario: Any) -> Any:
    """Run a scenario on a real loop, within a bound."""

    async def bounded() -> Any:
        async with asyncio.timeout(IN_TIME):
            return await scenario

    return asyncio.run(bounded())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds: for what tells nobody when it changes."""
    while not await condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def stop(process: subprocess.Popen[str]) -> int:
    """Ask a server to stop, as a deploy does, and give its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(IN_TIME)
