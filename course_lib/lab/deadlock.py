"""What each task waits for, in words: the report of a deadlock on virtual time.

Follows a task's chain of awaits down to the innermost one. Leaves out who could have woken it: a
lock does not know its holder. Tasks without a name of their own go by that of their coroutine,
because asyncio's Task-7 counts every task of the process.
"""

from __future__ import annotations

import asyncio
import linecache
import re
from collections import Counter
from collections.abc import Iterable
from types import CodeType
from typing import Any

__all__ = ["by_age", "describe_waiting_tasks"]

DEFAULT_NAME = re.compile(r"Task-(\d+)")
PLAINLY = {
    "TaskGroup.__aexit__": "the tasks of its TaskGroup",
    "sleep": "an endless sleep",
}
Task = asyncio.Task[Any]


def by_age(tasks: Iterable[Task]) -> list[Task]:
    """The tasks in the order in which they were created; those with a name of their own go last."""

    def age(task: Task) -> tuple[int, int, str]:
        number = DEFAULT_NAME.fullmatch(task.get_name())
        return (0, int(number[1]), "") if number else (1, 0, task.get_name())

    return sorted(tasks, key=age)


def describe_waiting_tasks(tasks: Iterable[Task], now: float) -> str:
    """One line a task: its name, what it awaits, and the line of code where it stands."""
    in_order = by_age(tasks)
    names = _names(in_order)
    head = f"Deadlock at {now:g} s of virtual time: every task waits, and no timer is set."
    return "\n".join([head, *(f"  {_describe(task, names)}" for task in in_order)])


def _names(tasks: list[Task]) -> dict[Task, str]:
    """A name for each task; those that share one are numbered."""
    plain = {task: _name(task) for task in tasks}
    shared, seen = Counter(plain.values()), Counter[str]()
    names = {}
    for task, name in plain.items():
        seen[name] += 1
        names[task] = f"{name} ({seen[name]})" if shared[name] > 1 else name
    return names


def _name(task: Task) -> str:
    if not DEFAULT_NAME.fullmatch(task.get_name()):
        return task.get_name()
    name = getattr(task.get_coro(), "__qualname__", "a task").rpartition("<locals>.")[2]
    return "this cell" if name.endswith(".run_cell_async") else name


def _describe(task: Task, names: dict[Task, str]) -> str:
    chain = _await_chain(task.get_coro())
    if not chain:
        return f"{names[task]} has not started"
    own = [link for link in chain if not _is_library(link[0])] or chain[:1]
    code, line = own[-1]
    where = f"line {line}: {linecache.getline(code.co_filename, line).strip()}".removesuffix(": ")
    return f"{names[task]} waits for {_awaited(task, names, chain, own[-1])}, {where}"


def _awaited(
    task: Task,
    names: dict[Task, str],
    chain: list[tuple[CodeType, int]],
    own: tuple[CodeType, int],
) -> str:
    future = getattr(task, "_fut_waiter", None)
    if isinstance(future, asyncio.Task):
        return f"the task {names.get(future) or _name(future)}"
    children = getattr(future, "_children", None)
    if children:
        return f"a gather of {_listed([names.get(child, 'a future') for child in children])}"
    innermost = chain[-1][0].co_qualname
    nobody = "a future that nobody completes"
    return PLAINLY.get(innermost, nobody if chain[-1] is own else innermost)


def _listed(names: list[str], longest: int = 5) -> str:
    more = len(names) - longest
    return ", ".join(names[:longest]) + (f" and {more} more" if more > 0 else "")


def _await_chain(awaited: Any) -> list[tuple[CodeType, int]]:
    """The (code, line) of each suspended coroutine, outermost first."""
    chain: list[tuple[CodeType, int]] = []
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None and getattr(awaited, "cr_suspended", True):
            chain.append((frame.f_code, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return chain


def _is_library(code: CodeType) -> bool:
    path = code.co_filename.replace("\\", "/")
    return any(part in path for part in ("/asyncio/", "/site-packages/", "/course_lib/lab/"))
