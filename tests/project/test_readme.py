"""README says what is so: its tables are made from the data, and what it names is there."""

import re
from pathlib import Path

import nbformat

from course_lib.exercises.chapters import CHAPTERS
from tools import __main__ as command
from tools import contents, readme
from tools.compared import notebooks

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_tables_are_made_from_the_data() -> None:
    """`make readme` would change nothing."""
    assert readme.made(TEXT) == TEXT, "make readme"
    assert readme.PICTURE.read_bytes() == readme.picture(), "make readme"


def test_every_block_is_known() -> None:
    """README holds each made part once, and no other."""
    assert sorted(re.findall(r"<!-- made: (\w+) -->", TEXT)) == sorted(readme.blocks())


def test_every_chapter_is_in_the_table() -> None:
    """A chapter whose notebook is there has a line that says what breaks and against what."""
    there = {path.name for path in notebooks()}
    for chapter in CHAPTERS:
        line = next(
            (line for line in TEXT.splitlines() if f"notebooks/{chapter.notebook})" in line), ""
        )
        assert bool(line) == (chapter.notebook in there), chapter
        assert not line or all(cell.strip() for cell in line.split("|")[1:-1]), line


def test_breaks_are_found(tmp_path: Path) -> None:
    """The headings of "Break it" are what breaks; those of other sections are not."""
    texts = [
        "## 3 · The popular answer\n\n### No",
        "## 4 · Break it\n\n### One.\n",
        "### Two",
        "## 5",
    ]
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "x.ipynb")
    assert contents.breaks(tmp_path / "x.ipynb") == ["One", "Two"]


def test_links_and_commands_exist() -> None:
    """Each file that README links to is there, and each `make` command it names exists."""
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", TEXT):
        assert (ROOT / target).exists(), target
    named = set(re.findall(r"`make (\w+)", TEXT))
    assert named
    assert named <= {*command.COMMANDS}


def test_no_place_is_named_twice() -> None:
    """The repository's address stands only in parts that are made."""
    by_hand = readme.BLOCK.sub("", TEXT)
    assert "mybinder" not in by_hand
    assert "github.com" not in by_hand
