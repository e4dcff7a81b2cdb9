"""Every chapter as a learner meets it: in JupyterLab, run from top to bottom, moved and solved.

The notebooks are found by themselves. Times are the benchmark's matter (`make bench`); here each
is printed, and none is a law.
"""

from collections.abc import Iterator
from types import SimpleNamespace

import nbformat
import pytest

pytest.importorskip("playwright", reason="playwright is not installed; browser tests are left out.")

from course_lib.exercises.registry import of_chapter
from course_lib.lab.measure import percentile
from tests.browser.jupyterlab import Lab
from tests.browser.notebook import Notebook
from tests.browser.sliders import PRESSES, WALKS, Tuned
from tools import install

NOTEBOOKS = sorted((install.ROOT / "notebooks").glob("*.ipynb"))
NOT_SHOWN = ("model not found", "Error displaying", "Loading widget", "Error creating widget")


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def visit(request: pytest.FixtureRequest, lab: Lab) -> Iterator[SimpleNamespace]:
    """A chapter opened, looked at, and run from top to bottom: the page and what was seen."""
    stored = nbformat.read(request.param, as_version=4)
    with lab.open(request.param.stem) as page:
        seen = SimpleNamespace(stored=stored, chapter=page, opened=page.first_sight())
        page.run_all()
        yield seen


def test_stored_pictures_before_any_run(visit: SimpleNamespace) -> None:
    """Before any run, each picture of the chapter is there as stored, and no broken widget."""
    outputs = [output for cell in visit.stored.cells for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert visit.opened["pictures"] == pictures > 0
    assert [words for words in NOT_SHOWN if words in visit.opened["text"]] == []


def test_chapter_runs_from_top_to_bottom(visit: SimpleNamespace, chapter: Notebook) -> None:
    """Run All in JupyterLab runs each cell of the chapter, in order, without an error."""
    assert chapter.errors_shown() == []
    code = [cell for cell in chapter.save().cells if cell.cell_type == "code"]
    assert len(code) == sum(cell.cell_type == "code" for cell in visit.stored.cells)
    errors = [o for cell in code for o in cell.outputs if o.output_type == "error"]
    assert errors == []
    assert all(cell.execution_count for cell in code)


def test_each_press_of_a_slider_changes_the_picture(
    visit: SimpleNamespace, chapter: Notebook
) -> None:
    """Thirty arrow keys on sliders, each setting a new one: after each the picture is another.

    It holds for each widget with sliders that a chapter has.
    """
    code = [cell for cell in visit.stored.cells if cell.cell_type == "code"]
    walks = WALKS.get(chapter.path.stem, {})
    assert [cell.id for cell in code if "tune(" in cell.source] == list(walks)
    for cell_id, names in walks.items():
        tuned = Tuned(chapter, cell_id)
        last, times = tuned.picture(), []
        for picture, times in tuned.walk(*names):  # noqa: B007
            assert picture != last
            last = picture
        assert len(times) == PRESSES
        p50, p95 = percentile(times, 50), percentile(times, 95)
        print(f"{cell_id}: key to changed picture p50 {p50:.0f} ms, p95 {p95:.0f} ms")


def test_an_exercise_is_failed_and_then_passed(chapter: Notebook) -> None:
    """A wrong answer gets FAIL with the name of its misconception, the right one PASS."""
    exercise = of_chapter(chapter.path.stem.partition("_")[2])[0]
    mistake, name = exercise.mistakes[0], exercise.id.partition(".")[2].replace("_", "-")
    stub, check = f"exercise-{name}", f"check-{name}"
    chapter.type_over(stub, mistake.source)
    chapter.run(stub)
    said = chapter.run(check)
    assert "FAIL" in said
    assert mistake.message.replace("`", "") in said
    chapter.type_over(stub, exercise.answer)
    chapter.run(stub)
    said = chapter.run(check)
    assert "PASS" in said
    assert "FAIL" not in said
