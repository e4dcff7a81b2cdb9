"""Feedback on one notebook: each exercise, each property, what failed, in words.

The parameters that decided are not in it. What failed is shown on a draw of its own, which counted
for nothing. All text is escaped, and the page runs nothing.
"""

from typing import Any

from course_lib.exercises.chapters import CHAPTERS, START
from course_lib.exercises.registry import find
from course_lib.grading.report.gradebook import Entry
from course_lib.grading.report.page import capital, cells, page, prose, table, text
from course_lib.grading.report.picture import diagram

__all__ = ["feedback"]

Said = dict[str, Any]
TITLES = {chapter.notebook: chapter.title for chapter in (START, *CHAPTERS)}
HOLDS = {"PASS": ("● holds", "good"), "FAIL": ("▲ does not hold", "bad")}
NOT_DECIDED = ("◌ not decided", "short")
VERDICTS = {
    "PASS": ("● passed", "good"),
    "FAIL": ("▲ not yet", "bad"),
    "UNKNOWN": ("◌ not decided", "bad"),
    "NOT STARTED": ("○ not started", "short"),
    "MISSING": ("○ no cell", "short"),
    "REFUSED": ("▲ not graded", "bad"),
    "VIOLATION": ("▲ stopped", "bad"),
}


def feedback(student: str, entry: Entry) -> str:
    """Return the page for one student and notebook."""
    said = entry.result.get("exercises", [])
    most = sum(entry.out_of.values())
    parts = [f"<p><strong>{entry.total:g} of {most:g} points.</strong> {_from(entry)}</p>"]
    if said:
        head = ("Exercise", "Verdict", "Points")
        parts.append(table(head, [_summary(one, entry) for one in said]))
    parts += [_exercise(one, entry) for one in said]
    return page(f"{student}: {TITLES.get(f'{entry.notebook}.ipynb', entry.notebook)}", *parts)


def _from(entry: Entry) -> str:
    said = {
        "late": f"From {entry.file}, which came late.",
        "refused": f"{entry.file} was not graded. {entry.reason}",
    }
    return text(said.get(entry.status, f"From {entry.file}."))


def _summary(said: Said, entry: Entry) -> str:
    exercise = find(said["exercise"])
    words, kind = VERDICTS.get(said["state"], NOT_DECIDED)
    points = f"{entry.points[exercise.id]:g} of {entry.out_of[exercise.id]:g}"
    return cells(exercise.title, words, points, kinds=("", kind, "number"))


def _exercise(said: Said, entry: Entry) -> str:
    parts = [f"<h2>{text(find(said['exercise']).title)}</h2>"]
    words, kind = VERDICTS.get(said["state"], NOT_DECIDED)
    parts.append(f'<p class="{kind}">{text(capital(words))}</p>')
    if said.get("cell"):
        parts.append(f"<p>{prose(said['cell'])}</p>")
    parts += [f'<p class="idea">{prose(idea)}</p>' for idea in _ideas(said)]
    if said["properties"] and said["state"] != "NOT STARTED":
        laws = table(("What must hold", ""), [_law(line) for line in said["properties"]])
        parts.append(_folded(laws, len(said["properties"])) if said["state"] == "PASS" else laws)
    parts += _example(said.get("example") or {})
    return "\n".join(parts)


def _law(line: Said) -> str:
    sign, kind = HOLDS.get(line["state"], NOT_DECIDED)
    return cells(capital(line["sentence"]), sign, kinds=("", kind))


def _folded(laws: str, count: int) -> str:
    return f"<details><summary>What was looked at ({count})</summary>{laws}</details>"


def _ideas(said: Said) -> list[str]:
    ideas = [line.get("misconception", "") for line in said["properties"]]
    return [idea for idea in dict.fromkeys(ideas) if idea]


def _example(example: Said) -> list[str]:
    """The failure on a draw that did not count: words, and a diagram when there is a schedule."""
    words = " ".join(filter(None, [example.get("reason"), example.get("counterexample")]))
    if not words:
        return []
    parts = [f"<p>For example, on a draw that did not count: {prose(words)}</p>"]
    effects = example.get("effects") or []
    if effects:
        lines = [
            f"{n:>3}. {e['who']}: {e['what']} -> {e['result']}" for n, e in enumerate(effects, 1)
        ]
        parts += [diagram(effects), f"<pre>{text(chr(10).join(lines))}</pre>"]
    return parts
