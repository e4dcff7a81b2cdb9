"""Hands in all attacks at once, grades them with the command that an instructor types, and looks.

python -m tests.grading.attacks.runner [USER] [WORD]  prints what is wrong, for a user number and
the attacks whose name holds the word.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_lib.grading.course import Course
from course_lib.grading.sandbox.boundary import COURSE
from course_lib.grading.secret import Secret
from tests.grading.attacks.attack import Attack
from tests.grading.attacks.corpus import ATTACKS
from tests.grading.attacks.files import FILES, NAMES, FileAttack
from tests.grading.attacks.host import Host, Words
from tests.grading.kit import ANSWERS, EVERY_NOTEBOOK, NOTEBOOKS, notebook

__all__ = ["ORDINARY", "Ground", "Report", "filled", "grade", "left", "run", "touched"]

ORDINARY = 64_123
"""The number of a user without an account."""
WORKERS = "3"
FEW = 60  # students whom one worker grades sooner
SECONDS = "25"  # of real time for one exercise: many times what an honest one needs
PERFECT = ("a-perfect", "zz-perfect")
ELEMENTS = """!doctype html head meta title style body h1 h2 p strong table tr td th code pre svg
line text path details summary"""
"""The elements of our pages."""
Row = dict[str, Any]


@dataclass
class Report:
    """What a run showed: `problems` is empty when every attack failed and nothing was touched."""

    problems: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        return "\n".join([*self.problems, f"{len(self.states)} attacks, {self.seconds:.0f} s"])


@dataclass
class Ground:
    """The folders of one run, and who handed in what."""

    base: Path
    canary: str
    course: Course
    host: Host
    handed: dict[str, dict[str, Attack]] = field(default_factory=dict)
    files: dict[str, FileAttack] = field(default_factory=dict)
    sources: list[tuple[str, str]] = field(default_factory=list)

    @property
    def words(self) -> Words:
        """What an attack may know."""
        return {
            "@HOST@": str(self.host.folder),
            "@PORT@": str(self.host.port),
            "@UNIX@": str(self.host.folder / "socket"),
            "@SECRET@": str(self.base / "secret"),
            "@IN@": str(self.base / "in"),
            "@OUT@": str(self.base / "out"),
            "@COURSE@": str(COURSE),
            "@VENV@": sys.prefix,
        }


def run(
    user: int,
    attacks: Iterable[Attack] = ATTACKS,
    files: Iterable[FileAttack] = FILES,
    names: Iterable[str] = NAMES,
) -> Report:
    """Grade the attacks as a user of this machine, and return what was seen."""
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        base = Path(folder)
        base.chmod(0o755)  # nothing but the sandbox may stand between an attack and the host
        canary = f"canary-{secrets.token_hex(16)}"
        host = Host(base / "host", canary)
        try:
            ground = Ground(base, canary, Course(), host)
            _hand_in(ground, attacks, files, names)
            workers = WORKERS if len(ground.handed) > FEW else "1"
            return _judged(ground, grade(ground, user, workers))
        finally:
            host.close()


# Handing in


def _hand_in(
    ground: Ground,
    attacks: Iterable[Attack],
    files: Iterable[FileAttack],
    names: Iterable[str],
) -> None:
    (ground.base / "in").mkdir()
    for student in PERFECT:
        _write(ground, student, ANSWERS)
    _write(ground, "a-stubs", {})
    for student, group in _groups(attacks).items():
        ground.handed[student] = group
        _write(ground, student, {e: filled(ground, a.source) for e, a in group.items()})
    for number, attack in enumerate(files):
        student = f"n{number:03}"
        ground.files[student] = attack
        folder = _student(ground, student)
        attack.make(folder, notebook(ground.course, NOTEBOOKS[1], ANSWERS), ground.host.folder)
    for name in names:
        _write(ground, name, ANSWERS)
    (ground.base / "in" / "linked").symlink_to(ground.base / "in" / PERFECT[0])


def _groups(attacks: Iterable[Attack]) -> dict[str, dict[str, Attack]]:
    """One attack per exercise and student; the slowest first, each by itself."""
    groups: dict[str, dict[str, Attack]] = {}
    slow = sorted(attacks, key=lambda attack: (-attack.slow, attack.exercise))
    counts: dict[str, int] = {}
    for number, attack in enumerate(slow):
        if attack.slow:
            groups[f"b{number:03}"] = {attack.exercise: attack}
            continue
        place = counts[attack.exercise] = counts.get(attack.exercise, -1) + 1
        groups.setdefault(f"m{place:03}", {})[attack.exercise] = attack
    return groups


def filled(ground: Ground, source: str) -> str:
    """Return a source with the words of this run in it."""
    for word, value in ground.words.items():
        source = source.replace(word, value)
    return source


def _student(ground: Ground, name: str) -> Path:
    folder = ground.base / "in" / name
    folder.mkdir()
    return folder


def _write(ground: Ground, student: str, sources: dict[str, str]) -> None:
    """Write the notebooks whose exercises are answered; a secret of the student's is in them."""
    folder = _student(ground, student)
    ground.sources += list(sources.items())
    for name in EVERY_NOTEBOOK if student in PERFECT else NOTEBOOKS:
        ids = {exercise.id for exercise in ground.course.chapters[name].exercises}
        if sources and not ids & sources.keys():
            continue
        made = notebook(ground.course, name, sources)
        if student not in PERFECT and sources:
            made["cells"] = [c for c in made["cells"] if _wanted(c, sources)]
        made["cells"].append(_hostile(ground.canary))
        (folder / f"{name}.ipynb").write_text(json.dumps(made))


def _wanted(cell: Row, sources: dict[str, str]) -> bool:
    """Stubs of other exercises are left out: they cost time and prove nothing."""
    tags = [t for t in cell["metadata"].get("tags", []) if t.startswith("exercise:")]
    return not tags or tags[0].removeprefix("exercise:") in sources


def _hostile(canary: str) -> Row:
    """A cell that must do nothing wherever it is shown."""
    output = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": "<script>alert('attack')</script>", "text/plain": "=1+1"},
    }
    return {
        "cell_type": "code",
        "id": "hostile",
        "metadata": {"tags": ["<script>"], "course": canary},
        "source": f"# {canary}\n'</script><script>alert(1)</script>'",
        "outputs": [output],
        "execution_count": 1,
    }


# Grading


def grade(ground: Ground, user: int, workers: str = WORKERS, notebooks: bool = False) -> Row:
    """Run the command as that user, under the keeper; return what the keeper says."""
    secret = ground.base / "secret"
    secret.write_text(ground.canary)
    secret.chmod(0o600)
    for name in ("out", "home"):
        (ground.base / name).mkdir()
    if user != os.geteuid():
        for path in (ground.base, *(ground.base / n for n in ("out", "home", "secret"))):
            os.chown(path, user, user)
    command = [sys.executable, "-m", "course_lib.grading", str(ground.base / "in")]
    command += ["--out", str(ground.base / "out"), "--secret", str(secret), "--workers", workers]
    command += ["--seconds", SECONDS, *([] if notebooks else ["--no-notebooks"])]
    keeper = [sys.executable, "-m", "tests.grading.attacks.keeper", str(user)]
    place = {"HOME": str(ground.base / "home"), "TMPDIR": str(ground.base / "home")}
    hidden = {"COURSE_GRADING_SECRET": ground.canary, "TOKEN": ground.canary}
    done = subprocess.run(
        [*keeper, *command],
        capture_output=True,
        text=True,
        cwd=COURSE.parent,
        env={**os.environ, **place, **hidden, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"the keeper failed: {done.stderr[-2000:]}")
    answer: Row = json.loads(done.stdout)
    return answer


# Looking


def _judged(ground: Ground, kept: Row) -> Report:
    report = Report(seconds=kept["seconds"])
    wrong = report.problems
    wrong += [*left(kept), *touched(ground)]
    path = ground.base / "out" / "gradebook.json"
    if not path.exists():
        return report
    rows = {row["student"]: row for row in json.loads(path.read_text())["students"]}
    _attacks(ground, rows, report)
    _controls(rows, wrong)
    _names(ground, path, wrong)
    _pages(ground, wrong)
    return report


def left(kept: Row) -> list[str]:
    """Return what is wrong with how the command ended."""
    wrong = [f"left behind: {name}" for name in kept["left"]]
    if kept["status"] != 0:
        wrong.append(f"The exit status is {kept['status']}: {kept['said'][-1500:]}")
    return wrong


def touched(ground: Ground) -> list[str]:
    """Return what was touched of the host."""
    ground.host.settle()
    return [f"touched: {mark}" for mark in ground.host.touched()]


def _attacks(ground: Ground, rows: dict[str, Row], report: Report) -> None:
    for student, group in ground.handed.items():
        for exercise, attack in group.items():
            report.states[str(attack)] = state = _state(rows.get(student, {}), exercise)
            points = _points(rows.get(student, {}), exercise)
            if points != 0 or state not in _allowed(attack):
                seen = _shown(rows.get(student, {}))
                report.problems.append(f"{attack}: {points} points, {state} {seen}")
    for student, file in ground.files.items():
        row = rows.get(student, {})
        report.states[str(file)] = " ".join(n["status"] for n in row["notebooks"].values())
        if row["total"] != 0:
            report.problems.append(f"{file}: {row['total']} points")


def _allowed(attack: Attack) -> tuple[str, ...]:
    return ("VIOLATION",) if attack.caught else ("FAIL", "VIOLATION", "NOT STARTED")


def _state(row: Row, exercise: str) -> str:
    books = row.get("notebooks", {}).values()
    return next((b["states"][exercise] for b in books if exercise in b["states"]), "no verdict")


def _points(row: Row, exercise: str) -> float:
    books = row.get("notebooks", {}).values()
    return next((float(b["points"][exercise]) for b in books if exercise in b["points"]), 0.0)


def _shown(row: Row) -> str:
    books = row.get("notebooks", {}).items()
    return "; ".join(f"{name}: {b['status']} {b['reason']} {b['states']}" for name, b in books)


def _controls(rows: dict[str, Row], wrong: list[str]) -> None:
    for student in PERFECT:
        if rows[student]["total"] != len(ANSWERS):
            wrong.append(f"{student} has {rows[student]['total']} of {len(ANSWERS)} points")
    if rows["a-stubs"]["total"] != 0:
        wrong.append("the untouched notebooks have points")


def _names(ground: Ground, gradebook: Path, wrong: list[str]) -> None:
    refused = json.loads(gradebook.read_text())["refused"]
    given = [p.name for p in (ground.base / "in").iterdir()]
    hostile = [n for n in given if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", n)]
    if len(refused) != len(hostile) + 1:  # and the linked folder
        wrong.append(f"{len(hostile) + 1} names should be refused, and {len(refused)} are")


def _pages(ground: Ground, wrong: list[str]) -> None:
    """What comes out runs nothing, is no formula, and tells neither secret nor parameters."""
    secret = Secret(ground.canary.encode())
    seeds = [
        str(secret.seed(exercise, 0, source, f"graded {n}"))
        for exercise, source in ground.sources
        for n in range(3)
    ]
    hidden = re.compile("|".join([ground.canary, *seeds]))
    for path in sorted((ground.base / "out").rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        name = path.relative_to(ground.base)
        if hidden.search(text):
            wrong.append(f"{name} tells a secret")
        if path.suffix == ".html" and (strange := _markup(text)):
            wrong.append(f"{name} holds markup of a student's: {strange}")
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
            wrong.append(f"{name} holds signs that nobody sees")
        if path.suffix == ".csv" and re.search(r'(?m)(^|,)"?[=+@\-|%]', text):
            wrong.append(f"{name} holds a formula")


def _markup(text: str) -> list[str]:
    """Elements that no page of ours has, and attributes that act."""
    elements = set(re.findall(r"<([^\s>/]+)", text)) - set(ELEMENTS.split())
    acting = re.findall(r"<[^>]*\s(?:on\w+|href|src|srcdoc|action)\s*=[^>]*>", text)
    return sorted(elements) + acting


def main(words: list[str]) -> int:
    """Print the report of one run."""
    user = int(words[0]) if words else os.geteuid()
    chosen = [a for a in ATTACKS if all(word in str(a) for word in words[1:])]
    report = run(user, chosen, *([] if len(words) < 2 else [(), ()]))
    for name, state in sorted(report.states.items()):
        print(f"{state:12} {name}")
    print(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
