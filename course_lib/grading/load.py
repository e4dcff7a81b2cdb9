"""From a file that a stranger wrote to the source of each exercise: nothing else is taken from it.

No link is followed, no format but JSON is read, and neither order nor outputs nor any other cell of
the submission matters. Left out: running anything.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from course_lib.grading.errors import Refused

__all__ = ["Cells", "digest", "read", "sources"]

LARGEST = 2_000_000  # bytes of a notebook
LONGEST = 100_000  # characters of one exercise
MOST = 1_000  # cells
TAG = "exercise:"


@dataclass(frozen=True)
class Cells:
    """The sources by exercise id, and what was wrong with those that have none."""

    found: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def read(folder: int, name: str) -> tuple[bytes, float]:
    """Return a file's bytes and the time of its last change; `folder` is an open folder's number.

    Raises Refused when it is no regular file, or larger than 2 MB.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise Refused("file", f"It is no plain file ({error.strerror}).") from None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(fd)
        raise Refused("file", "It is no plain file of its own: a link, a folder or a device.")
    with os.fdopen(fd, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Refused("size", "It is larger than 2 MB: clear its outputs and hand it in again.")
    return data, status.st_mtime


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return sha256(data).hexdigest()


def sources(data: bytes, ids: set[str]) -> Cells:
    """Return the cells tagged `exercise:<id>` for the ids that are asked for.

    Raises Refused when the bytes are no notebook of format 4.
    """
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for cell in _notebook(data)["cells"]:
        for name in _ids(cell) & ids:
            if name in found or name in wrong:
                found.pop(name, None)
                wrong[name] = f"Two cells are tagged `{TAG}{name}`; keep one."
            else:
                _take(name, cell, found, wrong)
    return Cells(found, wrong)


def _take(name: str, cell: Any, found: dict[str, str], wrong: dict[str, str]) -> None:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    if len(text) > LONGEST:
        wrong[name] = f"The cell is longer than {LONGEST:,} characters."
    elif not _is_text(text):
        wrong[name] = "The cell holds characters that are no text."
    else:
        found[name] = text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\0" not in text


def _notebook(data: bytes) -> Any:
    try:
        notebook = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no)
    except (ValueError, RecursionError) as error:
        raise Refused("format", f"It is no notebook: {_reason(error)}.") from None
    if type(notebook) is not dict or notebook.get("nbformat") != 4:
        raise Refused("format", "It is no notebook of format 4: open it in JupyterLab and save it.")
    cells = notebook.get("cells")
    if type(cells) is not list or len(cells) > MOST:
        raise Refused("format", f"It has no list of at most {MOST:,} cells.")
    _validate(notebook)
    return notebook


def _validate(notebook: Any) -> None:
    """Look at what will be read, and at no more: a schema's validator can be kept busy for hours by
    two megabytes (it compares all items of a list with each other).
    """
    if not all(_is_cell(cell) for cell in notebook["cells"]):
        raise Refused("format", "It is not what the notebook format asks for.")


def _is_cell(cell: Any) -> bool:
    if type(cell) is not dict or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return False
    metadata, source = cell.get("metadata"), cell.get("source")
    if type(metadata) is not dict or not _are_texts(metadata.get("tags", [])):
        return False
    return type(source) is str or _are_texts(source)


def _are_texts(items: Any) -> bool:
    return type(items) is list and all(type(item) is str for item in items)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON in line {error.lineno}"
    return {"UnicodeDecodeError": "no UTF-8", "RecursionError": "nested too deeply"}.get(
        type(error).__name__, "no strict JSON"
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found


def _no(text: str) -> float:
    raise ValueError(text)


def _ids(cell: Any) -> set[str]:
    """The exercise ids in a code cell's tags."""
    if cell["cell_type"] != "code":
        return set()
    tags = cell["metadata"].get("tags", [])
    return {tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)}
