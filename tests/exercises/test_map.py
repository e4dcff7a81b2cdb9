"""The map of the course."""

import re
from pathlib import Path

import pytest

from course_lib.exercises import map as course_map
from course_lib.exercises import progress_map
from course_lib.exercises.chapters import CHAPTERS, PARTS
from course_lib.exercises.progress import Progress
from course_lib.exercises.registry import of_chapter


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with chapter 12 alone."""
    (tmp_path / "12_rate_limiting.ipynb").write_text("{}")
    monkeypatch.setattr(course_map, "_notebooks", lambda: tmp_path)
    return tmp_path


def test_chapters() -> None:
    """36 chapters, numbered from 1, in six parts in order, no slug or title twice."""
    assert [chapter.number for chapter in CHAPTERS] == list(range(1, 37))
    assert len({chapter.slug for chapter in CHAPTERS}) == len({c.title for c in CHAPTERS}) == 36
    assert list(dict.fromkeys(chapter.part for chapter in CHAPTERS)) == list(PARTS)
    assert [sum(c.part == part for c in CHAPTERS) for part in PARTS] == [8, 3, 6, 7, 5, 7]
    assert CHAPTERS[11].notebook == "12_rate_limiting.ipynb"


def test_nothing_yet(notebooks: Path) -> None:
    """Before the first check every exercise that is there is not started."""
    total = len(of_chapter("rate_limiting"))
    assert f"1 of 36 chapters are here; 0 of {total} exercises passed." in repr(progress_map())
    assert repr(progress_map()).count("to come") == 35


def test_passed_stays(notebooks: Path) -> None:
    """An exercise passed once counts, whatever came later; a state that we do not know counts as
    none.
    """
    first, second, *_ = of_chapter("rate_limiting")
    Progress().change(first.id, lambda e: {"state": "FAIL", "passed": True})
    Progress().change(second.id, lambda e: {"state": "SPLENDID"})
    total = len(of_chapter("rate_limiting"))
    assert f"1 of {total} passed ● ○" in repr(progress_map())


def test_html(notebooks: Path) -> None:
    """The table has every chapter, links to those that are there, no script and no colour of its
    own.
    """
    html = progress_map()._repr_html_()
    assert html.count("<tr>") == 36 + 6
    assert re.findall(r'href="([^"]+)"', html) == ["12_rate_limiting.ipynb"]
    assert "<script" not in html
    assert not re.search(r"(?<![-\w])(color|background)\s*:", html)


def test_damaged_progress(notebooks: Path, progress_file: Path) -> None:
    """A damaged progress file gives a sentence and the map all the same."""
    progress_file.parent.mkdir(parents=True)
    progress_file.write_text("][")
    assert "damaged" in repr(progress_map())


def test_same_bytes(notebooks: Path) -> None:
    """Drawn twice, the map is the same."""
    assert repr(progress_map()) == repr(progress_map())
    assert progress_map()._repr_html_() == progress_map()._repr_html_()


def test_start(notebooks: Path) -> None:
    """The start notebook, once it is there, stands first, and is no chapter."""
    assert "00 Start here" not in repr(progress_map())
    (notebooks / "00_start_here.ipynb").write_text("{}")
    assert repr(progress_map()).splitlines()[1].startswith("  00 Start here: 0 of 1 passed")
    assert "1 of 36 chapters" in repr(progress_map())
    assert 'href="00_start_here.ipynb"' in progress_map()._repr_html_()
