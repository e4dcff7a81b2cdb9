"""Builds the static site of the course: every notebook with its outputs and a live player.

Sphinx with MyST-NB and furo, all from packages: nothing is fetched, nothing is executed. The player
draws from the trace that `make notebooks` stored beside each picture. It leaves out sliders, which
need Python: their picture is played, and a sentence says where to turn them.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

from course_lib.exercises.chapters import CHAPTERS, PARTS, START, Chapter
from course_lib.show.assets import PLAYER, module, style
from tools import contents, links
from tools.compared import notebooks
from tools.stored import PNG

OUT = links.ROOT / "site"
STATIC = Path(__file__).parent / "site_static"
CONTROLS = 90  # points: the player's bar and caption, which the picture leaves out
SETTINGS: dict[str, Any] = {
    "project": "Answers That Run",
    "copyright": "text under CC BY 4.0, code under the MIT licence",
    "extensions": ["myst_nb"],
    "html_theme": "furo",
    "html_title": "Answers That Run",
    "html_static_path": ["_static"],
    "html_css_files": ["player.css", "site.css"],
    "html_js_files": [("player.js", {"defer": ""}), ("site.js", {"defer": ""})],
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_use_index": False,
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "nb_mime_priority_overrides": [("html", "text/html", 0)],
    "myst_enable_extensions": [],
    "myst_heading_anchors": 3,
    "suppress_warnings": ["myst.header", "mystnb.unknown_mime_type", "misc.highlighting_failure"],
    "language": "en",
}


def main(arguments: list[str]) -> int:
    """Build into the named folder; say how large the site is and how long it took."""
    parser = argparse.ArgumentParser(prog="make site", description="Build the static site.")
    parser.add_argument("--out", type=Path, default=OUT, help="the folder; by default site/")
    out = parser.parse_args(arguments).out
    start = time.monotonic()
    build(out)
    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    pages = len(list(out.glob("[0-9]*.html")))
    took = time.monotonic() - start
    print(f"{out}: {pages} notebooks, {len(files)} files, {size:.1f} MB, built in {took:.0f} s.")
    print(f"Open {out / 'index.html'} in a browser, or put the folder on any web server.")
    return 0


def build(out: Path, paths: list[Path] | None = None) -> None:
    """Build the site of the notebooks at `paths`, by default of all, into `out`.

    Raises ValueError for a warning of Sphinx, such as a link that leads nowhere.
    """
    chosen = notebooks() if paths is None else paths
    with tempfile.TemporaryDirectory(prefix="course-site-") as place:
        source, made = Path(place) / "source", Path(place) / "made"
        write_static(source / "_static")
        for path in chosen:
            prepared = prepare(nbformat.read(path, as_version=4), path.name, source / "_static")
            nbformat.write(prepared, source / path.name)
        (source / "index.md").write_text(index({path.name for path in chosen}), encoding="utf-8")
        trees = Path(place) / "trees"
        sphinx = Sphinx(source, None, made, trees, "html", dict(SETTINGS), status=None)
        sphinx.build(force_all=True)
        if sphinx.statuscode or sphinx._warncount:
            raise ValueError("Sphinx warned, see above: the site was not replaced.")
        replace(out, made)


def replace(out: Path, made: Path) -> None:
    """Put the built site where the earlier one was; refuse to delete what is no site."""
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").is_file():
        raise ValueError(f"{out} holds something else than a site: name another folder.")
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    leave_out = shutil.ignore_patterns(".buildinfo", "objects.inv", "_sources", "*.map")
    shutil.copytree(made, out, ignore=leave_out)
    (out / ".nojekyll").touch()


def write_static(folder: Path) -> None:
    """Write the player as a classic script, which a page opened from the disk may load too."""
    shutil.copytree(STATIC, folder)
    player = module(*PLAYER).replace("export default ", "window.courseAnswersPlayer = ")
    player = re.sub(r"^export (?=(async )?(function|const|let|class)\b)", "", player, flags=re.M)
    (folder / "player.js").write_text(f"(() => {{\n{player}\n}})();\n", encoding="utf-8")
    (folder / "player.css").write_text(style(), encoding="utf-8")


def prepare(notebook: NotebookNode, name: str, static: Path) -> NotebookNode:
    """Give a notebook its link to Binder, its players, and links that lead to pages."""
    run = f'<p class="atr-run">{run_links(name)}</p>'
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(run, id="run-this"))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "state" in output.get("metadata", {}).get(PNG, {}):
                live = player(output, name, static)
                output.data, output.metadata = nbformat.from_dict({"text/html": live}), {}
            elif "text/html" in data:
                data["text/html"] = re.sub(
                    r'href="(\w+)\.ipynb"', r'href="\1.html"', data["text/html"]
                )
    return notebook


def run_links(name: str) -> str:
    """Say where this notebook can be run."""
    binder = f'<a href="{links.binder(name)}">Run this notebook in Binder</a>'
    how = f'<a href="{links.source()}">how</a>'
    return f"{binder}, or on your machine with <code>make lab</code> ({how})."


def player(output: NotebookNode, name: str, static: Path) -> str:
    """Give the place of a live player: its trace, and its picture for readers without scripts."""
    about = output.metadata[PNG]
    picture = static / "pictures" / f"{about['trace']}.png"
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(base64.b64decode(output.data[PNG]))
    words = output.data.get("text/plain", "")
    size = f'width="{about["width"]}" height="{about["height"]}"'
    still = f'<img src="_static/pictures/{picture.name}" {size} alt="{html.escape(words)}">'
    trace = about["state"].replace("</", "<\\/")
    data = f'<script type="application/json">{trace}</script><noscript>{still}</noscript>'
    room = f"min-height:{about['height'] + CONTROLS}px"
    return f'{sliders(words, about, name)}<div class="atr-live" style="{room}">{data}</div>'


def sliders(words: str, about: dict[str, Any], name: str) -> str:
    """Say the settings of an experiment's sliders and where to turn them; nothing for a player."""
    settings = words.removesuffix(": " + json.loads(about["state"])["trace"]["summary"])
    if settings == words:
        return ""
    where = f'<a href="{links.binder(name)}">in Binder</a> or with <code>make lab</code>'
    shown = html.escape(settings)
    return (
        f'<p class="atr-still">Shown at: {shown}. The sliders need Python: turn them {where}.</p>'
    )


def index(there: set[str]) -> str:
    """Give the first page: what the course is, its chapters in a table, and the navigation."""
    lines = ["# Answers That Run", "", contents.PITCH, "", run_anywhere(), "", "## Chapters", ""]
    lines += contents.table(lambda chapter: chapter.notebook, there)
    for caption, chapters in [("Begin", [START]), *by_part()]:
        pages = [entry(chapter) for chapter in chapters if chapter.notebook in there]
        if pages:
            lines += ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"]
    return "\n".join(lines) + "\n"


def entry(chapter: Chapter) -> str:
    """Give a notebook's entry in the navigation; the start notebook's heading is the course's."""
    page = chapter.notebook.removesuffix(".ipynb")
    return f"{chapter.title} <{page}>" if chapter is START else page


def run_anywhere() -> str:
    """Say how to run the course."""
    return (
        "Here you can read every chapter and play its pictures. "
        f"To turn the sliders and solve the exercises, [run it in Binder]({links.binder()}) or "
        f"[on your machine]({links.source()})."
    )


def by_part() -> Iterator[tuple[str, list[Chapter]]]:
    """Give the parts of the course with their chapters."""
    for part in PARTS:
        yield part, [chapter for chapter in CHAPTERS if chapter.part == part]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, OSError) as error:
        sys.exit(str(error))
