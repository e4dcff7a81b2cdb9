"""Attacks on the boundary itself: other processes, namespaces, mounts, clocks, the kernel."""

import platform

from tests.grading.attacks.attack import Attack, retry

__all__ = ["MACHINE"]

CALL = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *given):
    answer = libc.syscall(number, *given)
    if answer == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return answer
"""
X86 = platform.machine() == "x86_64"


def _call(name: str, intel: int, arm: int, *given: str) -> Attack:
    words = ", ".join([str(intel if X86 else arm), *given])
    return retry("machine", name, f"call({words})", CALL)


def _machine(name: str, crime: str) -> Attack:
    return retry("machine", name, crime, CALL)


SIGNALS = """
import os, signal
hit = []
for pid in [os.getppid(), *range(2, 400)]:
    if pid in (0, os.getpid()):
        continue
    try:
        os.kill(pid, signal.SIGKILL)
        hit.append(pid)
    except OSError:
        pass
assert hit
"""
GROUP = """
try:
    os.kill(-1, signal.SIGKILL)
finally:
    os.killpg(0, signal.SIGKILL)
"""
CLOCK = """
import time
time.clock_settime(time.CLOCK_REALTIME, 0)
"""
JUMP = """
import course_lib.lab, time
time.time = time.monotonic = lambda: 1e12
time.sleep = lambda seconds: None
from course_lib.grading.inside.loop import LockstepLoop
LockstepLoop.move_to = lambda self, now: None
async def record_visit(redis, page):
    import asyncio
    asyncio.get_running_loop()._now = 1e9
    await asyncio.sleep(1e-3)
    return 1
"""
USER = """
os.setuid(0)
"""
SETUID = """
import shutil
for name in ("su", "sudo", "mount", "newgrp", "passwd", "bwrap"):
    path = shutil.which(name)
    if path and os.stat(path).st_mode & 0o4000:
        assert os.system(f"{path} --bogus-flag 2>/dev/null") == 0
assert os.system("bwrap --dev-bind / / true") == 0
"""
CAPABLE = """
text = open("/proc/self/status").read()
sets = [line.split()[1] for line in text.splitlines() if line.startswith("Cap")]
assert any(int(one, 16) for one in sets)
"""
PRIVILEGED = """
text = open("/proc/self/status").read()
assert "NoNewPrivs:\\t0" in text or "Seccomp:\\t0" in text
"""
NAMED = """
libc.sethostname.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
assert libc.sethostname(b"attacked", 8) == 0
"""
JUDGE = """
import glob
for path in glob.glob("/proc/[0-9]*/cmdline"):
    assert b"judge.bench" not in open(path, "rb").read(), "seen"
raise LookupError
"""
MACHINE = (
    _call("ptrace of the parent", 101, 117, "16", "os.getppid()", "0", "0"),
    _call("memory of another process", 310, 270, "os.getppid()", "0", "0", "0", "0", "0"),
    _call("a user namespace", 272, 97, "0x10000000"),
    _call("a mount namespace", 272, 97, "0x00020000"),
    _call("a process in new namespaces", 56, 220, "0x10020011", "0", "0", "0", "0"),
    _call("a mount", 165, 40, "b'none'", "b'/tmp'", "b'tmpfs'", "0", "0"),
    _call("an unmount", 166, 39, "b'/tmp'", "2"),
    _call("another root", 161, 51, "b'/tmp'"),
    _call("another namespace entered", 308, 268, "0", "0"),
    _call("a kernel key", 248, 217, "b'user'", "b'x'", "b'y'", "1", "-3"),
    _call("an eBPF program", 321, 280, "0", "0", "0"),
    _call("a ring of requests", 425, 425, "8", "ctypes.create_string_buffer(200)"),
    _call("page faults of its own", 323, 282, "1"),
    _call("counters of the kernel", 298, 241, "0", "0", "-1", "-1", "0"),
    _call("the kernel's log", 103, 116, "2", "0", "0"),
    _call("file handles", 304, 265, "0", "0", "0"),
    _call("a restart", 169, 142, "0xfee1dead", "672274793", "0x4321fedc", "0"),
    retry("machine", "signals to everybody", SIGNALS),
    _machine("signals to its group", GROUP),
    _machine("the clock set", CLOCK),
    _machine("root again", USER),
    _machine("programs of root", SETUID),
    _machine("capabilities left", CAPABLE),
    _machine("no filter", PRIVILEGED),
    _machine("the machine's name", NAMED),
    _machine("the judge's process", JUDGE),
    Attack("machine", "the loop's clock moved", "start_here.record_visit", JUMP),
)
