"""The folder that is handed in: SUBMISSIONS/<student>/<NN_slug>.ipynb, and what does not fit.

A second hand-in is <NN_slug>.2.ipynb, and so on; the highest number counts. Names are checked
against an allow-list, because they become paths, cells of a table and text on a page. Left out:
what is inside the files.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.exercises.text import printable
from course_lib.grading.errors import CannotStart

__all__ = ["Stray", "Submission", "find"]

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE = re.compile(r"([0-9]{2}_[a-z0-9_]{1,60})(?:\.([0-9]{1,4}))?\.ipynb")
IGNORED = {".ipynb_checkpoints", ".DS_Store", "Thumbs.db"}


@dataclass(frozen=True, order=True)
class Submission:
    """One file of one student; `attempt` is 1 for the plain name."""

    student: str
    notebook: str
    attempt: int
    file: str


@dataclass(frozen=True, order=True)
class Stray:
    """A name that is refused, safe to show, and why."""

    name: str
    reason: str


def find(folder: Path, chapters: set[str]) -> tuple[list[Submission], list[Stray], list[str]]:
    """Return the submissions that count, the strays, and all students who have a folder."""
    if not folder.is_dir():
        raise CannotStart(f"There is no folder {folder}.")
    found: dict[tuple[str, str], Submission] = {}
    strays: list[Stray] = []
    students: list[str] = []
    for entry in _entries(folder):
        reason = _folder_wrong(entry)
        if reason:
            strays.append(Stray(shown(entry.name), reason))
            continue
        students.append(entry.name)
        _of_student(entry, chapters, found, strays)
    return sorted(found.values()), sorted(strays), students


def _of_student(
    folder: os.DirEntry[str],
    chapters: set[str],
    found: dict[tuple[str, str], Submission],
    strays: list[Stray],
) -> None:
    for entry in _entries(Path(folder.path)):
        match = FILE.fullmatch(entry.name)
        name = f"{folder.name}/{shown(entry.name)}"
        if match is None:
            strays.append(Stray(name, "The name is not NN_slug.ipynb or NN_slug.2.ipynb."))
        elif match[1] not in chapters:
            strays.append(Stray(name, "No notebook of the course has this name."))
        else:
            one = Submission(folder.name, match[1], int(match[2] or 1), entry.name)
            before = found.get((one.student, one.notebook))
            found[one.student, one.notebook] = max(one, before or one)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted((e for e in entries if e.name not in IGNORED), key=lambda e: e.name)


def _folder_wrong(entry: os.DirEntry[str]) -> str:
    if not entry.is_dir(follow_symlinks=False):
        return "It is no folder of a student."
    if not STUDENT.fullmatch(entry.name):
        return "A student's name has letters, digits, dots, dashes and underscores only."
    return ""


def shown(name: str) -> str:
    """Return a hostile name as short, printable ASCII."""
    text = ascii(printable(name))[1:-1]
    return text if len(text) <= 80 else text[:76] + " ..."
