"""Shows code from its source file, so that a notebook never repeats it.

Each piece has a caption with its file and lines. It strips nothing: docstrings and comments are
part of what there is to read.
"""

import inspect
import textwrap
from pathlib import Path
from typing import Any

from course_lib.show.markdown import Markdown, escaped, fence

__all__ = ["source"]

ROOT = Path(__file__).parents[2]


def _member(thing: Any, only: str | None) -> Any:
    if only is None:
        return thing
    if not hasattr(thing, only):
        raise ValueError(f"{thing.__name__} has no part named {only}.")
    found = inspect.getattr_static(thing, only)
    return found.fget if isinstance(found, property) else getattr(thing, only)


def _lines(thing: Any) -> tuple[str, int, int]:
    try:
        lines, first = inspect.getsourcelines(thing)
    except (OSError, TypeError) as error:
        name = getattr(thing, "__name__", type(thing).__name__)
        raise ValueError(
            f"The source of {name} cannot be found; pass a class or function."
        ) from error
    return textwrap.dedent("".join(lines)), max(first, 1), max(first, 1) + len(lines) - 1


def _place(thing: Any) -> str:
    """The file relative to the repository; elsewhere, the module and no path."""
    path = Path(inspect.getsourcefile(thing) or "").resolve()
    if path.is_relative_to(ROOT) and path.suffix == ".py" and ".venv" not in path.parts:
        return path.relative_to(ROOT).as_posix()
    module = getattr(thing, "__module__", "__main__")
    return "this notebook" if module == "__main__" else f"module {module}"


def _piece(thing: Any) -> tuple[str, str]:
    code, first, last = _lines(thing)
    here = (
        f"{_place(thing)}, line {first}"
        if first == last
        else f"{_place(thing)}, lines {first} to {last}"
    )
    return here, code


def _shown(pieces: list[tuple[str, str]], language: str) -> Markdown:
    markdown = "\n\n".join(
        f"{fence(code, language)}\n\n*{escaped(caption)}*" if caption else fence(code, language)
        for caption, code in pieces
    )
    plain = "\n\n".join(
        f"# {caption}\n{code}".rstrip() if caption else code.rstrip() for caption, code in pieces
    )
    return Markdown(markdown, plain)


class _Source:
    """Callable, with `code` for text that is not Python."""

    def __call__(self, *things: Any, only: str | None = None) -> Markdown:
        """The source of classes, functions or modules; `only` names one method of each.

        >>> "def escaped" in repr(source(escaped))
        True
        """
        if not things:
            raise ValueError("Name at least one class or function to show.")
        return _shown([_piece(_member(thing, only)) for thing in things], "python")

    def code(self, text: str, language: str = "", caption: str = "") -> Markdown:
        """`text` as a highlighted block, for instance a Lua script.

        >>> source.code("return 1", "lua")
        return 1
        """
        return _shown([(caption, textwrap.dedent(text).strip("\n"))], language)


source = _Source()
