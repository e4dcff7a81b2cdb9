"""What an instructor should look at first: broken rules, time-outs, twins, hard exercises.

Twins are sources of one shape, whatever the names in them (see judge.twins). Left out:
any judgement of them; two students may have read the same book.
"""

from collections import Counter, defaultdict
from typing import Any

from course_lib.grading.report.gradebook import Book
from course_lib.grading.report.page import page, text

__all__ = ["triage"]

Said = dict[str, Any]


def triage(book: Book) -> str:
    """Return the page."""
    graded = [(row.student, entry) for row in book.rows for entry in row.entries if entry.result]
    said = [(student, s) for student, entry in graded for s in entry.result.get("exercises", [])]
    return page(
        "Triage",
        _section("Rules that were broken", ("student", "exercise", "what"), _violations(said)),
        _section("Sources that are twins", ("exercise", "students"), _twins(book)),
        _section("Exercises by failures", ("exercise", "failed", "most often"), _failures(said)),
        _section(
            "Names that were refused", ("name", "why"), [(s.name, s.reason) for s in book.strays]
        ),
        _section("Files that were refused", ("student", "file", "why"), _refused(book)),
    )


def _violations(said: list[tuple[str, Said]]) -> list[tuple[str, ...]]:
    broken = [(who, s) for who, s in said if s["state"] == "VIOLATION"]
    return [(who, s["exercise"], f"{s.get('kind', '')}: {s['cell']}") for who, s in broken]


def _twins(book: Book) -> list[tuple[str, ...]]:
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in book.rows:
        for entry in row.entries:
            for said in entry.result.get("exercises", []):
                if "shape" in said:
                    seen[said["exercise"], said["shape"]].add(row.student)
    groups = [(e, ", ".join(sorted(who))) for (e, _), who in sorted(seen.items()) if len(who) > 1]
    return list(groups)


def _failures(said: list[tuple[str, Said]]) -> list[tuple[str, ...]]:
    tried, failed = Counter[str](), Counter[str]()
    laws: dict[str, Counter[str]] = defaultdict(Counter)
    for _, s in said:
        tried[s["exercise"]] += 1
        failed[s["exercise"]] += s["state"] != "PASS"
        laws[s["exercise"]].update(p["sentence"] for p in s["properties"] if p["state"] == "FAIL")
    rows: list[tuple[str, ...]] = []
    for exercise, count in failed.most_common():
        often = laws[exercise].most_common(1)
        share = f"{count} of {tried[exercise]}"
        rows.append((exercise, share, f"{often[0][0]} ({often[0][1]})" if often else ""))
    return rows


def _strays(book: Book) -> list[tuple[str, ...]]:
    return [(stray.name, stray.reason) for stray in book.strays]


def _refused(book: Book) -> list[tuple[str, ...]]:
    entries = [(row.student, e) for row in book.rows for e in row.entries]
    return [(who, e.file, e.reason) for who, e in entries if e.status == "refused"]


def _section(title: str, head: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return f"<h2>{text(title)}</h2><p>None.</p>"
    heads = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = ["".join(f"<td>{text(value)}</td>" for value in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<h2>{text(title)}</h2><table><tr>{heads}</tr>{body}</table>"
