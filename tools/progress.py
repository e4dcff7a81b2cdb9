"""Shows how far the learner is and exports it: `make progress`, on another machine with --take.

Standard library only.
"""

from __future__ import annotations

import subprocess

from tools import install


def main(arguments: list[str]) -> int:
    """Hand everything after the command's name to the course; give its exit status."""
    python = str(install.ensure("lab"))
    command = [python, "-m", "course_lib.exercises.transfer", *arguments[1:]]
    return subprocess.run(command, cwd=install.ROOT).returncode
