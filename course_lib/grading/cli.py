"""The command line: `python -m course_lib.grading SUBMISSIONS --out GRADES`.

Exit status 0: every submission has a verdict, however bad. 1: some have none, because the grader
itself failed; run it again. 2: grading could not start. 130: interrupted; run it again.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from course_lib.grading import doctor, secret, settings
from course_lib.grading.cohort import Plan, grade_all
from course_lib.grading.course import Course
from course_lib.grading.errors import CannotStart
from course_lib.grading.grade import Grader
from course_lib.grading.lane import Lane
from course_lib.grading.report.gradebook import Book, build
from course_lib.grading.report.write import write_reports
from course_lib.grading.sandbox.boundary import find_bwrap
from course_lib.grading.sandbox.limits import CELL
from course_lib.grading.store import Store
from course_lib.grading.submissions import Stray, Submission, find

__all__ = ["main"]

PER_WORKER = 16  # submissions; for fewer, one more worker takes longer to start than it saves
SECONDS = f"real time for one exercise, more on a slow machine (default: {CELL.wall:g})"
EPILOG = """
what is handed in:  SUBMISSIONS/<student>/<NN_slug>.ipynb, a second time <NN_slug>.2.ipynb
what comes out:     gradebook.csv, .json and .html, canvas.csv, moodle.csv, triage.html,
                    feedback/<student>/<NN_slug>.html, executed/<student>/<NN_slug>.ipynb,
                    results/<student>/..., one file per submission and grader version

settings (TOML, all optional):
  students = ["ada", "bob"]            who is in the course; others appear as they hand in
  notebooks = ["12_rate_limiting"]     what counts; by default whatever was handed in
  late_factor = 0.5                    what late points are worth
  [weights]
  "rate_limiting.audit" = 2            points of an exercise; 1 unless it is named
  [due]
  12_rate_limiting = 2026-02-01T23:59:00Z

exit status: 0 every submission has a verdict; 1 some have none, run it again;
             2 grading could not start, and the reason is printed

To see what this machine lacks: python -m course_lib.grading doctor
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["doctor"]:
        return doctor.doctor()
    options = _parser().parse_args(words)
    try:
        return _run(options)
    except CannotStart as reason:
        print(f"Grading cannot start: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. What is done is kept; run it again to go on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.grading",
        description="Grade a folder of submissions in a sandbox.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("submissions", type=_path, help="the folder that was handed in, or the word doctor")
    add("--out", type=_path, required=True, help="the folder for grades; made if it is not there")
    add(
        "--workers",
        type=_count,
        metavar="N",
        help="processes on this machine (default: cores, one for a small folder)",
    )
    add("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.5:8786")
    add("--only", metavar="STUDENT", help="grade this student only; the others keep their results")
    add("--round", type=int, default=0, metavar="N", help="draw new parameters (default: 0)")
    add("--settings", type=_path, metavar="FILE", help="weights, due dates, students (see below)")
    add("--secret", type=_path, metavar="FILE", help=f"the secret (or ${secret.VARIABLE})")
    add("--notebooks", type=_path, metavar="FOLDER", help="the course's own notebooks")
    add("--seconds", type=_count, default=int(CELL.wall), metavar="N", help=SECONDS)
    add("--no-notebooks", action="store_true", help="do not execute whole notebooks; grades only")
    return parser


def _path(text: str) -> Path:
    """A path; `~` is the home folder here too, where make and quotes keep the shell from it."""
    return Path(text).expanduser()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _run(options: argparse.Namespace) -> int:
    find_bwrap()
    course = Course(options.notebooks)
    rules = settings.load(options.settings, set(course.chapters))
    secret.load(options.secret)
    found, strays, students = find(options.submissions, set(course.chapters))
    if not students:
        raise CannotStart(f"{options.submissions} holds no folder of a student.")
    todo = [s for s in found if options.only in (None, s.student)]
    if options.only and not todo:
        raise CannotStart(f"{options.only} has handed nothing in.")
    troubles = _grade(options, course, todo)
    book = _book(options, course, rules, (found, strays, students))
    write_reports(book, options.out)
    _summary(book, troubles, options.out)
    return 1 if troubles else 0


def _grade(
    options: argparse.Namespace, course: Course, todo: list[Submission]
) -> dict[Submission, str]:
    """Grade what is to be graded; return the troubles that were not the submissions' own."""
    options.out.mkdir(parents=True, exist_ok=True, mode=0o700)
    plan = Plan(
        folder=options.submissions.absolute(),
        out=options.out.absolute(),
        notebooks=options.notebooks and options.notebooks.absolute(),
        secret_file=options.secret and options.secret.absolute(),
        round=options.round,
        execute=not options.no_notebooks,
        seconds=options.seconds,
        version=course.version,
    )
    workers = options.workers or min(os.cpu_count() or 1, 1 + len(todo) // PER_WORKER)
    troubles: dict[Submission, str] = {}
    bar = _Bar(len(todo))

    def done(submission: Submission, trouble: str) -> None:
        bar.step()
        if trouble:
            troubles[submission] = trouble

    grade_all(plan, todo, workers, options.scheduler, done)
    bar.end()
    return troubles


def _book(
    options: argparse.Namespace,
    course: Course,
    rules: settings.Settings,
    folder: tuple[list[Submission], list[Stray], list[str]],
) -> Book:
    found, strays, students = folder
    store = Store(options.out, course.version, options.round)
    reader = Grader(options.submissions, course, secret.load(options.secret), store, Lane([]))
    results = {submission: reader.result(submission) for submission in found}
    return build(course, rules, students, results, strays, options.round)


class _Bar:
    """A progress bar on the terminal; one line at the end where there is none."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._live = total, 0, sys.stderr.isatty()

    def step(self) -> None:
        self._done += 1
        if self._live:
            filled = 40 * self._done // max(1, self._total)
            bar = "█" * filled + "·" * (40 - filled)
            print(f"\r{bar} {self._done} of {self._total}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._live:
            print(file=sys.stderr)
        else:
            print(f"{self._done} of {self._total} submissions looked at", file=sys.stderr)


def _summary(book: Book, troubles: dict[Submission, str], out: Path) -> None:
    width = max([len(row.student) for row in book.rows] + [7])
    print(f"{'student':<{width}}  points of {book.out_of:g}")
    for row in book.rows:
        states = Counter(e.status for e in row.entries if e.status != "graded")
        note = ", ".join(f"{count} {status}" for status, count in sorted(states.items()))
        print(f"{row.student:<{width}}  {row.total:>6g}  {note}".rstrip())
    for stray in book.strays:
        print(f"refused: {stray.name}: {stray.reason}")
    for submission, trouble in troubles.items():
        print(f"no verdict: {submission.student}/{submission.file}: {trouble}")
    print(f"Written to {out}.")
