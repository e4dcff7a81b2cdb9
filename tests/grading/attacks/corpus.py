"""Attacks on the grader: each is a cell whose honest score is 0, and must score 0.

An attack is a source for one exercise. `{host}` in it is a folder of the host in which the attack
tries to leave a mark, `{port}` a port of the host on which somebody listens. To add one, append it
here; the runner does the rest.
"""

from dataclasses import dataclass

__all__ = ["ATTACKS", "Attack"]

RETRY = "rate_limiting.retry_after"
VISIT = "start_here.record_visit"


@dataclass(frozen=True)
class Attack:
    """One attack: what it is about, a name, the exercise, the cell."""

    kind: str
    name: str
    exercise: str
    source: str


def _retry(kind: str, name: str, *lines: str, before: str = "") -> Attack:
    """An attack from inside `retry_after`; without luck it answers -1."""
    body = "\n    ".join([*lines, "return -1.0"])
    return Attack(
        kind, name, RETRY, f"{before}\ndef retry_after(level, rate, burst, cost):\n    {body}\n"
    )


def _visit(kind: str, name: str, *lines: str) -> Attack:
    body = "\n    ".join(lines)
    return Attack(kind, name, VISIT, f"async def record_visit(redis, page):\n    {body}\n")


def _lua(name: str, script: str) -> Attack:
    """A script that breaks out of Redis into the judge."""
    return _visit("tampering", name, f"await redis.eval({script!r}, 0)", "return -1")


PYTHON = "python.eval([[__import__('os').system('touch {host}/lua')]])"
FORGE = """
import json, os, threading
def retry_after(level, rate, burst, cost):
    for number in range(1, 60):
        os.write(201, (json.dumps({{"events": [["done", number, 0.0]], "next": None, "n": ""}}) + "\\n").encode())
    return 0.0
"""
FORESIGHT = """
import os
def retry_after(level, rate, burst, cost):
    import json
    reply = {{"events": [["done", n, 0.0] for n in range(99)], "next": None, "n": "0" * 16}}
    os.write(201, (json.dumps(reply) + "\\n").encode() * 9)
    return 0.0
"""
UNASKED = """
import course_lib.grading.inside.learner as learner
def retry_after(level, rate, burst, cost):
    real = learner.Learner._say
    learner.Learner._say = lambda self, event: (real(self, event), real(self, ["done", 999, 0.0]))
    return 0.0
"""
EQUAL = """
class Yes(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = float.__hash__
def retry_after(level, rate, burst, cost):
    return Yes(1.0)
"""
CHECKS = """
import course_lib.exercises.plain as plain, course_lib.exercises.examine as examine, builtins
plain.same = lambda a, b: True
builtins.isinstance = lambda a, b: True
def retry_after(level, rate, burst, cost):
    return 0.0
"""

ATTACKS = (
    Attack("tampering", "equal to everything", RETRY, EQUAL),
    Attack("tampering", "checks patched", RETRY, CHECKS),
    _lua("python from lua", PYTHON),
    _lua("files from lua", "local f = io.open('{host}/lua', 'w') f:write('x') f:close()"),
    _lua("byte code", "\x1bLua"),
    _visit("tampering", "no end in lua", "await redis.eval('while true do end', 0)", "return 1"),
    _retry(
        "reading",
        "the answer from disk",
        "import importlib",
        "module = importlib.import_module('course_lib.exercises.rate_limiting.retry_after')",
        "return module.truth(level, rate, burst, cost)",
    ),
    _retry(
        "reading",
        "the answer from memory",
        "import gc",
        "for thing in gc.get_objects():",
        "    text = thing.get('ANSWER') if type(thing) is dict else None",
        "    if text and 'def retry_after' in str(text):",
        "        scope = {{}}",
        "        exec(text, scope)",
        "        return scope['retry_after'](level, rate, burst, cost)",
    ),
    _retry(
        "reading",
        "the answer from the file system",
        "import os, re",
        "for root, _, names in os.walk('/'):",
        "    for name in names:",
        "        if name.startswith(('retry_after', '12_rate')):",
        "            text = open(os.path.join(root, name)).read()",
        "            scope = {{}}",
        '            exec(re.search(\'ANSWER = \\"\\"\\"(.*?)\\"\\"\\"\', text, re.S)[1], scope)',
        "            return scope['retry_after'](level, rate, burst, cost)",
    ),
    _retry(
        "reading",
        "environments",
        "import glob",
        "text = ''.join(open(p, errors='replace').read() for p in glob.glob('/proc/*/environ'))",
        "assert 'COURSE_GRADING_SECRET' in text",
        "return None if cost > burst else max(0.0, (cost - level) / rate)",
    ),
    _retry(
        "writing",
        "outside",
        "open('{host}/mark', 'w').write('x')",
        "return None if cost > burst else max(0.0, (cost - level) / rate)",
    ),
    _retry(
        "writing",
        "the course",
        "import course_lib",
        "open(course_lib.__file__, 'a').write('# mark')",
        "return None if cost > burst else max(0.0, (cost - level) / rate)",
    ),
    _retry(
        "network",
        "a port of the host",
        "import socket",
        "socket.create_connection(('127.0.0.1', {port}), 2)",
        "return None if cost > burst else max(0.0, (cost - level) / rate)",
    ),
    _retry("time", "a loop", "while True: pass"),
    _retry("memory", "eight gigabytes", "kept = [bytearray(1 << 28) for _ in range(32)]"),
    _retry(
        "disk",
        "a large file",
        "open('/tmp/large', 'wb').write(bytes(1 << 27))",
        "return None if cost > burst else max(0.0, (cost - level) / rate)",
    ),
    _retry("output", "a long answer", "return 'x' * 5_000_000"),
    _retry("output", "a flood", "import os", "while True: os.write(201, b'x' * 65536)"),
    _retry("forks", "a bomb", "import os", "while True: os.fork()"),
    _retry(
        "survivors",
        "a daemon",
        "import os, time",
        "if os.fork() == 0:",
        "    os.setsid()",
        "    time.sleep(3)",
        "    open('{host}/survivor', 'w')",
        "    time.sleep(600)",
    ),
    Attack("forged protocol", "answers without a nonce", RETRY, FORGE),
    Attack("forged protocol", "an answer nobody asked for", RETRY, UNASKED),
    Attack("foresight", "replies sent ahead", RETRY, FORESIGHT),
)
