"""Runs the JavaScript tests of the player's state functions, where node is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from course_lib.show.assets import PLAYER, module

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None and os.environ.get("COURSE_REQUIRE_ALL") == "1":
        pytest.fail("node is not installed, and COURSE_REQUIRE_ALL=1 asks for it.")
    if found is None:
        pytest.skip("node is not installed; the player's state functions are not tested here.")
    return found


def test_state_functions(node: str) -> None:
    """Every law of `state.test.mjs` holds."""
    command = [node, "--test", str(HERE / "state.test.mjs")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 0" not in ran.stdout


def test_joined_module_parses(node: str, tmp_path: Path) -> None:
    """The files in one scope clash in no name: node can parse and load the joined module."""
    for name, text in {"player": module(*PLAYER), "predict": module("draw", "predict")}.items():
        joined = tmp_path / f"{name}.mjs"
        joined.write_text(text, encoding="utf-8")
        load = f"import({str(joined)!r}).then((m) => process.exit(m.default.render ? 0 : 1))"
        ran = subprocess.run([node, "-e", load], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
