"""The Makefile, the CI script and JupyterLab's settings say what they should."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tools.__main__ as command
from tools import lab, suite

ROOT = Path(__file__).resolve().parents[2]
MAKE = (ROOT / "Makefile").read_text()


def test_make_help_lists_every_target() -> None:
    """`make` alone lists all targets, each with what it does."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.search(r"^\.PHONY: (.*)$", MAKE, re.MULTILINE)
    assert targets
    assert re.findall(r"^make (\w+) +\S", listed, re.MULTILINE) == targets[1].split()


def test_make_and_the_commands_are_one_list() -> None:
    """Each target calls the command of its name, and each command has its target."""
    called = re.findall(r"^(\w+):.*\n\t@\$\(PYTHON\) -m tools (\w+)", MAKE, re.MULTILINE)
    assert called == [(name, name) for name in command.COMMANDS]


def test_ci_calls_make_test() -> None:
    """.ci/run is executable, requires everything and ends with make test."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert lines[-1] == "make test"
    assert "COURSE_REQUIRE_ALL=1" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


def test_the_suite_holds_tests_and_notebooks() -> None:
    """One pytest run takes all tests and all notebooks, in full mode, none left out by name."""
    words = suite.EVERYTHING
    assert words[-2:] == ["tests", "notebooks"]
    assert "--nbval" in words
    assert not {"--nbval-lax", "--ignore", "--deselect", "-k"} & set(words)


def test_no_news_and_no_updates() -> None:
    """JupyterLab fetches no news, looks for no updates and does not ask about it."""
    folder = ROOT / ".jupyter" / "labconfig"
    settings = json.loads((folder / "default_setting_overrides.json").read_text())
    notification = settings["@jupyterlab/apputils-extension:notification"]
    assert (notification["fetchNews"], notification["checkForUpdates"]) == ("false", False)
    page = json.loads((folder / "page_config.json").read_text())
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


def test_jupyter_stays_in_the_folder() -> None:
    """All places where Jupyter and IPython write lie inside the project's folder."""
    places = [
        name for name in lab.environment() if re.fullmatch(r"JUPYTER_\w+_DIR|IPYTHONDIR", name)
    ]
    assert len(places) == 4
    assert all(Path(lab.environment()[name]).is_relative_to(ROOT) for name in places)


def test_start_notebook_exists() -> None:
    """The notebook that JupyterLab opens is there."""
    assert lab.START.startswith("/lab/tree/work/")
    assert (ROOT / "notebooks" / Path(lab.START).name).is_file()
