"""Attacks on the execution of whole notebooks, whose outputs are feedback and no more.

One cell tries many things, each by itself, and prints what it got: WON when it got through. Whoever
reads the executed notebook must find none of it, and nothing that a browser would run.
"""

import json
import tempfile
from pathlib import Path

from course_lib.grading.course import Course
from tests.grading.attacks.cells.network import NETWORK
from tests.grading.attacks.cells.reading import READING
from tests.grading.attacks.cells.writing import WRITING
from tests.grading.attacks.host import Host
from tests.grading.attacks.runner import Ground, filled, grade, left, touched
from tests.grading.kit import notebook

__all__ = ["run_notebooks"]

NAME, EXERCISE = "00_start_here", "start_here.record_visit"
ANSWERS_ARE_THERE = "answer"  # a notebook calls check and solution, so it can read them
ALONE = (
    "descriptors",
    "files left",
    "other processes",
    "the parent",
    "data behind",
    "the parameters",
)
TRY = """
level, rate, burst, cost = 1.0, 1.0, 1, 1
def attack():
    scope = {{"__name__": "attack"}}
    exec({source!r}, scope)
    scope["retry_after"](1.0, 1.0, 1, 1)
try:
    attack()
    print("WON", {name!r})
except BaseException as error:
    print("lost")
"""
SHOW = """
from IPython.display import HTML, Javascript, SVG, display
display(HTML("<script>alert('attack')</script><img src=x onerror=alert(1)>"))
display(Javascript("alert('attack')"))
display({"text/markdown": "[x](javascript:alert(1))", "text/latex": "\\\\href{x}{y}"}, raw=True)
print("\\x1b]8;;http://127.0.0.1/\\x07link\\x1b]8;;\\x07\\u202e")
import sys
print("<script>alert(2)</script>", file=sys.stderr)
raise ValueError("<script>alert(3)</script>")
"""
PARENTS = """
import os, signal
for pid in range(1, 400):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
"""
LONG = "import sys\nsys.stdout.write('x' * 50_000_000)\n"
FLOOD = "for _ in range(2_000):\n    print('x' * 1_000)\n"
BOMB = "import os\nfor _ in range(200):\n    os.fork()\n"


def run_notebooks(user: int) -> list[str]:
    """Grade four hostile notebooks with their execution; return what is wrong."""
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        base, canary = Path(folder), "canary-" + "c" * 32
        base.chmod(0o755)
        host = Host(base / "host", canary)
        try:
            ground = Ground(base, canary, Course(), host)
            (base / "in").mkdir()
            for student, source in _cells().items():
                _write(ground, student, filled(ground, source))
            return _wrong(ground, user)
        finally:
            host.close()


def _cells() -> dict[str, str]:
    attacks = [
        attack
        for attack in (*READING, *WRITING, *NETWORK)
        if ANSWERS_ARE_THERE not in attack.name and not attack.name.startswith(ALONE)
    ]
    tries = [TRY.format(source=a.source, name=str(a)) for a in attacks if "'''" not in a.source]
    return {
        "tries": "\n".join(tries),
        "shows": SHOW,
        "kills": PARENTS,
        "floods": FLOOD + LONG + BOMB,
    }


def _write(ground: Ground, student: str, source: str) -> None:
    path = ground.base / "in" / student / f"{NAME}.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(notebook(ground.course, NAME, {EXERCISE: source})))


def _wrong(ground: Ground, user: int) -> list[str]:
    kept = grade(ground, user, workers="2", notebooks=True)
    wrong = [*left(kept), *touched(ground)]
    made = sorted((ground.base / "out" / "executed").rglob("*.ipynb"))
    if len(made) != 4:
        wrong.append(f"{len(made)} of 4 notebooks were executed")
    for path in made:
        wrong += [f"{path.parent.name}: {what}" for what in _seen(path, ground.canary)]
    return wrong


def _seen(path: Path, canary: str) -> list[str]:
    """What should not be in an executed notebook."""
    cells = json.loads(path.read_text())["cells"]
    outputs = [o for c in cells if c["cell_type"] == "code" for o in c["outputs"]]
    texts = [str(output.get("text", "")) for output in outputs]
    wrong = [line for text in texts for line in text.splitlines() if line.startswith("WON")]
    wrong += [
        "an output that is no text" for o in outputs if set(o) != {"output_type", "name", "text"}
    ]
    wrong += ["a secret" for text in texts if canary in text]
    wrong += ["a sign that nobody sees" for text in texts if "\x1b" in text or "\u202e" in text]
    if path.stat().st_size > 2_000_000:
        wrong.append("more than two megabytes")
    return wrong
