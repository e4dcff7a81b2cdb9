"""Writes README's tables and picture from the data: chapters, links to Binder, benchmarks.

What is made stands between `<!-- made: NAME -->` and `<!-- end -->`; the rest is written by hand.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import nbformat

from tests.benchmarks import page
from tools import contents, links
from tools.compared import NOTEBOOKS

README = links.ROOT / "README.md"
PICTURE = links.ROOT / "docs" / "picture.png"
SHOWN = ("12_rate_limiting.ipynb", "traffic-tune")  # the picture on the first page
BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def blocks() -> dict[str, str]:
    """Give the text of each made part, by name."""
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    clone = f"git clone {links.source()} answers-that-run\ncd answers-that-run\nmake lab"
    return {
        "binder": f"Or [open it in Binder]({links.binder()}): nothing to install, nothing is kept.",
        "chapters": "\n".join(contents.table(lambda chapter: f"notebooks/{chapter.notebook}")),
        "clone": f"```\n{clone}\n```",
        "benchmarks": "\n".join(page.summary(figures)),
    }


def made(text: str) -> str:
    """Give README's text with its made parts as they should be."""
    parts = blocks()
    return BLOCK.sub(lambda found: f"{found[1]}\n{parts[found[2]]}\n\n{found[3]}", text)


def picture() -> bytes:
    """Give the picture on the first page, which is that of a notebook's output."""
    name, cell_id = SHOWN
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    found = [one.data["image/png"] for one in cell.outputs if "image/png" in one.get("data", {})]
    return base64.b64decode(found[0])


def main() -> int:
    """Write both files when they changed."""
    README.write_text(made(README.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_bytes(picture())
    print(f"{README.name} and {PICTURE.relative_to(Path(links.ROOT))} are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
