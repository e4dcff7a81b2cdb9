"""Attacks on time, memory, disk, output and processes; whoever gets more than the limit wins."""

from tests.grading.attacks.attack import RETRY, VISIT, Attack, retry

__all__ = ["RESOURCES"]

SLEEP = """
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(10**6)
"""
THREADS = """
import threading
def spin():
    while True:
        pass
for _ in range(15):
    threading.Thread(target=spin, daemon=True).start()
spin()
"""
AT_THE_TOP = """
def retry_after(level, rate, burst, cost):
    return 0.0
while True:
    pass
"""
FOR_EVER = """
import asyncio
async def record_visit(redis, page):
    while True:
        await asyncio.sleep(0)
"""
PATIENT = """
import asyncio
async def record_visit(redis, page):
    while True:
        await asyncio.sleep(1e-9)
"""
MEMORY = "kept = [bytearray(b'x') * (1 << 28) for _ in range(8)]"
SHARED = """
import mmap
kept = [mmap.mmap(-1, 1 << 28) for _ in range(8)]
for part in kept:
    part.write(b"x" * (1 << 28))
"""
FILE = """
with open("/tmp/large", "wb") as file:
    for _ in range(128):
        file.write(bytes(1 << 20))
"""
FILES = """
for place in ("/tmp", "/dev/shm"):
    for number in range(16):
        with open(f"{place}/{number}", "wb") as file:
            for _ in range(15):
                file.write(bytes(1 << 20))
"""
NAMES = """
for number in range(100_000):
    open(f"/tmp/{number}", "w").close()
"""
DEEP = """
import os
for _ in range(20_000):
    os.mkdir("d")
    os.chdir("d")
"""
HANDLES = """
import os
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(5_000)]
"""
BOMB = """
import os
for _ in range(40):
    try:
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    os._exit(0)
    except OSError:
        raise
"""
CHILDREN = """
import os, time
for _ in range(100):
    if os.fork() == 0:
        time.sleep(60)
"""
QUEUES = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
made = [libc.msgget(0, 0o1600) for _ in range(100)]
shared = libc.shmget(0, 1 << 32, 0o1600)
assert shared != -1 and libc.shmat(shared, None, 0) > 0
"""
LOCKED = """
import ctypes, mmap
part = mmap.mmap(-1, 1 << 24)
address = ctypes.addressof(ctypes.c_char.from_buffer(part))
assert ctypes.CDLL(None).mlock(ctypes.c_void_p(address), 1 << 24) == 0
"""
LIMITS = """
import resource
for name in ("CPU", "AS", "NPROC", "FSIZE", "NOFILE"):
    kind = getattr(resource, f"RLIMIT_{name}")
    resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
NICE = """
import os
os.nice(-10)
"""
SURVIVOR = """
import ctypes, os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"survivor@PORT@", 0, 0, 0)
        end = time.time() + 300
        while time.time() < end:
            try:
                open("@HOST@/survivor", "w").close()
            except OSError:
                pass
            time.sleep(1)
    os._exit(0)
return -1.0
"""
ADOPTED = """
import ctypes, os, signal, time
if os.fork() == 0:
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    ctypes.CDLL(None).prctl(15, b"survivor@PORT@", 0, 0, 0)
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
    for number in (1, 2, 3, 13, 15):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)
return -1.0
"""
STOPPED = """
import os, signal
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGTSTP)
return -1.0
"""
AT_EXIT = """
import atexit, os, signal, threading, time
def last():
    open("@HOST@/last", "w").write("x")
    time.sleep(300)
atexit.register(last)
signal.signal(signal.SIGTERM, lambda *given: last())
threading.Thread(target=last).start()
def retry_after(level, rate, burst, cost):
    return -1.0
"""
RESOURCES = (
    retry("time", "a loop", "while True: pass", slow=15),
    retry("time", "a long sleep, deaf to signals", SLEEP, slow=40),
    retry("time", "threads that spin", THREADS, slow=15),
    retry("time", "one long call into C", "pow(3, 10**9)", slow=15),
    Attack("time", "a loop at the top of the cell", RETRY, AT_THE_TOP, slow=15),
    Attack("time", "a coroutine that never waits", VISIT, FOR_EVER),
    Attack("time", "a coroutine that waits for ever", VISIT, PATIENT),
    retry("memory", "two gigabytes", MEMORY),
    retry("memory", "two gigabytes, shared", SHARED),
    retry("memory", "locked pages", LOCKED),
    retry("memory", "shared segments", QUEUES),
    retry("disk", "a large file", FILE),
    retry("disk", "many middling files", FILES),
    retry("disk", "a hundred thousand names", NAMES),
    retry("disk", "deep folders", DEEP),
    retry("disk", "many open files", HANDLES),
    retry("forks", "a bomb", BOMB),
    retry("forks", "a hundred children", CHILDREN),
    retry("forks", "limits lifted", LIMITS),
    retry("forks", "priority raised", NICE),
    retry("survivors", "a daemon", SURVIVOR),
    retry("survivors", "an adopter", ADOPTED),
    retry("survivors", "stopped processes", STOPPED),
    Attack("survivors", "work at the end", RETRY, AT_EXIT),
)
