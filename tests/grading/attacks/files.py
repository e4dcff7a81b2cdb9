"""Attacks that are a file or a name: malformed, oversized, linked, hostile; none is worth a point.

Each writes into a folder of submissions. What it writes holds the right answers wherever that is no
cheating in itself, so that a reader that is too kind gives points.
"""

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.grading.attacks.host import bind_in

__all__ = ["FILES", "NAMES", "FileAttack"]

Notebook = dict[str, Any]
Make = Callable[[Path, Notebook, Path], None]
NAME = "12_rate_limiting.ipynb"
TAG = "exercise:rate_limiting.retry_after"


@dataclass(frozen=True)
class FileAttack:
    """One attack; `make(folder, perfect notebook, a folder of the host)` writes it."""

    kind: str
    name: str
    make: Make

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def _bytes(kind: str, name: str, data: bytes | Callable[[str], bytes]) -> FileAttack:
    def make(folder: Path, perfect: Notebook, host: Path) -> None:
        made = data if isinstance(data, bytes) else data(json.dumps(perfect))
        (folder / NAME).write_bytes(made)

    return FileAttack(kind, name, make)


def _changed(
    name: str, change: Callable[[Notebook], object], kind: str = "malformed"
) -> FileAttack:
    """The perfect notebook, with one change."""

    def make(folder: Path, perfect: Notebook, host: Path) -> None:
        change(perfect)
        (folder / NAME).write_text(json.dumps(perfect))

    return FileAttack(kind, name, make)


def _every(change: Callable[[dict[str, Any]], object]) -> Callable[[Notebook], object]:
    """Change each exercise's cell."""

    def on(notebook: Notebook) -> None:
        for cell in _exercises(notebook):
            change(cell)

    return on


def _exercises(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if "exercise:" in str(c["metadata"].get("tags"))]


def _linked(folder: Path, perfect: Notebook, host: Path) -> None:
    (host.parent / "elsewhere.ipynb").write_text(json.dumps(perfect))
    (folder / NAME).symlink_to(host.parent / "elsewhere.ipynb")


def _hard(folder: Path, perfect: Notebook, host: Path) -> None:
    (host.parent / "twin.ipynb").write_text(json.dumps(perfect))
    os.link(host.parent / "twin.ipynb", folder / NAME)


def _device(folder: Path, perfect: Notebook, host: Path) -> None:
    (folder / NAME).symlink_to("/dev/zero")


def _neighbour(folder: Path, perfect: Notebook, host: Path) -> None:
    (folder / NAME).symlink_to(f"../a-perfect/{NAME}")


def _secret(folder: Path, perfect: Notebook, host: Path) -> None:
    (folder / NAME).symlink_to(host / "readable")


def _pipe(folder: Path, perfect: Notebook, host: Path) -> None:
    os.mkfifo(folder / NAME)


def _folder(folder: Path, perfect: Notebook, host: Path) -> None:
    (folder / NAME).mkdir()


def _socket(folder: Path, perfect: Notebook, host: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        bind_in(folder, one, NAME)


def _sparse(folder: Path, perfect: Notebook, host: Path) -> None:
    with (folder / NAME).open("wb") as file:
        file.truncate(1 << 40)


def _twice(notebook: Notebook) -> None:
    for cell in _exercises(notebook):
        wrong = {**cell, "id": cell["id"] + "x", "source": "pass"}
        notebook["cells"] += [wrong]


def _unknown(cell: dict[str, Any]) -> None:
    cell["metadata"]["tags"] = ["exercise:no.such", "exercise:", "exercise:../../etc/passwd"]


def _replace(cell: dict[str, Any], **fields: object) -> None:
    cell.update(fields)


def _big(notebook: Notebook) -> None:
    text = {"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}
    notebook["cells"][1].update(cell_type="code", outputs=[text], execution_count=None)


def _tags(items: list[object]) -> Callable[[Notebook], object]:
    return lambda notebook: notebook["cells"][0]["metadata"].update(tags=items)


MIXED: list[object] = [item for n in range(40_000) for item in (n, str(n))]
LISTS: list[object] = [[n] if n % 2 else str(n) for n in range(60_000)]
FILES: tuple[FileAttack, ...] = (
    _bytes("malformed", "nothing", b""),
    _bytes("malformed", "no JSON", b"\x00" * 1000),
    _bytes("malformed", "another encoding", lambda text: text.encode("utf-16")),
    _bytes("malformed", "brackets without end", b"[" * 1_000_000),
    _bytes("malformed", "objects without end", b'{"cells":' * 200_000),
    _bytes("malformed", "a number of many digits", b'{"nbformat": ' + b"4" * 1_000_000 + b"}"),
    _bytes(
        "malformed",
        "NaN",
        lambda text: text.replace('"nbformat": 4', '"x": NaN, "nbformat": 4').encode(),
    ),
    _bytes(
        "malformed",
        "the same key twice",
        lambda text: text.replace('"nbformat": 4', '"nbformat": 4, "nbformat": 4').encode(),
    ),
    _bytes("malformed", "a list", lambda text: f"[{text}]".encode()),
    _bytes("malformed", "cut in the middle", lambda text: text.encode()[: len(text) // 2]),
    _bytes("malformed", "a pickle", b"\x80\x04cos\nsystem\n(S'true'\ntR."),
    _changed("format 3", lambda n: n.update(nbformat=3)),
    _changed("cells that are numbers", lambda n: n.update(cells=[1, 2])),
    _changed("cells that are a text", lambda n: n.update(cells="cells")),
    _changed("too many cells", lambda n: n.update(cells=n["cells"] * 40)),
    _changed("a source that is a number", _every(lambda c: _replace(c, source=1))),
    _changed("a source of numbers", _every(lambda c: _replace(c, source=[1, 2]))),
    _changed("a type that is a list", _every(lambda c: _replace(c, cell_type=["code"]))),
    _changed("metadata that is a list", _every(lambda c: _replace(c, metadata=[]))),
    _changed("tags that are a text", _every(lambda c: _replace(c, metadata={"tags": TAG}))),
    _changed("tags of two types", _tags(MIXED)),
    _changed("tags that are lists", _tags(LISTS)),
    _changed("half a character", _every(lambda c: _replace(c, source="\ud800"))),
    _changed("a zero byte", _every(lambda c: _replace(c, source="\0" + "".join(c["source"])))),
    _changed("a cell too long", _every(lambda c: _replace(c, source="#" * 100_001))),
    _changed("the answers as text", _every(lambda c: _replace(c, cell_type="markdown"))),
    _changed("the answers raw", _every(lambda c: _replace(c, cell_type="raw"))),
    _changed("two cells for one exercise", _twice, "duplicate ids"),
    _changed("unknown exercises", _every(_unknown), "unknown ids"),
    _changed("three megabytes", _big, "oversized"),
    FileAttack("oversized", "a terabyte of nothing", _sparse),
    FileAttack("linked", "to another place", _linked),
    FileAttack("linked", "to a neighbour's work", _neighbour),
    FileAttack("linked", "to a secret", _secret),
    FileAttack("linked", "to a device", _device),
    FileAttack("linked", "hard", _hard),
    FileAttack("linked", "a pipe", _pipe),
    FileAttack("linked", "a folder", _folder),
    FileAttack("linked", "a socket", _socket),
)

NAMES = (
    "=HYPERLINK(1)",
    "+cmd",
    "@SUM(1)",
    "-rf",
    "<script>alert(1)",
    os.fsdecode(b"\xff\xfe"),
    "a b",
    "a\nb",
    "a\tb",
    "a;b",
    "$(touch mark)",
    "`touch mark`",
    "..hidden",
    "ü",
    "\u202egnp.exe",
    "x" * 200,
    "%2e%2e",
    "a'b",
    'a"b',
    "a,b",
    "\\\\server",
)
"""Folders that no student has; each holds a perfect notebook."""
