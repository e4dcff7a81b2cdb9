"""Keeps learners' work: they work on copies in `work/`, and an update overwrites nothing of theirs.

A copy in which nothing was written is renewed. A copy with something of the learner's own is kept,
and the new version is laid beside it, once. Whatever is replaced goes to `work/earlier` first,
unless it is byte for byte what was laid there. What is laid is written down before, and that it was
given afterwards, so that an interruption at any moment leaves nothing to mistake. Standard library
only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools import links
from tools.failures import Stop, sentence

Notebook = dict[str, Any]
TAG = "exercise:"


@dataclass(frozen=True)
class Folder:
    """The course's notebooks, the learner's copies of them, and what was laid so far."""

    originals: Path = links.ROOT / "notebooks"
    copies: Path = links.ROOT / links.WORK
    said: list[str] = field(default_factory=list)

    def ready(self) -> Folder:
        """Make the folder of the copies; Stop if something else is in its place."""
        try:
            self.copies.mkdir(exist_ok=True)
        except FileExistsError:
            raise Stop(
                f"`{self.copies.name}` is not a folder: move it away, then type the same command "
                "again."
            ) from None
        return self

    def names(self) -> list[str]:
        """Give the names of the course's notebooks; found, never listed by hand."""
        return sorted(path.name for path in self.originals.glob("*.ipynb"))

    def laid(self) -> dict[str, list[str]]:
        """Give the marks of everything that was ever laid, by notebook; none if it is damaged."""
        try:
            known = json.loads((self.copies / ".laid.json").read_text(encoding="utf-8"))
            return {str(name): [str(mark) for mark in marks] for name, marks in known.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def note(self, name: str, *words: str) -> None:
        """Write down the marks of what is laid as `name`."""
        known = self.laid()
        known[name] = list(dict.fromkeys([*known.get(name, []), *words]))
        write(self.copies / ".laid.json", json.dumps(known, indent=1, sort_keys=True).encode())

    def lay(self, name: str, data: bytes, path: Path) -> None:
        """Put the bytes of the course's `name` at `path`; what is there now goes to `earlier`."""
        self.note(name, *marks(data))
        aside = self.put_aside(path)
        write(path, data)
        self.note(name, given(data))
        if aside and marks(aside.read_bytes())[0] in self.laid()[name]:
            aside.unlink()

    def put_aside(self, path: Path) -> Path | None:
        """Move a file to the first free name in `earlier`; None when there is no file."""
        if not os.path.lexists(path):
            return None
        earlier = self.copies / "earlier"
        earlier.mkdir(exist_ok=True)
        number = 1
        while os.path.lexists(aside := earlier / f"{path.stem}.{number}.ipynb"):
            number += 1
        path.rename(aside)
        return aside


def marks(data: bytes) -> tuple[str, str]:
    """Give the mark of a file's bytes, and the mark of what is written in its cells.

    A run changes the first only. What is no notebook has no cells, and both marks are the same.
    """
    whole = sha256(data).hexdigest()
    try:
        cells = json.loads(data)["cells"]
        kept = [[cell["cell_type"], text(cell), cell.get("attachments")] for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        return whole, whole
    return whole, "cells " + sha256(json.dumps(kept).encode()).hexdigest()


def given(data: bytes) -> str:
    """Give the mark that says that the learner has got this version, which is noted last."""
    return f"given {marks(data)[1]}"


def text(cell: Notebook) -> str:
    """Give a cell's source, which nbformat lets be one string or a list of lines."""
    return "".join(cell["source"])


def write(path: Path, data: bytes) -> None:
    """Write a file whole under another name, then give it its name."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def renew(folder: Folder, running: bool = False) -> list[str]:
    """Bring every copy up to date that may be; give a sentence for each that is worth one.

    While JupyterLab is `running`, what it may have open is left as it is.
    """
    folder.ready()
    for name in folder.names():
        try:
            bring_up(folder, name, running)
        except OSError as error:
            folder.said.append(f"{name}: {sentence(error) or error}")
    return folder.said


def bring_up(folder: Folder, name: str, running: bool) -> None:
    """Bring one copy up to date, or lay the new version beside it."""
    original, copy = (folder.originals / name).read_bytes(), folder.copies / name
    if not os.path.lexists(copy):
        if name in folder.laid():
            folder.said.append(f"{name} was missing and is laid again, as new{older(copy)}.")
        folder.lay(name, original, copy)
        return
    if copy.is_symlink() or not copy.is_file():
        folder.said.append(f"{name} in {folder.copies.name} is no plain file: it is left as it is.")
        return
    state = judge(folder.laid().get(name, []), marks(copy.read_bytes()), marks(original))
    if state == "renew" and running:
        folder.said.append(f"{name} has a new version: it comes when JupyterLab is started next.")
    elif state == "renew":
        folder.lay(name, original, copy)
        folder.said.append(f"{name} is renewed: there was nothing of yours in it.")
    elif state == "beside":
        lay_beside(folder, name, original)


def older(copy: Path) -> str:
    """Say which earlier version of a missing copy is kept, if there is one."""
    kept = sorted(copy.parent.glob(f"earlier/{copy.stem}.*.ipynb"), key=lambda p: p.stat().st_mtime)
    return f"; your last one is earlier/{kept[-1].name}" if kept else ""


def judge(laid: list[str], copy: tuple[str, str], original: tuple[str, str]) -> str:
    """Say what to do with a copy: "keep" it, "renew" it, or keep it and lay the new "beside" it."""
    if copy == original or (copy[1] == original[1] and copy[0] not in laid):
        return "keep"  # the newest version, perhaps run
    if copy[1] in laid:
        return "renew"
    return "keep" if f"given {original[1]}" in laid else "beside"


def lay_beside(folder: Folder, name: str, original: bytes) -> None:
    """Lay a new version beside a copy that the learner has changed."""
    beside = folder.copies / name.replace(".ipynb", ".new.ipynb")
    folder.lay(name, original, beside)
    stem = name.removesuffix(".ipynb")
    folder.said.append(
        f"{name} is yours and stays as it is; the new version lies beside it as {beside.name}. "
        f'To move to it with your answers: make reset ARGS="{stem} --keep-answers"'
    )


# Exercises


def exercises(notebook: Notebook) -> Iterator[tuple[str, Notebook]]:
    """Give each cell of an exercise with the exercise's name, in order."""
    for cell in notebook["cells"]:
        for tag in cell.get("metadata", {}).get("tags", []):
            if cell["cell_type"] == "code" and str(tag).startswith(TAG):
                yield str(tag).removeprefix(TAG), cell


def load(path: Path) -> Notebook:
    """Read a notebook; Stop if it cannot be read as one."""
    if path.is_symlink():
        raise Stop(f"{path.name} is a link: put the notebook itself in its place.")
    try:
        notebook: Notebook = json.loads(path.read_bytes())
        for cell in notebook["cells"]:
            text(cell), cell["cell_type"]
    except FileNotFoundError:
        raise Stop(f"There is no {path.name} in {path.parent.name}: `make lab` lays it.") from None
    except (ValueError, KeyError, TypeError):
        raise Stop(
            f"{path.name} is damaged and cannot be read. Your file stays as it is; to begin anew: "
            f"make reset ARGS={path.stem}"
        ) from None
    return notebook


def dump(notebook: Notebook) -> bytes:
    """Give a notebook's bytes as Jupyter writes them."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def with_answers(notebook: Notebook, answers: dict[str, str]) -> Notebook:
    """Put sources into the cells of the exercises that they belong to."""
    for name, cell in exercises(notebook):
        if name in answers:
            cell["source"], cell["outputs"], cell["execution_count"] = answers[name], [], None
    return notebook
