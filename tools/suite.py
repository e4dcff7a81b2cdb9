"""Runs every test as one pytest run, notebooks included, so that its closing line counts all.

Ruff, mypy, import-linter and codespell run inside it too (tests/project/test_guards.py).
Standard library only.
"""

from __future__ import annotations

import os
import subprocess

from tools import install, lab

EVERYTHING = [
    *["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadscope"],
    *["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "120"],
    *["tests", "notebooks"],
]


def main(arguments: list[str]) -> int:
    """Set up and run the tests; what follows the command's name replaces the whole suite."""
    python = str(install.ensure("test"))
    command = [python, "-m", "pytest", *(arguments[1:] or EVERYTHING)]
    variables = lab.environment()
    del variables["IPYTHONDIR"]  # the tests have their own, see tests/conftest.py
    return subprocess.run(command, cwd=install.ROOT, env=variables).returncode
