"""Every test gets a progress file of its own."""

from pathlib import Path

import pytest

from course_lib.exercises import notebook


@pytest.fixture(autouse=True)
def progress_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The progress goes to a temporary file, and hints start afresh."""
    path = tmp_path / "progress" / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    notebook._hints.clear()
    notebook._asked.clear()
    return path
