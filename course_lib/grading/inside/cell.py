"""The learner's cell, run for its definitions, as the kernel of a notebook would run it.

Before it come the imports and definitions of our own notebook's cells. A statement that fails ends
the cell; what it defined before that stays. Left out: the other cells' results.
"""

import ast
import asyncio
import inspect
from typing import Any

from course_lib.exercises.attempt import LocalAttempt
from course_lib.grading.inside.learner import Learner
from course_lib.grading.inside.lines import Lines

__all__ = ["main", "run_cell"]

CELL = "<your cell>"


def main(reader: int, writer: int) -> None:
    """Serve one judge over two pipes."""
    lines = Lines(reader, writer)
    hello = lines.receive()
    scope: dict[str, Any] = {"__name__": "__main__"}
    for source in hello["prelude"]:
        run_cell(source, scope, "<the notebook>")
    failed = run_cell(hello["source"], scope, CELL)
    name = hello["name"]
    lines.send({"found": name in scope, "failed": failed})
    Learner(lines, LocalAttempt(scope.get(name), name)).serve(lines.receive())


def run_cell(source: str, scope: dict[str, Any], file: str) -> str:
    """Run one cell in a scope; return what went wrong in a few words, empty when nothing did."""
    try:
        code = compile(source, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, scope))
        else:
            exec(code, scope)
    except SyntaxError as error:
        return f"SyntaxError in line {error.lineno}"
    except BaseException as error:
        return f"{type(error).__name__[:60]}"
    return ""
