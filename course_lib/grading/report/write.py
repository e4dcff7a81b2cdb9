"""Writes everything that follows from the results: tables, feedback pages, triage.

All of it is made again on every run, and the same results give the same bytes. Left out: results.
"""

from pathlib import Path

from course_lib.grading.report.feedback import feedback
from course_lib.grading.report.gradebook import Book
from course_lib.grading.report.overview import overview
from course_lib.grading.report.tables import canvas_csv, gradebook_csv, gradebook_json, moodle_csv
from course_lib.grading.report.triage import triage
from course_lib.grading.store import write_whole

__all__ = ["write_reports"]


def write_reports(book: Book, out: Path) -> None:
    """Write the gradebook, the imports, a page per student and notebook, and the triage page."""
    write_whole(out / "gradebook.csv", gradebook_csv(book))
    write_whole(out / "gradebook.json", gradebook_json(book))
    write_whole(out / "canvas.csv", canvas_csv(book))
    write_whole(out / "moodle.csv", moodle_csv(book))
    write_whole(out / "gradebook.html", overview(book))
    write_whole(out / "triage.html", triage(book))
    for row in book.rows:
        for entry in row.entries:
            if entry.result:
                place = out / "feedback" / row.student / f"{entry.notebook}.html"
                write_whole(place, feedback(row.student, entry))
