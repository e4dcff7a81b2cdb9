"""What a notebook calls."""

from pathlib import Path

import pytest

from course_lib.exercises import check, hint, progress_map, reset, solution
from course_lib.exercises import notebook as functions
from course_lib.exercises.exercise import define
from course_lib.exercises.outcome import Outcome, State
from course_lib.exercises.progress import Progress
from course_lib.exercises.registry import find

ID = "rate_limiting.retry_after"
EXERCISE = find(ID)


def made(source: str) -> object:
    """Return the object of some source text."""
    return define(source, EXERCISE.name, "<cell>")


def state(outcome: object) -> State:
    """Narrow the type."""
    assert isinstance(outcome, Outcome)
    return outcome.state


def test_progress() -> None:
    """A check is kept: attempts are counted, and passed stays passed."""
    for source in (EXERCISE.stub, EXERCISE.answer, EXERCISE.mistakes[0].source):
        check(ID, made(source))
    assert Progress().entries()[ID] == {"state": "FAIL", "passed": True, "checks": 3}


def test_unknown_id() -> None:
    """An unknown id is answered with near matches, by every function; nothing is raised."""
    for said in (
        check("rate_limiting.retry_afer", 1),
        hint("rate_limiting.retry_afer"),
        solution("rate_limiting.retry_afer"),
        reset("rate_limiting.retry_afer"),
    ):
        assert "Did you mean rate_limiting.retry_after" in repr(said)
    assert "There are:" in repr(check("<b>", 1))
    assert "<b>" not in check("<b>", 1)._repr_markdown_()
    assert "named by its id" in repr(check(made(EXERCISE.answer), 1))  # type: ignore[arg-type]


def test_hints() -> None:
    """Each call gives the next level; after the last, the last again; the level is kept."""
    said = [repr(hint(ID)) for _ in range(5)]
    assert [text[:11] for text in said] == [f"Hint {n} of 3" for n in (1, 2, 3, 3, 3)]
    assert "last hint" in said[2]
    assert Progress().entries()[ID]["hints"] == 3


def test_solution() -> None:
    """The solution asks once."""
    assert "return" not in repr(solution(ID))
    assert EXERCISE.answer.strip() in solution(ID)._repr_markdown_()
    assert Progress().entries()[ID]["solution"] is True


def test_reset() -> None:
    """Reset forgets the progress, the hints and the question, and shows the stub."""
    check(ID, made(EXERCISE.answer))
    hint(ID)
    solution(ID)
    assert EXERCISE.stub.strip() in repr(reset(ID))
    assert ID not in Progress().entries()
    assert "Hint 1" in repr(hint(ID))
    assert "again to see it" in repr(solution(ID))


def test_prints() -> None:
    """A flood of output is capped, escaped, and does not reach the notebook."""
    source = "def retry_after(*given):\n    print('<b>' * 100)\n    return 0.0\n"
    outcome = check(ID, made(source))
    assert "more output was left out" in repr(outcome)
    assert len(repr(outcome)) < 3_000
    assert "<b>" not in outcome._repr_markdown_()


def test_endless_print() -> None:
    """A loop that prints for ever is stopped and capped."""
    outcome = check(ID, made("def retry_after(*given):\n    while True: print('x')\n"), limit=0.1)
    assert "did not finish" in repr(outcome)
    assert len(repr(outcome)) < 3_000


def test_interrupt() -> None:
    """An interrupt while checking is a sentence, and decides nothing."""
    outcome = check(ID, made("def retry_after(*given):\n    raise KeyboardInterrupt\n"))
    assert state(outcome) is State.UNKNOWN
    assert "you interrupted" in repr(outcome)


def test_long_call_into_c() -> None:
    """A long call into C is named as what it is."""
    source = "def retry_after(*given):\n    return sum(range(6 * 10 ** 7))\n"
    assert "one call that runs in C" in repr(check(ID, made(source), limit=0.05))


def test_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a place for the progress the check works, with a sentence."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    outcome = check(ID, made(EXERCISE.answer))
    assert state(outcome) is State.PASS
    assert "could not be saved" in repr(outcome)
    assert "chapters are here" in repr(progress_map())


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home directory too."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(functions, "Progress", homeless)
    assert "could not be saved" in repr(check(ID, made(EXERCISE.answer)))


def test_damage_is_told(progress_file: Path) -> None:
    """A damaged progress file is told once, and the check works."""
    progress_file.parent.mkdir(parents=True)
    progress_file.write_text("{")
    assert "damaged-1" in repr(check(ID, made(EXERCISE.answer)))
    assert "damaged" not in repr(check(ID, made(EXERCISE.answer)))
