"""Tables, feedback, triage: pure functions of results, in which nothing of a student's acts."""

import csv
import io
import json
import re
from typing import Any

import pytest

from course_lib.grading.course import Course
from course_lib.grading.report.executed import sanitised
from course_lib.grading.report.feedback import feedback
from course_lib.grading.report.gradebook import Book, build
from course_lib.grading.report.overview import overview
from course_lib.grading.report.page import POLICY
from course_lib.grading.report.picture import diagram
from course_lib.grading.report.tables import canvas_csv, gradebook_csv, gradebook_json, moodle_csv
from course_lib.grading.report.triage import triage
from course_lib.grading.settings import Settings
from course_lib.grading.submissions import Stray, Submission

START, VISIT = "00_start_here", "start_here.record_visit"
EVIL = "<script>alert(1)</script>\"'&=1"
EFFECT = {"who": EVIL, "target": "redis", "what": EVIL, "result": EVIL, "time": 0.0}


def result(student: str, state: str, **more: Any) -> dict[str, Any]:
    """Return one result of the start notebook."""
    line = {"property": "alone", "sentence": EVIL, "state": "FAIL", "misconception": EVIL}
    said = {"exercise": VISIT, "state": state, "cell": EVIL, "properties": [line], "shape": "s"}
    said |= {"example": {"reason": EVIL, "counterexample": EVIL, "effects": [EFFECT]}}
    head = {"student": student, "status": "graded", "reason": "", "changed": 100, "sha256": "0"}
    return {**head, "exercises": [said], **more}


def book(course: Course, results: dict[str, dict[str, Any] | None], **more: Any) -> Book:
    """Return the gradebook of these students' start notebooks."""
    given: dict[Submission, dict[str, Any] | None] = {
        Submission(name, START, 1, f"{START}.ipynb"): r for name, r in results.items()
    }
    strays = [Stray("=cmd|'x'", "It is no name.")]
    return build(course, Settings(**more), results, given, strays, 0)


def rows(text: str) -> list[dict[str, str]]:
    """Return a CSV's rows."""
    return list(csv.DictReader(io.StringIO(text)))


def test_points(course: Course) -> None:
    """An exercise gives its weight or nothing; missing and late are said; late costs."""
    results = {"ada": result("ada", "PASS"), "bob": result("bob", "FAIL"), "cleo": None}
    more = {"weights": {VISIT: 4.0}, "students": ("dan",), "due": {START: 50.0}}
    table = {
        r["student"]: r for r in rows(gradebook_csv(book(course, results, late_factor=0.5, **more)))
    }
    assert [table[n]["total"] for n in ("ada", "bob", "cleo", "dan")] == ["2", "0", "0", "0"]
    status = [table[n][f"{START} status"] for n in ("ada", "bob", "cleo", "dan")]
    assert status == ["late", "late", "not graded", "missing"]


@pytest.mark.parametrize("state", ["FAIL", "UNKNOWN", "NOT STARTED", "VIOLATION", "MISSING"])
def test_not_a_pass(course: Course, state: str) -> None:
    """Nothing but PASS gives points."""
    assert book(course, {"ada": result("ada", state)}).rows[0].total == 0


def test_no_formula(course: Course) -> None:
    """No cell of any table begins like a formula."""
    made = book(course, {"ada": result("ada", "PASS")})
    for text in (gradebook_csv(made), canvas_csv(made), moodle_csv(made)):
        for line in csv.reader(io.StringIO(text)):
            assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_imports(course: Course) -> None:
    """Canvas and Moodle find the columns that they ask for."""
    made = book(course, {"ada": result("ada", "PASS")})
    canvas = rows(canvas_csv(made))
    assert canvas[0]["Student"].strip() == "Points Possible"
    assert (canvas[1]["SIS Login ID"], canvas[1][START]) == ("ada", "1")
    assert rows(moodle_csv(made)) == [{"Username": "ada", START: "1"}]


def test_json(course: Course) -> None:
    """The JSON holds the whole book, the refused names too."""
    whole = json.loads(gradebook_json(book(course, {"ada": result("ada", "PASS")})))
    assert whole["students"][0]["notebooks"][START]["states"] == {VISIT: "PASS"}
    assert len(whole["refused"]) == 1


def test_pages(course: Course) -> None:
    """No page holds markup but our own, and each forbids everything but its own style."""
    made = book(course, {"ada": result("ada", "FAIL"), "bob": result("bob", "VIOLATION")})
    for text in (feedback("ada", made.rows[0].entries[0]), triage(made), overview(made)):
        assert "<script" not in text
        assert f'content="{POLICY}"' in text
        allowed = set(re.findall(r"<([a-z0-9]+)", text))
        assert not allowed & {"script", "img", "iframe", "a", "object", "form", "link", "base"}
        assert " on" not in " ".join(re.findall(r"<[^>]*>", text))


def test_triage(course: Course) -> None:
    """Time-outs stand by themselves; what nobody started is no failure."""
    said = result("bob", "VIOLATION")
    said["exercises"][0]["kind"] = "time"
    made = book(course, {"ada": result("ada", "NOT STARTED"), "bob": said})
    parts = dict(part.split("</h2>") for part in triage(made).split("<h2>")[1:])
    assert ">bob<" in parts["Time-outs"]
    assert "None." in parts["Rules that were broken"]
    counts = re.findall('<td class="number">([0-9])', parts["Exercises by failures"])
    assert counts == ["0", "1", "1"]


def test_overview(course: Course) -> None:
    """The gradebook to look at has a sign for each exercise of a notebook, and says what is
    missing.
    """
    made = book(course, {"ada": result("ada", "PASS"), "bob": None}, students=("cleo",))
    ada, bob, cleo = overview(made).split("<tr>")[2:5]
    assert ">\u25cf<" in ada
    assert "not graded" in bob
    assert "missing" in cleo
    late = book(course, {"ada": result("ada", "PASS")}, due={START: 0.0})
    assert f"{START} is late" in overview(late)


def test_twins(course: Course) -> None:
    """Two sources of one shape stand together on the triage page."""
    made = book(course, {"ada": result("ada", "PASS"), "bob": result("bob", "PASS")})
    assert "ada, bob" in triage(made)


def test_diagram() -> None:
    """The picture is ours, and its words are text."""
    assert "<script" not in diagram([EFFECT])


def test_executed() -> None:
    """Of an executed notebook only text comes back, into cells that are ours."""
    ours = {"cells": [{"cell_type": "code", "id": "one", "source": "1", "outputs": []}]}
    html = {
        "output_type": "display_data",
        "data": {"text/html": EVIL, "text/plain": "plain\x1b[0m"},
    }
    theirs = {"cells": [{"cell_type": "code", "id": "one", "source": EVIL, "outputs": [html]}]}
    text = sanitised(ours, json.dumps(theirs))
    assert json.loads(text)["cells"][0]["outputs"][0]["text"] == "plain"
    assert "script" not in text
    for broken in ("", "[]", "[" * 100_000, '{"cells": [{"id": {}, "cell_type": "code"}]}'):
        assert json.loads(sanitised(ours, broken))["cells"][0]["outputs"] == []
