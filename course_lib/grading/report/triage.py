"""What an instructor should look at first: time-outs, broken rules, twins, hard exercises.

Twins are sources of one shape, whatever the names in them (see judge.twins). Left out:
any judgement of them; two students may have read the same book.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from course_lib.exercises.registry import find
from course_lib.grading.judge.twins import shape
from course_lib.grading.report.gradebook import Book
from course_lib.grading.report.page import capital, cells, page, table, text

__all__ = ["triage"]

Said = dict[str, Any]
Rows = list[tuple[object, ...]]


def triage(book: Book) -> str:
    """Return the page."""
    graded = [(row.student, entry) for row in book.rows for entry in row.entries if entry.result]
    said = [(student, s) for student, entry in graded for s in entry.result.get("exercises", [])]
    broken = [(who, s) for who, s in said if s["state"] == "VIOLATION"]
    late = [(who, s) for who, s in broken if s.get("kind") == "time"]
    others = [(who, s) for who, s in broken if s.get("kind") != "time"]
    rule = ("student", "exercise", "what")
    return page(
        "Triage",
        f"<p>{text(_in_short(book))}</p>",
        _section("Time-outs", rule, _violations(late)),
        _section("Rules that were broken", rule, _violations(others)),
        _section("Sources that are twins", ("exercise", "students", "note"), _twins(book)),
        _section("Exercises by failures", FAILURES, _failures(said), NUMBERS),
        _section("Files that were refused", ("student", "file", "why"), _refused(book)),
        _section("Names that were refused", ("name", "why"), _strays(book)),
    )


def _in_short(book: Book) -> str:
    states = Counter(entry.status for row in book.rows for entry in row.entries)
    parts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    middle = median([row.total for row in book.rows]) if book.rows else 0
    return (
        f"{len(book.rows)} students; notebooks: {parts or 'none'}. Half of the students have "
        f"{middle:g} of {book.out_of:g} points or more. Grader {book.version}, round {book.round}."
    )


def _violations(broken: list[tuple[str, Said]]) -> Rows:
    return [(who, s["exercise"], s["cell"]) for who, s in broken]


def _twins(book: Book) -> Rows:
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in book.rows:
        for entry in row.entries:
            for said in entry.result.get("exercises", []):
                if "shape" in said:
                    seen[said["exercise"], said["shape"]].add(row.student)
    groups = [(e, s, sorted(who)) for (e, s), who in sorted(seen.items()) if len(who) > 1]
    return [(e, ", ".join(who), _ours(e, s)) for e, s, who in groups]


def _ours(exercise: str, seen: str) -> str:
    return "the course's own answer" if shape(find(exercise).answer) == seen else ""


FAILURES = ("exercise", "passed", "not passed", "not started", "fails most often")
NUMBERS = ("", "number", "number", "number", "")


def _failures(said: list[tuple[str, Said]]) -> Rows:
    states: dict[str, Counter[str]] = defaultdict(Counter)
    laws: dict[str, Counter[str]] = defaultdict(Counter)
    for _, s in said:
        states[s["exercise"]][s["state"]] += 1
        laws[s["exercise"]].update(p["sentence"] for p in s["properties"] if p["state"] == "FAIL")
    hardest = sorted(states, key=lambda e: (-_counts(states[e])[1], e))
    return [(e, *_counts(states[e]), _often(laws[e])) for e in hardest]


def _counts(states: Counter[str]) -> tuple[int, int, int]:
    passed, idle = states["PASS"], states["NOT STARTED"] + states["MISSING"]
    return passed, states.total() - passed - idle, idle


def _often(laws: Counter[str]) -> str:
    often = laws.most_common(1)
    return f"{capital(often[0][0])} ({often[0][1]})" if often else ""


def _strays(book: Book) -> Rows:
    return [(stray.name, stray.reason) for stray in book.strays]


def _refused(book: Book) -> Rows:
    entries = [(row.student, e) for row in book.rows for e in row.entries]
    return [(who, e.file, e.reason) for who, e in entries if e.status == "refused"]


def _section(title: str, head: tuple[str, ...], rows: Rows, kinds: Sequence[str] = ()) -> str:
    if not rows:
        return f'<h2>{text(title)}</h2><p class="quiet">None.</p>'
    body = table([capital(name) for name in head], [cells(*row, kinds=kinds) for row in rows])
    return f"<h2>{text(title)}</h2>{body}"
