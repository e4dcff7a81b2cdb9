"""Where the course is published and where its notebooks open: every link to Binder is made here.

The one setting is `Source` under [project.urls] in pyproject.toml. Standard library only.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = "work"  # the learner's copies of the notebooks
START = f"{WORK}/00_start_here.ipynb"


@cache
def source() -> str:
    """Give the address of the repository, without a slash at its end."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Source"]).rstrip("/")


def binder(notebook: str = START.removeprefix(f"{WORK}/")) -> str:
    """Give the address that opens a notebook in Binder.

    >>> binder("12_rate_limiting.ipynb").endswith("/HEAD?labpath=work/12_rate_limiting.ipynb")
    True
    """
    repository = source().removeprefix("https://github.com/")
    return f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath={WORK}/{notebook}"
