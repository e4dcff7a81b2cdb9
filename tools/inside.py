"""Runs the authors' commands in the course's own environment.

No index, host or local folder gets into the lock: uv is told to leave out every address, and the
file names no hashes, which would tie it to the wheels of one registry. Standard library only.
"""

from __future__ import annotations

import subprocess

from tools import install, lab, suite

COMPILE = [
    *["-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"],
    *["--no-emit-index-url", "--no-emit-find-links"],
    *["--universal", "--python-version", "3.11", "--all-extras"],
    *["pyproject.toml", "--output-file", "requirements.lock"],
]


PROGRAMS = {
    "notebooks": ["-m", "tools.notebooks"],
    "site": ["-m", "tools.site"],
    "readme": ["-m", "tools.readme"],
    "bench": ["-m", "tests.benchmarks"],
    "lock": COMPILE,
}


def main(arguments: list[str]) -> int:
    """Set up with the test tools and run one command; what follows its name goes to it."""
    if arguments[0] == "upgrade":
        return upgrade()
    return run(arguments)


def upgrade() -> int:
    """Take the newest versions, then run all that could break; stop at the first that does."""
    steps = [["lock", "--upgrade"], ["notebooks"], ["readme"], ["site"]]
    for step in steps:
        print(f"make {' ARGS='.join(step)}", flush=True)
        if code := run(step):
            return code
    print("make test", flush=True)
    return suite.main(["test"])


def run(arguments: list[str]) -> int:
    """Run one command in the environment, which a changed lock brings up to date first."""
    python = str(install.ensure("test"))
    program = PROGRAMS[arguments[0]]
    command = [python, *program, *arguments[1:]]
    return subprocess.run(command, cwd=install.ROOT, env=lab.environment()).returncode
