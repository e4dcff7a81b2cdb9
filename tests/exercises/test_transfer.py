"""Progress goes from one machine to another, and nothing passed is lost on the way."""

from pathlib import Path

import pytest

from course_lib.exercises.progress import Progress
from course_lib.exercises.transfer import export, main, take

PASSED = {"state": "PASS", "passed": True, "checks": 3}


def test_there_and_back(tmp_path: Path) -> None:
    """What was passed on either machine is passed after the transfer; the rest stays."""
    one, two = Progress(tmp_path / "one.json"), Progress(tmp_path / "two.json")
    one.change("a.b", lambda _: dict(PASSED))
    one.change("a.c", lambda _: {"state": "FAIL", "passed": False})
    two.change("a.d", lambda _: dict(PASSED))
    assert "exercises passed: 1" in export(tmp_path / "out.json", one)
    assert "exercises passed: 1" in take(tmp_path / "out.json", two)
    assert {n: e["passed"] for n, e in two.entries().items()} == {"a.b": True, "a.d": True}


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"exercises": [1]}'])
def test_not_progress(tmp_path: Path, text: str | None) -> None:
    """A file that is missing or holds something else gets a sentence and changes nothing."""
    path = tmp_path / "odd.json"
    if text is not None:
        path.write_text(text)
    kept = Progress(tmp_path / "kept.json")
    assert "nothing was changed" in take(path, kept)
    assert not kept.path.exists()


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command shows the map and writes the file where it is told."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    assert main(["--out", str(tmp_path / "new" / "out.json")]) == 0
    assert "chapters are here" in capsys.readouterr().out
    assert (tmp_path / "new" / "out.json").is_file()
