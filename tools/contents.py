"""What the course holds, chapter by chapter, as README and the site show it: found, never listed.

What a chapter breaks is the headings of its section "Break it"; what it holds against is the
sources of its numbers in data/published.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat

from course_lib.exercises.chapters import CHAPTERS, Chapter
from course_lib.lab import datafiles
from tools.compared import NOTEBOOKS

PITCH = (
    "A course in JupyterLab on 36 backend interview questions. Every answer is a running system, "
    "every claim is a measurement, and every race is a schedule that you can read."
)
DERIVED = "Derived in"


def table(address: Callable[[Chapter], str], there: set[str] | None = None) -> list[str]:
    """Give the lines of a Markdown table of the chapters that are there, and what is to come."""
    names = {path.name for path in NOTEBOOKS.glob("*.ipynb")} if there is None else there
    found = [chapter for chapter in CHAPTERS if chapter.notebook in names]
    lines = ["| | Chapter | What breaks | Held against |", "|---:|---|---|---|"]
    lines += [row(chapter, address(chapter)) for chapter in found]
    waiting = [chapter.title for chapter in CHAPTERS if chapter not in found]
    if waiting:
        lines += ["", f"To come, {len(waiting)} more: {'; '.join(waiting)}."]
    return lines


def row(chapter: Chapter, address: str) -> str:
    """Give one chapter's line."""
    broken = "; ".join(breaks(NOTEBOOKS / chapter.notebook))
    against = "; ".join(sources(chapter.slug))
    return f"| {chapter.number} | [{chapter.title}]({address}) | {broken} | {against} |"


def breaks(path: Path) -> list[str]:
    """Give the headings of a notebook's section "Break it"."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    section = re.search(r"^## [^\n]*Break it[^\n]*\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^### (.+)$", section[1], re.MULTILINE) if section else []
    return [heading.strip().rstrip(".").replace("|", "\\|") for heading in found]


def sources(slug: str) -> list[str]:
    """Give the sources of a chapter's numbers by their short names, derivations last."""
    published = datafiles.load(datafiles.find("published.toml")).get(slug, {})
    names = [str(entry["source"]) for entry in published.values()]
    short = [short_name(name) for name in names if not name.startswith(DERIVED)]
    derived = sum(name.startswith(DERIVED) for name in names)
    bounds = [f"{derived} derived bounds" if derived > 1 else "a derived bound"] if derived else []
    return [*dict.fromkeys(short), *bounds]


def short_name(source: str) -> str:
    """Give what stands before a source's title.

    >>> short_name("RFC 9110, HTTP Semantics")
    'RFC 9110'
    """
    return source.partition(",")[0].replace("|", "\\|")
