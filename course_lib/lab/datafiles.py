"""Datafiles: where the course's `data/` folder is, and its TOML files.

In a checkout, and in an editable install of it, `data/` lies beside the package. If the package was
installed by copying, the folder is looked for in the working directory and above it, which is where
a notebook runs.
"""

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["DataFileError", "find", "load"]


class DataFileError(Exception):
    """A data file that is missing or cannot be read; the message says what to do."""


def find(name: str) -> Path:
    """The path of `data/<name>`; DataFileError if there is none.

    >>> find("published.toml").name
    'published.toml'
    """
    here = Path.cwd()
    for root in (Path(__file__).resolve().parents[2], here, *here.parents):
        # pyproject.toml marks the root: somebody else's data/ folder is not ours.
        if (root / "data" / name).is_file() and (root / "pyproject.toml").is_file():
            return root / "data" / name
    raise DataFileError(
        f"data/{name} was not found. Work inside a clone of the course, "
        "where data/ lies beside course_lib/."
    )


def load(path: Path) -> dict[str, Any]:
    """The contents of a TOML file; DataFileError if it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path} is not valid TOML: {error}.") from error
