"""The progress file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.exercises import progress
from course_lib.exercises.progress import SCHEMA, Progress, where

relaxed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def passed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the record with a pass."""
    return {**entry, "passed": True}


def test_where(monkeypatch: pytest.MonkeyPatch, progress_file: Path) -> None:
    """COURSE_PROGRESS decides; else the user's data directory."""
    assert where() == progress_file
    monkeypatch.delenv("COURSE_PROGRESS")
    assert where().name == "progress.json"
    assert "answers-that-run" in str(where())


def test_kept(progress_file: Path) -> None:
    """What was changed is read again, by another object too; a removed record is gone."""
    assert Progress().change("a.b", passed) == ""
    assert Progress().entries() == {"a.b": {"passed": True}}
    assert Progress().change("a.b", lambda entry: None) == ""
    assert Progress().entries() == {}
    assert json.loads(progress_file.read_text())["schema"] == SCHEMA


def test_no_file_is_no_damage() -> None:
    """Before the first check there is nothing, and nothing to say."""
    assert Progress().read() == ({"schema": SCHEMA, "exercises": {}}, "")


def write(path: Path, content: bytes) -> None:
    """Put bytes where the progress is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_old_version(progress_file: Path) -> None:
    """A file of version 1 is read, and written back as the newest."""
    write(progress_file, b'{"schema": 1, "exercises": {"a.b": "PASS", "c.d": "FAIL"}, "name": "x"}')
    assert Progress().entries()["a.b"] == {"state": "PASS", "passed": True}
    Progress().change("e.f", passed)
    after = json.loads(progress_file.read_text())
    assert after["schema"] == SCHEMA
    assert after["name"] == "x"
    assert set(after["exercises"]) == {"a.b", "c.d", "e.f"}


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
extras = st.dictionaries(st.text(min_size=1, max_size=8), plain_json, max_size=3)


@relaxed
@given(extras, extras, st.integers(SCHEMA, SCHEMA + 5))
def test_newer_version(
    progress_file: Path, top: dict[str, Any], inner: dict[str, Any], schema: int
) -> None:
    """Fields that we do not know, in a file of a newer version, are all still there after a
    change.
    """
    inner.pop("passed", None)
    document = {**top, "schema": schema, "exercises": {"a.b": inner, "c.d": inner}}
    write(progress_file, json.dumps(document).encode())
    assert Progress().change("a.b", passed) == ""
    wanted = {**document, "exercises": {"a.b": {**inner, "passed": True}, "c.d": inner}}
    assert json.loads(progress_file.read_text()) == wanted


@relaxed
@given(
    st.binary(max_size=60)
    | plain_json.map(lambda v: json.dumps(v).encode())
    | st.just(b"[" * 100_000)
    | st.just(b'{"schema": 2, "exercises": {"a": 1}}')
    | st.just(b'{"schema": 1, "exercises": []}')
    | st.just(b'{"schema": true, "exercises": {}}')
    | st.just(b'{"schema": -1, "exercises": {}}')
)
def test_damaged(progress_file: Path, content: bytes) -> None:
    """Whatever the file holds, it is kept under another name with a sentence, and a new one
    begins.
    """
    for old in progress_file.parent.glob("*"):
        old.unlink()
    write(progress_file, content)
    sentence = Progress().change("a.b", passed)
    assert "progress.damaged-1.json" in sentence
    assert progress_file.with_name("progress.damaged-1.json").read_bytes() == content
    assert Progress().entries() == {"a.b": {"passed": True}}


def test_damaged_twice(progress_file: Path) -> None:
    """A second damaged file does not overwrite the first."""
    for text in (b"one", b"two"):
        write(progress_file, text)
        Progress().change("a.b", passed)
    kept = sorted(path.read_bytes() for path in progress_file.parent.glob("*damaged*"))
    assert kept == [b"one", b"two"]


def test_failed_write_keeps_the_old(progress_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full at the worst moment, the old file is whole and no rest is left."""
    Progress().change("a.b", passed)
    before = progress_file.read_bytes()

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert "no space left on device" in Progress().change("c.d", passed)
    assert progress_file.read_bytes() == before
    assert not list(progress_file.parent.glob("*.tmp"))


def test_no_place(tmp_path: Path) -> None:
    """A path that cannot be written to gives a sentence, not an error."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "progress.json", tmp_path, Path("\0")):
        assert "could not be saved" in Progress(path).change("a.b", passed)


def test_read_only(progress_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only disk gives a sentence."""

    def refused(*given: object, **more: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(progress.tempfile, "mkstemp", refused)
    assert "read-only file system" in Progress().change("a.b", passed)


def test_two_kernels(progress_file: Path) -> None:
    """Two processes that save at once lose nothing."""
    program = (
        "import sys; from course_lib.exercises.progress import Progress\n"
        "for n in range(25): Progress().change(f'{sys.argv[1]}.{n}', lambda e: {'n': 1})"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(Progress().entries()) == 75
