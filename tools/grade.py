"""Sets up what grading needs and grades: `python3 -m tools grade SUBMISSIONS --out GRADES`.

Relative paths count from the project's folder. Standard library only.
"""

from __future__ import annotations

import subprocess

from tools import install


def main(arguments: list[str]) -> int:
    """Hand everything after the command's name to course_lib.grading; give its exit status."""
    python = str(install.ensure("grading"))
    command = [python, "-m", "course_lib.grading", *(arguments[1:] or ["--help"])]
    return subprocess.run(command, cwd=install.ROOT).returncode
