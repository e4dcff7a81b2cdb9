"""Attacks that write: the host, the course, its packages, results, submissions, the kernel."""

from tests.grading.attacks.attack import Attack, retry

__all__ = ["WRITING"]


def _write(name: str, path: str) -> Attack:
    return retry(
        "writing", name, f"with open({path!r}, 'a') as file:\n    file.write('# course-attack')"
    )


LINK = """
import os
os.symlink("@HOST@", "/tmp/link")
open("/tmp/link/linked", "w").write("x")
"""
HARD = """
import os
os.link("@COURSE@/__init__.py", "/tmp/hard")
"""
REPLACE = """
import os
os.rename("@COURSE@/__init__.py", "@COURSE@/gone.py")
"""
CACHE = """
import glob, os
path = next(iter(glob.glob("@COURSE@/**/*.pyc", recursive=True)))
open(path, "ab").write(b"x")
"""
SITE = """
import site
open(site.getsitepackages()[0] + "/attack.pth", "w").write("import os")
"""
OWNER = """
import os
os.chmod("@COURSE@/__init__.py", 0o777)
"""
DEVICE = """
import os
os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))
"""
ROOTS = """
import glob, os
for root in glob.glob("/proc/*/root"):
    try:
        open(root + "@HOST@/through-proc", "w").write("x")
        break
    except OSError:
        continue
else:
    raise LookupError
"""
PLANTED = """
import os
assert os.listdir("@OUT@") is not None
open("@OUT@/results/planted.json", "w").write("{}")
"""
WRITING = (
    _write("a folder of the host", "@HOST@/mark"),
    _write("the course", "@COURSE@/__init__.py"),
    _write("the packages", "@VENV@/lib/python3.11/site-packages/attack.py"),
    _write("a page of the system", "/usr/local/bin/attack"),
    _write("passwords", "/etc/passwd"),
    _write("the kernel", "/proc/sys/kernel/core_pattern"),
    _write("a trigger", "/proc/sysrq-trigger"),
    _write("a cgroup", "/sys/fs/cgroup/release_agent"),
    _write("a terminal", "/dev/tty"),
    _write("the grades", "@OUT@/gradebook.csv"),
    _write("a submission", "@IN@/mark.ipynb"),
    _write("the uid map", "/proc/self/uid_map"),
    retry("writing", "through a link", LINK),
    retry("writing", "a hard link", HARD),
    retry("writing", "a file renamed", REPLACE),
    retry("writing", "compiled files", CACHE),
    retry("writing", "a file that Python runs at start", SITE),
    retry("writing", "rights of a file", OWNER),
    retry("writing", "a device", DEVICE),
    retry("writing", "through other roots", ROOTS),
    retry("writing", "a planted result", PLANTED),
)
