"""The browser's half as one ES module: the files of `js/` joined, because a widget has no bundler.

Each file is a module of its own, so that `node --test` can import it. Joined, their imports of one
another (lines that start with `import` and name `"./...js"`) are dropped, as all names are then in
one scope.
"""

import re
from pathlib import Path

__all__ = ["module", "style"]

HERE = Path(__file__).parent
PLAYER = (
    *("scale", "state", "layout", "draw", "lanes", "charts", "sequence", "states", "cells"),
    *("player", "main"),
)
LOCAL_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)


def module(*names: str) -> str:
    """The named files of `js/` in order, as the text of one module.

    >>> "import" in module("scale")
    False
    """
    texts = [(HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return "\n".join(LOCAL_IMPORT.sub("", text) for text in texts)


def style() -> str:
    """The style sheet of everything in `course_lib.show`."""
    return (HERE / "player.css").read_text(encoding="utf-8")
