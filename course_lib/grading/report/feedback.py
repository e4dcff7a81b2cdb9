"""Feedback on one notebook: each exercise, each property, what failed, in words.

The parameters that decided are not in it. What failed is shown on a draw of its own, which counted
for nothing. All text is escaped, and the page runs nothing.
"""

from typing import Any

from course_lib.exercises.registry import find
from course_lib.grading.report.gradebook import Entry
from course_lib.grading.report.page import page, text
from course_lib.grading.report.picture import diagram

__all__ = ["feedback"]

Said = dict[str, Any]
SIGN = {"PASS": "● holds", "FAIL": "▲ does not hold", "UNKNOWN": "◌ not decided"}


def feedback(student: str, entry: Entry) -> str:
    """Return the page for one student and notebook."""
    parts = [
        f"<p>{text(entry.total)} of {text(sum(entry.out_of.values()))} points. {_from(entry)}</p>"
    ]
    parts += [_exercise(said, entry) for said in entry.result.get("exercises", [])]
    return page(f"{student}: {entry.notebook}", *parts)


def _from(entry: Entry) -> str:
    said = {
        "late": f"From {entry.file}, which came late.",
        "refused": f"{entry.file} was not graded. {entry.reason}",
    }
    return text(said.get(entry.status, f"From {entry.file}."))


def _exercise(said: Said, entry: Entry) -> str:
    exercise = find(said["exercise"])
    points, most = entry.points[exercise.id], entry.out_of[exercise.id]
    parts = [
        f"<h2>{text(exercise.title)}</h2>",
        f"<p>{text(_state(said))} · {points:g} of {most:g} points</p>",
    ]
    if said.get("cell"):
        parts.append(f"<p>{text(said['cell'])}</p>")
    if said["properties"] and said["state"] != "NOT STARTED":
        rows = "".join(_row(line) for line in said["properties"])
        parts.append(f"<table><tr><th>What must hold</th><th></th></tr>{rows}</table>")
    parts += _ideas(said)
    parts += _example(said.get("example") or {})
    return "\n".join(parts)


def _state(said: Said) -> str:
    words = {"MISSING": "No cell", "REFUSED": "Not graded", "VIOLATION": "Stopped"}
    state: str = said["state"]
    return words.get(state, state.capitalize())


def _row(line: Said) -> str:
    sign = SIGN.get(line["state"], "◌ not decided")
    return f"<tr><td>{text(line['sentence'])}</td><td>{text(sign)}</td></tr>"


def _ideas(said: Said) -> list[str]:
    ideas = [line.get("misconception", "") for line in said["properties"]]
    return [f"<p>{text(idea)}</p>" for idea in dict.fromkeys(ideas) if idea]


def _example(example: Said) -> list[str]:
    """The failure on a draw that did not count: words, and a diagram when there is a schedule."""
    words = " ".join(filter(None, [example.get("reason"), example.get("counterexample")]))
    if not words:
        return []
    parts = [f"<p>For example, on a draw that did not count: {text(words)}</p>"]
    effects = example.get("effects") or []
    if effects:
        lines = [
            f"{n:>3}. {e['who']}: {e['what']} -> {e['result']}" for n, e in enumerate(effects, 1)
        ]
        parts += [diagram(effects), f"<pre>{text(chr(10).join(lines))}</pre>"]
    return parts
