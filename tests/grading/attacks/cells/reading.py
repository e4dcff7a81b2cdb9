"""Attacks that read: secrets, environments, other people's work, answers, hidden parameters.

Whatever looks like the runner's canary is what was to be kept; an attack that finds one raises it
too, so that it would come out in a message.
"""

from tests.grading.attacks.attack import RETRY, Attack, retry

__all__ = ["READING"]

FIND = """
import glob, os, re
def canary(*patterns):
    for pattern in patterns:
        for path in glob.glob(pattern, recursive=True, include_hidden=True):
            try:
                with open(path, "rb") as file:
                    found = re.search(rb"canary-[0-9a-f]{32}", file.read(20_000_000))
            except OSError:
                continue
            if found:
                return found[0].decode()
    raise LookupError
"""


def _read(name: str, *patterns: str) -> Attack:
    wanted = ", ".join(map(repr, patterns))
    return retry("reading", name, f"canary({wanted})", FIND)


def _said(name: str, *patterns: str) -> Attack:
    """Find it, and say it in an error's message."""
    wanted = ", ".join(map(repr, patterns))
    return retry("reading", name, f"raise ValueError(canary({wanted}))", FIND)


MEMORY = """
import re
def retry_after(level, rate, burst, cost):
    found = None
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(end, 16) for end in span.split("-"))
            if rights[:2] != "rw" or high - low > 1 << 26:
                continue
            try:
                memory.seek(low)
                found = found or re.search(rb"canary-[0-9a-f]{32}", memory.read(high - low))
            except (OSError, OverflowError):
                continue
    assert found
    return None if cost > burst else max(0.0, (cost - level) / rate)
"""
IMPORT = """
import importlib
module = importlib.import_module("course_lib.exercises.rate_limiting.retry_after")
return module.truth(level, rate, burst, cost)
"""
REGISTRY = """
from course_lib.exercises.registry import find
scope = {}
exec(find("rate_limiting.retry_after").answer, scope)
return scope["retry_after"](level, rate, burst, cost)
"""
WALK = r"""
import os, re
for top in ("/work", "/root", "/home", "/srv", "/tmp", "/var", "/opt", "@COURSE@", "@VENV@"):
    for root, folders, names in os.walk(top):
        for name in names:
            if name.startswith(("retry_after", "12_rate_limiting")):
                text = open(os.path.join(root, name), errors="replace").read()
                code = re.search(r'ANSWER = \"{3}(.*?)\"{3}', text, re.S)
                scope = {}
                exec(code[1] if code else "", scope)
                return scope["retry_after"](level, rate, burst, cost)
raise LookupError
"""
COMPILED = """
import glob, marshal
for path in glob.glob("/**/retry_after*.pyc", recursive=True):
    code = marshal.loads(open(path, "rb").read()[16:])
    answer = next(c for c in code.co_consts if "def retry_after" in str(c) and "(cost" in str(c))
    scope = {}
    exec(answer, scope)
    return scope["retry_after"](level, rate, burst, cost)
raise LookupError
"""
REMOUNTED = """
import ctypes, importlib, os
libc = ctypes.CDLL(None)
assert libc.umount2(b"@COURSE@/exercises", 2) == 0
from course_lib.exercises.rate_limiting.retry_after import truth
return truth(level, rate, burst, cost)
"""
ENVIRONMENT = """
import os, re
assert re.search("canary-[0-9a-f]{32}", str(dict(os.environ)))
"""
PARENT = """
import os
assert os.path.exists(f"/proc/{os.getppid()}/environ") and os.getppid() > 0
"""
DESCRIPTORS = """
import os, re, stat
found = b""
for fd in range(3, 1024):
    if fd in (200, 201):
        continue
    try:
        os.fstat(fd)
        found += b"open"
    except OSError:
        pass
assert found
"""
CHUNKS = """
import os, re
for fd in range(0, 199):
    try:
        data = os.pread(fd, 1 << 20, 0)
    except OSError:
        continue
    assert not data, data
raise LookupError
"""
NEIGHBOURS = """
import os
mine = {"0", str(os.getpid()), "self", "thread-self"}
others = [name for name in os.listdir("/proc") if name.isdigit() and name not in mine]
assert others
"""
SHARED = """
import glob, os
ours = (os.path.dirname("@COURSE@"), "@VENV@")  # where the course itself lies below /tmp
found = glob.glob("/tmp/**/*", recursive=True) + glob.glob("/dev/shm/*")
assert [p for p in found if not any(p.startswith(o) or o.startswith(p) for o in ours)]
"""
SEEDS = """
import glob, random
def retry_after(level, rate, burst, cost):
    for seed in range(200_000):
        draw = random.Random(f"{seed} enough")
        burst_, cost_ = draw.randint(6, 20), None
        if burst_ == burst:
            break
    return {0.25: 0.0, 0.5: 0.0}.get(rate, 1.0)
"""
READING = (
    _read("the secret's file", "@SECRET@", "/root/.config/**", "/home/**/grading.secret"),
    _said("the secret's file, aloud", "@SECRET@"),
    _read("environments of all processes", "/proc/*/environ", "/proc/*/task/*/environ"),
    _said("command lines of all processes", "/proc/*/cmdline"),
    _read("other submissions", "@IN@/**", "/tmp/**/submissions/**"),
    _read("other results", "@OUT@/**", "@OUT@/results/**"),
    _read("a readable file of the host", "@HOST@/*"),
    _read("roots of other processes", "/proc/*/root@HOST@/*", "/proc/*/cwd/*"),
    _read("the course's folder", "@COURSE@/../tests/**", "@COURSE@/../.git/**"),
    retry("reading", "its own environment", ENVIRONMENT),
    Attack("reading", "its own memory", RETRY, MEMORY),
    retry("reading", "the answer, imported", IMPORT),
    retry("reading", "the answer, from the registry", REGISTRY),
    retry("reading", "the answer, from the disk", WALK),
    retry("reading", "the answer, compiled", COMPILED),
    retry("reading", "the answer, unmounted", REMOUNTED),
    retry("reading", "the parent's environment", PARENT),
    retry("reading", "descriptors left open", DESCRIPTORS),
    retry("reading", "data behind descriptors", CHUNKS),
    retry("reading", "other processes", NEIGHBOURS),
    retry("reading", "files left by others", SHARED),
    Attack("reading", "the parameters, by trying seeds", RETRY, SEEDS),
)
