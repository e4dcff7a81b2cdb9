"""The secret is made once, is for its owner only, and decides every draw."""

from pathlib import Path

import pytest

from course_lib.grading import secret
from course_lib.grading.errors import CannotStart
from course_lib.grading.secret import Secret


def test_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first use makes the file, for its owner only; the second reads it."""
    monkeypatch.delenv(secret.VARIABLE, raising=False)
    path = tmp_path / "new" / "secret"
    first = secret.load(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret.load(path).mark == first.mark
    assert [p.name for p in path.parent.iterdir()] == ["secret"]


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's secret is taken when no file is named."""
    monkeypatch.setenv(secret.VARIABLE, "long enough to be one")
    assert secret.load().mark == Secret(b"long enough to be one").mark
    assert secret.load(tmp_path / "file").mark != Secret(b"long enough to be one").mark


@pytest.mark.parametrize(("text", "mode"), [("short", 0o600), ("x" * 40, 0o644)])
def test_refused(tmp_path: Path, text: str, mode: int) -> None:
    """A short secret, and one that others can read, are refused."""
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(CannotStart):
        secret.load(path)


def test_draws() -> None:
    """The same input draws the same; each part of it matters; the repr says nothing."""
    key = Secret(b"0123456789abcdef")
    given = ("chapter.exercise", 0, "source", "graded 0")
    assert key.seed(*given) == key.seed(*given)
    others = [
        ("chapter.other", 0, "source", "graded 0"),
        ("chapter.exercise", 1, "source", "graded 0"),
        ("chapter.exercise", 0, "source ", "graded 0"),
        ("chapter.exercise", 0, "source", "example"),
    ]
    drawn = {key.seed(*other) for other in others} | {Secret(b"f" * 16).seed(*given)}
    assert len(drawn | {key.seed(*given)}) == 6
    assert "0123" not in repr(key)
