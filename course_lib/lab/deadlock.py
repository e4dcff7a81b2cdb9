"""What each task waits for, in words: the report of a deadlock on virtual time.

Follows a task's chain of awaits down to the innermost one. Leaves out who could have woken it: a
lock does not know its holder.
"""

from __future__ import annotations

import asyncio
import linecache
from collections.abc import Iterable
from types import CodeType
from typing import Any

__all__ = ["describe_waiting_tasks"]


def describe_waiting_tasks(tasks: Iterable[asyncio.Task[Any]], now: float) -> str:
    """One line a task: its name, what it awaits, and the line of code where it stands."""
    lines = sorted(f"  {_describe(task)}" for task in tasks)
    head = f"Deadlock at {now:g} s of virtual time: every task waits, and no timer is set."
    return "\n".join([head, *lines])


def _describe(task: asyncio.Task[Any]) -> str:
    chain = _await_chain(task.get_coro())
    if not chain:
        return f"{task.get_name()} has not started"
    own = [link for link in chain if not _is_library(link[0])] or chain[:1]
    code, line = own[-1]
    waits_for = f"{chain[-1][0].co_qualname}" if chain[-1] is not own[-1] else "a future"
    text = linecache.getline(code.co_filename, line).strip()
    return f"{task.get_name()} waits for {waits_for} in {code.co_qualname}, line {line}: {text}"


def _await_chain(awaited: Any) -> list[tuple[CodeType, int]]:
    """The (code, line) of each suspended coroutine, outermost first."""
    chain: list[tuple[CodeType, int]] = []
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            chain.append((frame.f_code, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return chain


def _is_library(code: CodeType) -> bool:
    path = code.co_filename.replace("\\", "/")
    return "/asyncio/" in path or "/site-packages/" in path or "/course_lib/lab/" in path
