"""Makes the course's own Python environment, `.venv`, and keeps it in step with the lock.

Nothing is installed outside the project's folder, not even a download cache. A stamp is written
last: with it, the next call installs nothing; without it (an interrupted set-up, a changed lock, a
moved folder) the next call repairs. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.failures import Stop, recognise

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "course-stamp.txt"
LOG = ROOT / ".setup.log"
NEEDED = 1_000_000_000  # bytes: 0.6 GB with the test tools, plus the download of the moment
EXTRAS = {"lab": "", "grading": "[grading]", "test": "[grading,test,site,setup]"}


def ensure(level: str = "lab") -> Path:
    """Set up what `level` (see EXTRAS) needs, unless it is there; give the venv's Python."""
    if not stamped(level):
        set_up(level)
    return python()


def set_up(level: str) -> None:
    """Make or repair `.venv`, in three steps, and stamp it."""
    room()
    what = "Bringing .venv up to date." if VENV.exists() else "Setting up the course in .venv."
    print(what, "This takes about a minute, once.", flush=True)
    STAMP.unlink(missing_ok=True)
    if not healthy():
        step("1/3 a virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    pins = [pin("uv"), pin("flit-core")]
    pip = [str(python()), "-m", "pip", "--no-cache-dir", "--disable-pip-version-check"]
    pip += ["--retries", "2", "--timeout", "20"]
    step("2/3 the installer", [*pip, "install", "--quiet", *pins])
    step("3/3 the packages in requirements.lock", uv_install(EXTRAS[level]))
    STAMP.write_text(f"{level}\n{marks()}")


def uv_install(extras: str) -> list[str]:
    """Give the command that installs the project and, at the lock's versions, what it needs."""
    flags = ["--quiet", "--no-progress", "--compile-bytecode", "--no-build-isolation"]
    target = ["--python", str(python()), "--constraints", "requirements.lock"]
    uv = [str(python()), "-m", "uv", "pip", "install"]
    return [*uv, *flags, *target, "--editable", f".{extras}"]


def room() -> None:
    """Stop when the disk cannot hold the packages."""
    if not VENV.exists() and shutil.disk_usage(ROOT).free < NEEDED:
        raise Stop(recognise("no space left"))


def python() -> Path:
    """Give the path of the environment's Python."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def healthy() -> bool:
    """Say whether `.venv` runs, has pip and still has the Python it was made with."""
    made_with = re.search(r"^version\S* = (\d+\.\d+)", read(VENV / "pyvenv.cfg"), re.MULTILINE)
    code = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    return made_with is not None and answer(code) == made_with[1]


def stamped(level: str) -> bool:
    """Say whether everything for `level` is there already; each level holds those before it."""
    done, _, rest = read(STAMP).partition("\n")
    return done in list(EXTRAS)[list(EXTRAS).index(level) :] and rest == marks()


def marks() -> str:
    """Give the marks of a finished set-up: its place, its Python and the versions asked for."""
    wanted = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        wanted.update((ROOT / name).read_bytes())
    return f"{VENV}\n{answer('import sys; print(sys.version)')}\n{wanted.hexdigest()}\n"


def answer(code: str) -> str:
    """Run a line of code in the environment's Python; an empty string when it does not run."""
    try:
        run = subprocess.run([python(), "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def pin(name: str) -> str:
    """Give the lock's line for a package, such as "uv==0.13.9"."""
    found = re.search(rf"^{name}==\S+", read(ROOT / "requirements.lock"), re.MULTILINE)
    if found is None:
        raise Stop(
            f"requirements.lock does not name {name}: type `git checkout requirements.lock`."
        )
    return found[0]


def step(title: str, command: list[str]) -> None:
    """Run one step with its output in the log; on failure, stop with the sentence for it."""
    print(f"  {title}", flush=True)
    run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    output = run.stdout + run.stderr
    LOG.write_text(f"$ {' '.join(command)}\n{output}")
    if run.returncode:
        raise Stop(recognise(output) or unknown(title, output))


def unknown(title: str, output: str) -> str:
    """Say that a step failed for a reason that is not known here."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    return f"The step `{title}` failed ({last}): read {LOG.name}, then type the same command again."


def environment() -> dict[str, str]:
    """Give the variables for a child: no foreign Python paths, caches inside `.venv`."""
    variables = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    variables.update(PIP_USER="0", UV_PYTHON_DOWNLOADS="never")
    variables.setdefault("UV_CACHE_DIR", str(VENV / "cache"))
    if "PIP_INDEX_URL" in variables:
        variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])
    return variables


def read(path: Path) -> str:
    """Give a file's text, or an empty string when there is none."""
    return path.read_text() if path.is_file() else ""
