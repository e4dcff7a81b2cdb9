"""Names become paths, cells and text on a page: only plain ones pass."""

import os
from pathlib import Path

import pytest

from course_lib.grading.errors import CannotStart
from course_lib.grading.submissions import find

TWELVE = "12_rate_limiting"


def test_found(tmp_path: Path) -> None:
    """The highest number counts, and what Jupyter leaves behind is not looked at."""
    ada = tmp_path / "ada"
    (ada / ".ipynb_checkpoints").mkdir(parents=True)
    for name in (f"{TWELVE}.ipynb", f"{TWELVE}.2.ipynb", f"{TWELVE}.10.ipynb"):
        (ada / name).touch()
    (tmp_path / "bob").mkdir()
    found, strays, students = find(tmp_path, {TWELVE})
    assert [(s.student, s.file) for s in found] == [("ada", f"{TWELVE}.10.ipynb")]
    assert (strays, students) == ([], ["ada", "bob"])


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+x", "-x", "@x", ".hidden", "a b", "a\nb", "<b>", "é", "a" * 65, "x;rm", "\u202ex"],
)
def test_students(tmp_path: Path, name: str) -> None:
    """A student's name of another form is refused, and shown as plain ASCII."""
    (tmp_path / name).mkdir()
    found, strays, students = find(tmp_path, {TWELVE})
    assert (found, students) == ([], [])
    assert strays[0].name.isascii()
    assert strays[0].name.isprintable()


@pytest.mark.parametrize(
    "name", ["x.ipynb", "12_rate_limiting.ipynb.exe", "13_other.ipynb", "12_Rate.ipynb", "..ipynb"]
)
def test_files(tmp_path: Path, name: str) -> None:
    """A file of another name is refused; its student is still there."""
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / name).touch()
    found, strays, students = find(tmp_path, {TWELVE})
    assert (found, students) == ([], ["ada"])
    assert len(strays) == 1


def test_links(tmp_path: Path) -> None:
    """A link in a student's place is refused; a folder that is not there cannot be graded."""
    os.symlink("/etc", tmp_path / "ada")
    assert len(find(tmp_path, {TWELVE})[1]) == 1
    with pytest.raises(CannotStart):
        find(tmp_path / "nowhere", {TWELVE})
