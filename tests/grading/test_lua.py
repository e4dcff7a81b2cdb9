"""A learner's Redis script runs inside the judge, and sees strings, tables and mathematics only."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from course_lib.grading.judge import commands, lua
from course_lib.lab import World, run
lua.close()
commands.close()
async def script(text):
    return await World().redis("a").eval(text, 1, "k", "v")
try:
    print(run(script(sys.stdin.read())))
except Exception as error:
    print("refused", error)
"""


def evaluated(script: str) -> str:
    """Return what a script answers in a process whose Redis is closed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=script, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


NAMES = ["python", "os", "io", "package", "require", "debug", "load", "loadstring", "newproxy"]


def test_names() -> None:
    """Nothing that leads out of Redis has a name; that which Redis offers has one."""
    names = ", ".join(f"tostring({name})" for name in [*NAMES, "string.dump"])
    assert evaluated(f"return table.concat({{{names}}}, ' ')") == " ".join(["nil"] * 10)
    assert evaluated("return redis.call('SET', KEYS[1], ARGV[1])") == "OK"


@pytest.mark.parametrize(
    "script",
    [
        "return python.eval('1')",
        "return redis.call.__globals__",
        "return getmetatable(redis.call).__index(redis.call, '__class__')",
        "\x1bLua",
        "return string.rep('x', 2000000000)",
        "return redis.call('RESTORE', KEYS[1], 0, 'x')",
    ],
)
def test_refused(script: str) -> None:
    """Python, its attributes, byte code, a gigabyte and pickles are refused."""
    assert evaluated(script).startswith("refused")
