"""The learner's progress on disk: one JSON file that outlives upgrades, damage and two kernels at
once.

It lies where COURSE_PROGRESS says, else in the user's data directory. Each change reads the file
again under a lock, touches one exercise and replaces the file whole. Fields that a newer version
wrote are kept. A file that cannot be understood is set aside under another name. Nothing here
stops a check: what goes wrong becomes a sentence. Left out: dates (a check's outcome must not
depend on the clock) and the learner's code.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from course_lib.exercises.lock import locked

__all__ = ["SCHEMA", "Progress", "where"]

SCHEMA = 2
LARGEST = 4_000_000  # bytes
Entry = dict[str, Any]
Document = dict[str, Any]


def where() -> Path:
    """Return the path of the progress file."""
    told = os.environ.get("COURSE_PROGRESS")
    if told:
        return Path(told)
    return Path(platformdirs.user_data_dir("answers-that-run", appauthor=False)) / "progress.json"


def _from_1(document: Document) -> Document:
    """Version 1 held one word an exercise: `{"a.b": "PASS"}`; version 2 holds a record."""
    old = document.get("exercises", {})
    records = {name: {"state": word, "passed": word == "PASS"} for name, word in old.items()}
    return {**document, "schema": 2, "exercises": records}


UPGRADES: dict[int, Callable[[Document], Document]] = {1: _from_1}


class Damaged(ValueError):
    """The file holds something that is not progress."""


@dataclass
class Progress:
    """The progress file: `Progress(path).entry("rate_limiting.retry_after")` -> `{"state":
    "PASS", ...}`.
    """

    path: Path = field(default_factory=where)

    def read(self) -> tuple[Document, str]:
        """Return the document, and a sentence when there was something wrong with it."""
        try:
            return _parsed(self.path), ""
        except FileNotFoundError:
            return _empty(), ""
        except (Damaged, RecursionError):
            return _empty(), _set_aside(self.path)
        except (OSError, ValueError) as error:
            return _empty(), f"Your progress could not be read ({_reason(error)})."

    def entries(self) -> dict[str, Entry]:
        """Return every exercise's record, by id."""
        exercises: dict[str, Entry] = self.read()[0]["exercises"]
        return exercises

    def change(self, name: str, how: Callable[[Entry], Entry | None]) -> str:
        """Change one exercise's record (None removes it); return a sentence when it could not be
        kept.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.with_name(self.path.name + ".lock")):
                return self._change(name, how)
        except (OSError, ValueError, RuntimeError) as error:
            return (
                f"Your progress could not be saved ({_reason(error)}); the check is not affected."
            )

    def _change(self, name: str, how: Callable[[Entry], Entry | None]) -> str:
        document, sentence = self.read()
        entry = how(dict(document["exercises"].get(name, {})))
        if entry is None:
            document["exercises"].pop(name, None)
        else:
            document["exercises"][name] = entry
        _replace(self.path, json.dumps(document, indent=1, sort_keys=True) + "\n")
        return sentence


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


def _empty() -> Document:
    return {"schema": SCHEMA, "exercises": {}}


def _parsed(path: Path) -> Document:
    """Return the file's document in the newest form we know; a newer one is left as it is."""
    if path.stat().st_size > LARGEST:
        raise Damaged
    try:
        document: Document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Damaged from None
    if not isinstance(document, dict) or type(document.get("schema")) is not int:
        raise Damaged
    if not isinstance(document.get("exercises"), dict):
        raise Damaged
    while document["schema"] in UPGRADES:
        document = UPGRADES[document["schema"]](document)
    if document["schema"] < SCHEMA or not all(map(_is_record, document["exercises"].values())):
        raise Damaged
    return document


def _is_record(entry: object) -> bool:
    return isinstance(entry, dict)


def _set_aside(path: Path) -> str:
    """Rename a damaged file to the first free progress.damaged-N.json."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
        if aside.exists():
            continue
        try:
            path.rename(aside)
        except OSError as error:
            return f"Your progress file is damaged and could not be set aside ({_reason(error)})."
        return f"Your progress file was damaged; it is kept as {aside.name}, and a new one begins."
    return "Your progress file is damaged, and there are too many damaged ones beside it."


def _replace(path: Path, text: str) -> None:
    """Write the file whole under another name, then give it its name."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
