"""Results on disk: one JSON file per submission, named after what went into it.

<out>/results/<student>/<NN_slug>.<hash>.<version>.<round>.json. A name that is there is never
written again, so a run that was killed goes on, and a second run writes the same bytes. Left out:
points.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["Store", "write_whole"]


class Store:
    """The folder of results of one grader version and round."""

    def __init__(self, out: Path, version: str, round: int) -> None:
        self.out, self.version, self.round = out, version, round

    def path(self, student: str, notebook: str, digest: str) -> Path:
        """Where a result is or will be; `digest` is the SHA-256 of the file."""
        name = f"{notebook}.{digest[:16]}.{self.version}.r{self.round}.json"
        return self.out / "results" / student / name

    def has(self, path: Path) -> bool:
        """Whether a result is there, whole and readable."""
        try:
            return isinstance(json.loads(path.read_text()), dict)
        except (OSError, ValueError):
            return False

    def read(self, path: Path) -> dict[str, Any]:
        """Return a result."""
        result: dict[str, Any] = json.loads(path.read_text())
        return result

    def write(self, path: Path, result: dict[str, Any]) -> None:
        """Write a result, whole or not at all."""
        write_whole(path, json.dumps(result, indent=1, sort_keys=True, ensure_ascii=True) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it; nothing but the owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
