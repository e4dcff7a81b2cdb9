"""From a stranger's file come the sources of the exercises that are asked for, and nothing else."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import load
from course_lib.grading.course import Course
from course_lib.grading.errors import Refused
from tests.grading.kit import notebook

VISIT = "start_here.record_visit"


def bytes_of(cells: list[dict[str, Any]], **more: Any) -> bytes:
    """Return a notebook's bytes."""
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | more
    ).encode()


def cell(source: Any, *tags: Any, kind: str = "code") -> dict[str, Any]:
    """Return one cell."""
    return {"cell_type": kind, "id": "a", "metadata": {"tags": list(tags)}, "source": source}


def found(*cells: dict[str, Any]) -> load.Cells:
    """Return what is read of these cells."""
    return load.sources(bytes_of(list(cells)), {VISIT})


def test_found() -> None:
    """A tagged code cell is found, in either form of its source; others are not."""
    tag = f"exercise:{VISIT}"
    assert found(cell("a = 1", tag)).found == {VISIT: "a = 1"}
    assert found(cell(["a = 1\n", "b"], "x", tag)).found == {VISIT: "a = 1\nb"}
    assert found(cell("a", tag, kind="raw"), cell("b", "exercise:other.one")).found == {}


def test_ours(course: Course) -> None:
    """Our own notebook gives each of its exercises."""
    for name, chapter in course.chapters.items():
        data = json.dumps(notebook(course, name, {})).encode()
        cells = load.sources(data, {exercise.id for exercise in chapter.exercises})
        assert cells.found.keys() == {exercise.id for exercise in chapter.exercises}


def test_twice() -> None:
    """Two cells for one exercise: neither counts, and the reason says so."""
    cells = found(*[cell(str(n), f"exercise:{VISIT}") for n in range(3)])
    assert cells.found == {}
    assert "Two cells" in cells.wrong[VISIT]


@pytest.mark.parametrize("source", ["x" * 200_000, "\ud800", "\0"])
def test_no_text(source: str) -> None:
    """A cell that is too long, or no text, is refused by itself."""
    assert found(cell(source, f"exercise:{VISIT}")).wrong.keys() == {VISIT}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"nbformat": 3, "cells": []}',
        b'{"nbformat": 4, "cells": {}}',
        b'{"nbformat": 4, "nbformat": 4, "cells": []}',
        b'{"nbformat": NaN}',
        b"[" * 500_000,
        bytes_of([cell("a")] * 2_000),
        bytes_of([{"cell_type": "code"}]),
        bytes_of([cell(1)]),
        bytes_of([cell("a", 1)]),
    ],
    ids=range(13),
)
def test_refused(data: bytes) -> None:
    """What is no notebook of format 4 is refused with a sentence."""
    with pytest.raises(Refused) as refused:
        load.sources(data, {VISIT})
    assert refused.value.sentence.endswith(".")


def _read(folder: Path, name: str) -> bytes:
    fd = os.open(folder, os.O_RDONLY)
    try:
        return load.read(fd, name)[0]
    finally:
        os.close(fd)


def test_files(tmp_path: Path) -> None:
    """A plain file is read; links, pipes, folders, devices and large files are not."""
    (tmp_path / "plain").write_bytes(b"x")
    assert _read(tmp_path, "plain") == b"x"
    (tmp_path / "symbolic").symlink_to("/etc/passwd")
    (tmp_path / "alone").write_bytes(b"x")
    os.link(tmp_path / "alone", tmp_path / "hard")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(bytes(2_000_001))
    for name in ("symbolic", "hard", "pipe", "folder", "large", "nothing"):
        with pytest.raises(Refused):
            _read(tmp_path, name)
