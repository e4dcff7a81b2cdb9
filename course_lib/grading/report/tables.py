"""The gradebook as files: our own CSV and JSON, and what Canvas and Moodle import.

No cell can be a formula, whatever a name begins with. Left out: uploading.
Sources: Canvas Instructor Guide, "How do I import grades in the Gradebook?" (Student, ID, SIS User
ID, SIS Login ID, Section, one column per assignment, a row "Points Possible"); MoodleDocs, "Grade
import" (a column that identifies the user, mapped on import, and one column per grade item).
"""

import csv
import io
import json
from typing import Any

from course_lib.grading.report.gradebook import Book, Entry

__all__ = ["canvas_csv", "gradebook_csv", "gradebook_json", "moodle_csv"]

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def gradebook_csv(book: Book) -> str:
    """Return a row per student: status and points of each notebook, each exercise, the total."""
    names = [entry.notebook for entry in book.rows[0].entries] if book.rows else []
    head = ["student", "total", "out of", *names, *(f"{n} status" for n in names), *book.exercises]
    lines: list[list[object]] = [[*head, "note"]]
    for row in book.rows:
        points = {e: p for entry in row.entries for e, p in entry.points.items()}
        note = "; ".join(_note(entry) for entry in row.entries if _note(entry))
        counts = [points.get(name, 0.0) for name in book.exercises]
        totals = [entry.total for entry in row.entries]
        status = [entry.status for entry in row.entries]
        lines.append([row.student, row.total, book.out_of, *totals, *status, *counts, note])
    for stray in book.strays:
        blank = [""] * (len(head) - 1)
        lines.append([stray.name, *blank, f"refused: {stray.reason}"])
    return _csv(lines)


def _note(entry: Entry) -> str:
    """Which file counted, when it is not the plain one, and why it was refused."""
    if entry.reason:
        return f"{entry.file}: {entry.reason}"
    return f"{entry.file} counts" if entry.file.count(".") > 1 else ""


def gradebook_json(book: Book) -> str:
    """Return everything that the gradebook knows."""
    rows: list[dict[str, Any]] = [
        {
            "student": row.student,
            "total": row.total,
            "notebooks": {entry.notebook: _entry(entry) for entry in row.entries},
        }
        for row in book.rows
    ]
    whole = {
        "version": book.version,
        "round": book.round,
        "out_of": book.out_of,
        "exercises": book.exercises,
        "students": rows,
        "refused": [{"name": stray.name, "reason": stray.reason} for stray in book.strays],
    }
    return json.dumps(whole, indent=1, sort_keys=True) + "\n"


def _entry(entry: Entry) -> dict[str, Any]:
    states = {said["exercise"]: said["state"] for said in entry.result.get("exercises", [])}
    return {
        "status": entry.status,
        "file": entry.file,
        "sha256": entry.result.get("sha256", ""),
        "reason": entry.reason,
        "total": entry.total,
        "points": entry.points,
        "states": states,
    }


def canvas_csv(book: Book) -> str:
    """Return what Canvas imports; students are matched by their SIS Login ID."""
    names = [entry.notebook for entry in book.rows[0].entries] if book.rows else []
    fixed = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    most = [sum(e.out_of.values()) for e in book.rows[0].entries] if book.rows else []
    lines: list[list[object]] = [[*fixed, *names], ["    Points Possible", "", "", "", "", *most]]
    for row in book.rows:
        lines.append([row.student, "", "", row.student, "", *(e.total for e in row.entries)])
    return _csv(lines)


def moodle_csv(book: Book) -> str:
    """Return what Moodle imports; map `Username` to the user's name on import."""
    names = [entry.notebook for entry in book.rows[0].entries] if book.rows else []
    lines: list[list[object]] = [["Username", *names]]
    lines += [[row.student, *(entry.total for entry in row.entries)] for row in book.rows]
    return _csv(lines)


def _csv(lines: list[list[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(c) for c in line] for line in lines)
    return out.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
