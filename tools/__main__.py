"""The commands behind the Makefile: python3 -m tools lab | test | grade | notebooks | ...

This file and `tools/__init__.py` keep to the syntax of Python 3.6, so that a Python that is too
old still reaches the sentence that says so. Standard library only.
"""

import importlib
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
COMMANDS = {
    "lab": ("tools.lab", "set up the course and open it in JupyterLab"),
    "handin": ("tools.handin", "make the file to hand in: make handin ARGS=--name=ada"),
    "reset": ("tools.reset", "begin a notebook or an exercise anew: make reset ARGS=12"),
    "progress": ("tools.progress", "show your progress and export it"),
    "test": ("tools.suite", "set up and run every test"),
    "grade": ("tools.grade", "set up and grade a folder of submissions"),
    "notebooks": ("tools.inside", "run the notebooks again and store their outputs"),
    "site": ("tools.inside", "build the static site, with live players, in site/"),
    "readme": ("tools.inside", "write README's tables from the data"),
    "bench": ("tools.inside", "measure the lab beside other libraries"),
    "lock": ("tools.inside", "resolve the versions in requirements.lock anew"),
    "upgrade": ("tools.inside", "take the newest versions and run everything again"),
}


def main(arguments, version=tuple(sys.version_info[:3])):
    """Run one command and give its exit code; a foreseen failure is one sentence on stderr."""
    command = arguments[0] if arguments else "help"
    if command not in COMMANDS:
        print(usage())
        return 0 if command in ("help", "-h", "--help") else 2
    if version[:2] < OLDEST:
        return with_newer_python(arguments, version)
    try:
        return importlib.import_module(COMMANDS[command][0]).main(arguments)
    except KeyboardInterrupt:
        return complain("Stopped. Type the same command to go on.", 130)
    except Exception as error:
        return explain(error)


def usage():
    """List the commands, one a line."""
    lines = [f"  {name:<11}{meaning}" for name, (_, meaning) in COMMANDS.items()]
    return "\n".join(["python3 -m tools COMMAND", *lines])


def with_newer_python(arguments, version):
    """Hand over to a newer Python on the PATH, or say what to install."""
    for name in NEWER:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([path, "-m", "tools", *arguments])
    here = ".".join(str(part) for part in version)
    return complain(
        f"The course needs Python 3.11 or newer and this is {here}: install a newer Python, "
        "then type `make lab PYTHON=python3.12` (or the name of yours)."
    )


def explain(error):
    """Say a foreseen failure in one sentence; let a mistake in our own code through."""
    from tools.failures import sentence

    said = sentence(error)
    if said is None:
        raise error
    return complain(said)


def complain(text, code=1):
    """Print a sentence to stderr and give the exit code."""
    print(text, file=sys.stderr)
    return code


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main(sys.argv[1:]))
