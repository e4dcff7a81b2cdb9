"""The Makefile, the CI script and JupyterLab's settings say what they should."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import tools.__main__ as command
from tools import inside, lab, suite

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
    """.ci/run is executable, requires everything and ends with make test, or what it is told."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert lines[-1] == 'make "${1:-test}"'
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


def workflow(name: str) -> dict[str, Any]:
    """A workflow file of GitHub Actions, which writes `on` where YAML reads `true`."""
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return {("on" if key is True else key): value for key, value in found.items()}


def commands(found: dict[str, Any]) -> str:
    """All that a workflow runs, as one text."""
    steps = [step for job in found["jobs"].values() for step in job["steps"]]
    return "\n".join(step.get("run", "") for step in steps)


def test_push_runs_the_ci_script() -> None:
    """Each push and pull request runs .ci/run and may write nothing."""
    found = workflow("push.yml")
    assert set(found["on"]) == {"push", "pull_request"}
    assert commands(found).splitlines()[-1] == ".ci/run"
    assert found["permissions"] == {"contents": "read"}


def test_weekly_takes_the_newest_and_reports() -> None:
    """Once a week .ci/run takes the newest versions; a failure opens an issue."""
    found = workflow("weekly.yml")
    assert found["on"]["schedule"][0]["cron"].endswith("* * 1")
    assert ".ci/run upgrade" in commands(found)
    assert "gh issue create" in commands(found)
    for job in found["jobs"].values():
        assert job["steps"][-1]["if"] == "failure()"
        subprocess.run(["bash", "-n"], input=job["steps"][-1]["run"], text=True, check=True)


def test_upgrade_stops_at_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock, notebooks, readme, site and tests in this order; a failed step ends it."""
    done: list[str] = []
    monkeypatch.setattr(inside, "run", lambda words: done.append(words[0]) or 0)
    monkeypatch.setattr(suite, "main", lambda words: done.append(words[0]) or 0)
    assert inside.main(["upgrade"]) == 0
    assert done == ["lock", "notebooks", "readme", "site", "test"]
    done.clear()
    monkeypatch.setattr(inside, "run", lambda words: done.append(words[0]) or 3)
    assert inside.main(["upgrade"]) == 3
    assert done == ["lock"]
