"""Our own notebooks, as the grader uses them: which exercises they hold, and what comes before.

Left out: everything that a submission brings.
"""

import ast
import copy
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course_lib.exercises.exercise import Exercise
from course_lib.exercises.registry import of_chapter
from course_lib.grading.errors import CannotStart
from course_lib.grading.sandbox.boundary import COURSE

__all__ = ["Chapter", "Course"]

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FOR_CELLS = ("course_lib.grading.inside.cell", "fakeredis")
FOR_NOTEBOOKS = (
    "course_lib.grading.inside.notebook",
    "course_lib.lab.http_part",
    "course_lib.lab.redis_part",
    "course_lib.lab.sql_part",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "jupyter_client.asynchronous",
    "nbclient",
    "tornado.platform.asyncio",
)


@dataclass(frozen=True)
class Chapter:
    """One notebook of ours: its name without the ending, its exercises, its cells."""

    name: str
    exercises: tuple[Exercise, ...]
    notebook: dict[str, Any]

    def spliced(self, sources: dict[str, str]) -> dict[str, Any]:
        """Return our notebook with the learner's cells in place of the stubs, without outputs."""
        notebook = copy.deepcopy(self.notebook)
        notebook["metadata"] = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
        for cell in notebook["cells"]:
            tags = _tags(cell)
            if cell["cell_type"] != "code":
                continue
            for name in [tag.removeprefix("exercise:") for tag in tags]:
                cell["source"] = sources.get(name, cell["source"])
            cell |= {"outputs": [], "execution_count": None}
            cell["metadata"] = {"tags": [*tags, "raises-exception"]}
        return notebook

    @cached_property
    def preludes(self) -> dict[str, list[str]]:
        """For each exercise, the imports and definitions of the cells above its own."""
        found: dict[str, list[str]] = {}
        above: list[str] = []
        for cell in self.notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            ids = [tag.removeprefix("exercise:") for tag in _tags(cell) if ":" in tag]
            found |= {name: list(above) for name in ids}
            if not ids:
                above += _definitions(_source(cell), "parameters" in _tags(cell))
        return found

    @cached_property
    def modules(self) -> set[str]:
        """The modules that the notebook's cells import."""
        cells = [c for c in self.notebook["cells"] if c["cell_type"] == "code"]
        return {name for cell in cells for name in _imported(_source(cell))}

    @property
    def draws_seed(self) -> bool:
        """Whether the cell tagged `parameters` has a seed to draw."""
        cells = [c for c in self.notebook["cells"] if "parameters" in _tags(c)]
        return any("seed" in _assigned(_source(cell)) for cell in cells)


_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class Course:
    """All chapters whose notebook is in a folder; those with exercises can be graded."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or COURSE.parent / "notebooks"
        if not self.folder.is_dir():
            raise CannotStart(f"There is no folder {self.folder}: name it with --notebooks.")
        self.chapters = {
            path.stem: self._chapter(path) for path in sorted(self.folder.glob("[0-9]*_*.ipynb"))
        }

    def _chapter(self, path: Path) -> Chapter:
        slug = path.stem.partition("_")[2]
        return Chapter(path.stem, of_chapter(slug), json.loads(path.read_text()))

    @cached_property
    def version(self) -> str:
        """Twelve digits of a hash over the course's code and notebooks: another one, another
        grader.
        """
        digest = hashlib.sha256()
        files = [*COURSE.rglob("*.py"), *COURSE.rglob("*.lua"), *self.folder.glob("*.ipynb")]
        for path in sorted(files):
            digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
        return digest.hexdigest()[:12]

    def modules(self, execute: bool = True) -> list[str]:
        """What the zygote imports before the first learner's code; `execute`: whole notebooks
        too.
        """
        found = {name for chapter in self.chapters.values() for name in chapter.modules}
        return sorted(found | set(FOR_CELLS) | set(FOR_NOTEBOOKS if execute else ()))


def _tags(cell: dict[str, Any]) -> list[str]:
    tags: list[str] = cell["metadata"].get("tags", [])
    return tags


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a cell with an await at top level, or a magic
        return []


def _definitions(source: str, parameters: bool) -> list[str]:
    kinds = (*DEFINITIONS, ast.Assign) if parameters else DEFINITIONS
    kept = [ast.unparse(item) for item in _parsed(source) if isinstance(item, kinds)]
    return ["\n\n".join(kept)] if kept else []


def _imported(source: str) -> list[str]:
    names = []
    for item in _parsed(source):
        if isinstance(item, ast.Import):
            names += [alias.name for alias in item.names]
        if isinstance(item, ast.ImportFrom) and item.module:
            names.append(item.module)
    return names


def _assigned(source: str) -> set[str]:
    names = [node for item in _parsed(source) for node in ast.walk(item)]
    return {n.id for n in names if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
