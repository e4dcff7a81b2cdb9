"""One jail: a forked process that locks itself in before it runs a learner's code.

It takes namespaces of its own (mounts, processes, network, messages), hides other learners' files,
gives up every capability, becomes a user of its own when it was root, and takes limits and a
seccomp filter. Left out: the host, which is bubblewrap's part.
Source: namespaces(7), user_namespaces(7), pid_namespaces(7), prctl(2).
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib.grading.sandbox import limits, seccomp
from course_lib.grading.sandbox.boundary import read_only

__all__ = ["FIRST_USER", "Jail"]

FIRST_USER = 61_000
NEWNS, NEWUTS, NEWIPC, NEWUSER = 0x20000, 0x4000000, 0x8000000, 0x10000000
NEWPID, NEWNET, NEWCGROUP = 0x20000000, 0x40000000, 0x2000000
NOSUID, NODEV, NOEXEC, READ_ONLY, REMOUNT, RECURSIVE, PRIVATE = 2, 4, 8, 1, 32, 16384, 1 << 18
BIND = 4096 | RECURSIVE
KILL = 9
libc = ctypes.CDLL(None, use_errno=True)


class Jail:
    """How one jail is to be: the learner's slot, its limits, the folders that it must not see."""

    def __init__(self, slot: int, allowed: limits.Limits, hidden: list[Path]) -> None:
        self.slot, self.allowed, self.hidden = slot, allowed, hidden

    def separate(self) -> None:
        """Leave the zygote's namespaces; the next child is the first process of its own."""
        root = os.geteuid() == 0
        user, group = os.geteuid(), os.getegid()
        flags = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET | NEWCGROUP | (0 if root else NEWUSER)
        _must(libc.unshare(flags), "unshare")
        if not root:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{FIRST_USER} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{FIRST_USER} {group} 1")

    def lock(self) -> None:
        """Lock this process in; nothing can be undone afterwards."""
        os.setsid()
        root = os.geteuid() == 0
        self._mounts()
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # out of the bounding set
        if root:
            user = FIRST_USER + self.slot
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        _drop_capabilities()
        _must(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")
        limits.apply(self.allowed)
        internet = (seccomp.INTERNET,) if self.allowed.internet else ()
        seccomp.install((seccomp.UNIX, *internet))
        os.chdir("/tmp")

    def _mounts(self) -> None:
        _must(libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None), "private mounts")
        _mount("proc", Path("/proc"), "proc")
        for folder, share in ((Path("/tmp"), 1), (Path("/dev/shm"), 4)):
            size = self.allowed.disk // share
            with _kept_below(folder):
                _mount("tmpfs", folder, "tmpfs", f"size={size},nr_inodes=4096,mode=1777")
        for folder in self.hidden:
            _mount("tmpfs", folder, "tmpfs", "size=4096,nr_inodes=2,mode=555", READ_ONLY)


@contextmanager
def _kept_below(folder: Path) -> Iterator[None]:
    """Put back the course and its packages where they lie below a folder that is mounted over."""
    kept = [path for path in read_only() if path.is_relative_to(folder)]
    handles = [os.open(path, os.O_PATH) for path in kept]
    yield
    for path, handle in zip(kept, handles, strict=True):
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        seen = Path(f"/proc/self/fd/{handle}")
        if seen.is_dir():
            path.mkdir(mode=0o755, exist_ok=True)
        elif not path.exists():
            path.touch(mode=0o644)
        _mount(str(seen), path, "none", flags=BIND)
        os.close(handle)


def _mount(source: str, target: Path, kind: str, options: str = "", flags: int = 0) -> None:
    given = ctypes.c_ulong(flags | NOSUID | NODEV)
    text = options.encode() or None
    _must(libc.mount(source.encode(), bytes(target), kind.encode(), given, text), f"mount {target}")


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _must(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def _must(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
