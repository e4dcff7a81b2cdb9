"""The gradebook to look at: a row per student, a column per notebook, a sign for each exercise.

Left out: everything that a program would read (see tables).
"""

from course_lib.exercises.registry import find
from course_lib.grading.report.feedback import NOT_DECIDED, VERDICTS
from course_lib.grading.report.gradebook import Book, Entry, Row
from course_lib.grading.report.page import capital, cells, page, table, text

__all__ = ["overview"]

LEGEND = "● passed · ▲ not passed · ◌ not decided · ○ not started"
Cell = tuple[str, str]


def overview(book: Book) -> str:
    """Return the page."""
    notebooks = [entry.notebook for entry in book.rows[0].entries] if book.rows else []
    head = ("Student", "Points", *(name.replace("_", " ") for name in notebooks), "Remarks")
    return page(
        "Gradebook",
        f"<p>{len(book.rows)} students, {book.out_of:g} points at most. {text(LEGEND)}</p>",
        table(head, [_row(book, row) for row in book.rows]),
        f'<p class="quiet">{text(_order(book))}</p>',
        f'<p class="quiet">Grader {text(book.version)}, round {book.round}.</p>',
    )


def _order(book: Book) -> str:
    """The exercises in the order of their signs."""
    titles: dict[str, list[str]] = {}
    for name in book.exercises:
        exercise = find(name)
        titles.setdefault(exercise.chapter, []).append(exercise.title)
    chapters = [
        f"{capital(name.replace('_', ' '))}: {'; '.join(of)}" for name, of in titles.items()
    ]
    return f"The signs stand in the order of the exercises. {'. '.join(chapters)}."


def _row(book: Book, row: Row) -> str:
    made = [_notebook(book, entry) for entry in row.entries]
    remarks = "; ".join(remark for entry in row.entries if (remark := _remark(entry)))
    values = (row.student, f"{row.total:g}", *(words for words, _ in made), remarks)
    return cells(*values, kinds=("short", "number", *(kind for _, kind in made), ""))


def _notebook(book: Book, entry: Entry) -> Cell:
    said = {each["exercise"]: each["state"] for each in entry.result.get("exercises", [])}
    if not said:
        return entry.status, "quiet"
    made = [VERDICTS.get(said[e], NOT_DECIDED) for e in book.exercises if e in said]
    kinds = {kind for _, kind in made}
    return "".join(words[0] for words, _ in made), kinds.pop() if len(kinds) == 1 else "short"


def _remark(entry: Entry) -> str:
    said = [f"{entry.file} counts"] if entry.file.count(".") > 1 else []
    if entry.status == "late":
        said.append(f"{entry.notebook} is late")
    if entry.reason:
        said.append(f"{entry.notebook}: {entry.reason}")
    return "; ".join(said)
