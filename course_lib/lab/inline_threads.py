"""While virtual time runs, functions meant for a thread run inline.

FastAPI hands plain `def` endpoints and dependencies to anyio's worker threads. A thread would race
with the virtual clock, so here anyio calls them in the loop's own turn, as `asyncio.to_thread` does
on a VirtualLoop. A function that waits for another thread would hang; virtual time has nothing to
offer it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

__all__ = ["threads_run_inline"]


async def _run_inline(
    cls: type, func: Callable[..., Any], args: tuple[Any, ...], *options: Any, **more: Any
) -> Any:
    await asyncio.sleep(0)
    return func(*args)


@contextmanager
def threads_run_inline() -> Iterator[None]:
    """Let anyio run its worker threads' functions inline, and put everything back afterwards."""
    original = vars(AsyncIOBackend)["run_sync_in_worker_thread"]
    AsyncIOBackend.run_sync_in_worker_thread = classmethod(_run_inline)  # type: ignore[assignment]
    try:
        yield
    finally:
        AsyncIOBackend.run_sync_in_worker_thread = original  # type: ignore[method-assign]
