import pytest

from course_lib.lab import datafiles
from course_lib.lab.datafiles import DataFileError, find, load


def test_found_from_anywhere(tmp_path, monkeypatch):
    """The course's data is found whatever the working directory is."""
    monkeypatch.chdir(tmp_path)
    assert find("published.toml").is_file()


def test_found_above_the_notebook(tmp_path, monkeypatch):
    """A copied package finds the data above the working directory, in a course's folder only."""
    root, notebooks = tmp_path / "course", tmp_path / "course" / "notebooks"
    (root / "data").mkdir(parents=True)
    notebooks.mkdir()
    (root / "data" / "x.toml").write_text("a = 1")
    monkeypatch.setattr(datafiles, "__file__", str(tmp_path / "site" / "a" / "b" / "c.py"))
    monkeypatch.chdir(notebooks)
    with pytest.raises(DataFileError, match="Work inside a clone"):
        find("x.toml")
    (root / "pyproject.toml").touch()
    assert load(find("x.toml")) == {"a": 1}


def test_unreadable(tmp_path):
    """A file that is missing or no TOML is reported with its name."""
    with pytest.raises(DataFileError, match=r"none\.toml cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = ")
    with pytest.raises(DataFileError, match=r"bad\.toml is not valid TOML"):
        load(tmp_path / "bad.toml")
