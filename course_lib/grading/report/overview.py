"""The gradebook to look at: a row per student, a column per exercise, a sign for each verdict.

Left out: everything that a program would read (see tables).
"""

from typing import Any

from course_lib.exercises.registry import find
from course_lib.grading.report.feedback import NOT_DECIDED, VERDICTS
from course_lib.grading.report.gradebook import Book, Entry, Row
from course_lib.grading.report.page import cells, page, table, text

__all__ = ["overview"]

LEGEND = "● passed · ▲ not passed · ◌ not decided · ○ nothing handed in for it"


def overview(book: Book) -> str:
    """Return the page."""
    names = [f"{n} {find(e).title}" for n, e in enumerate(book.exercises, 1)]
    head = ("Student", "Points", *map(str, range(1, len(names) + 1)), "Remarks")
    legend = "; ".join(names)
    return page(
        "Gradebook",
        f"<p>{len(book.rows)} students, {book.out_of:g} points at most. {text(LEGEND)}</p>",
        table(head, [_row(book, row) for row in book.rows]),
        f'<p class="quiet">{text(legend)}</p>',
        f'<p class="quiet">Grader {text(book.version)}, round {book.round}.</p>',
    )


def _row(book: Book, row: Row) -> str:
    found = {s["exercise"]: s for e in row.entries for s in e.result.get("exercises", [])}
    signs = [_sign(found.get(name)) for name in book.exercises]
    remarks = "; ".join(remark for entry in row.entries if (remark := _remark(entry)))
    values = (row.student, f"{row.total:g}", *(sign for sign, _ in signs), remarks)
    return cells(*values, kinds=("short", "number", *(kind for _, kind in signs), ""))


def _sign(said: dict[str, Any] | None) -> tuple[str, str]:
    words, kind = VERDICTS.get(said["state"], NOT_DECIDED) if said else ("○", "short")
    return words[0], kind


def _remark(entry: Entry) -> str:
    if entry.status == "graded":
        return f"{entry.file} counts" if entry.file.count(".") > 1 else ""
    return f"{entry.notebook}: {entry.status}" + (f" ({entry.reason})" if entry.reason else "")
