"""bubblewrap's command line: the boundary to the host.

No network, a read-only system, the course and its packages, a private /tmp, no capabilities, an
own space of processes, no environment, and death with the parent. As root the zygote keeps the few
capabilities that make jails; as an ordinary user it makes them with one more user namespace.
Left out: cgroups.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO

import course_lib
from course_lib.grading.errors import CannotStart
from course_lib.grading.sandbox import seccomp

__all__ = ["COURSE", "command", "find_bwrap", "read_only", "seccomp_file"]

COURSE = Path(course_lib.__file__).resolve().parent
FOR_JAILS = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}


def find_bwrap() -> str:
    """Return the path of bubblewrap, or raise CannotStart with what to install."""
    found = shutil.which("bwrap")
    if found is None:
        raise CannotStart(
            "There is no sandbox: bubblewrap is not installed. On Debian and Ubuntu: "
            "sudo apt-get install bubblewrap; on Fedora: sudo dnf install bubblewrap."
        )
    return found


def seccomp_file(jails: bool) -> IO[bytes] | None:
    """Return an open file with the filter for a box, or None where there is none."""
    code = seccomp.program(seccomp.OUTER, inner=False) if jails else seccomp.program(seccomp.INNER)
    if code is None:
        return None
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(code)
    file.seek(0)
    return file


def command(python: list[str], *, jails: bool, filter_fd: int | None) -> list[str]:
    """Return the command that runs `python -m ...` in a box; `jails`: it makes jails itself."""
    root = os.geteuid() == 0
    words = [find_bwrap(), "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net"]
    words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"]
    words += ["--cap-drop", "ALL"]
    if root and jails:
        words += [word for name in FOR_JAILS for word in ("--cap-add", name)]
    if not root:
        words += ["--unshare-user", *([] if jails else ["--disable-userns"])]
    words += _file_system()
    for name, value in {**ENVIRONMENT, "PYTHONPATH": str(COURSE.parent)}.items():
        words += ["--setenv", name, value]
    words += ["--seccomp", str(filter_fd)] if filter_fd is not None else []
    return [*words, "--chdir", "/tmp", "--", sys.executable, "-s", *python]


def _file_system() -> list[str]:
    words = ["--proc", "/proc", "--dev", "/dev", "--size", str(16 << 20), "--tmpfs", "/dev/shm"]
    words += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/tmp"]
    words += ["--perms", "0755", "--dir", "/etc", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        words += _system_folder(Path("/", name))
    for name in SYSTEM_FILES:
        words += ["--ro-bind-try", name, name]
    for folder in read_only():
        words += [*_parents(folder), "--ro-bind", str(folder), str(folder)]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/"]


def _system_folder(folder: Path) -> list[str]:
    if folder.is_symlink():
        return ["--symlink", os.readlink(folder), str(folder)]
    return ["--ro-bind", str(folder), str(folder)] if folder.is_dir() else []


def read_only() -> list[Path]:
    """Python, its packages, the course's code and data; neither its tests nor its notebooks."""
    beside = [COURSE.parent / name for name in ("data", "pyproject.toml")]  # the latter marks it
    wanted = [Path(sys.base_prefix), Path(sys.prefix), COURSE, *beside]
    found = {folder.absolute() for folder in wanted if folder.exists()}
    found |= {folder.resolve() for folder in found}
    return sorted(folder for folder in found if not folder.is_relative_to("/usr"))


def _parents(folder: Path) -> list[str]:
    words = []
    for parent in reversed(folder.parents[:-1]):
        words += ["--perms", "0755", "--dir", str(parent)]
    return words
