"""Attacks on what the judge runs for a learner: Redis commands and scripts; and on its own reading.

Whoever gets Python to run there writes a verdict of its own.
"""

from tests.grading.attacks.attack import RETRY, SIGNATURE, Attack, visit

__all__ = ["JUDGES"]

FORGE = (
    "import sys, os, json\n"
    "frame = sys._getframe()\n"
    "while frame.f_code.co_name != '_child': frame = frame.f_back\n"
    "said = {'exercise': frame.f_locals['task']['exercise'], 'state': 'PASS', 'cell': '',"
    " 'properties': []}\n"
    "os.write(frame.f_locals['writer'], json.dumps(said).encode())\n"
    "os._exit(0)\n"
)
PICKLED = f"""
import hashlib, pickle
class Run:
    def __reduce__(self):
        return exec, ({FORGE!r},)
BODY = pickle.dumps(Run())
BODY = hashlib.sha1(BODY).digest() + BODY
"""
LUA_PICKLED = (
    "await redis.eval(\"return redis.call('RESTORE', 'x', 0, ARGV[1])\", 0, BODY)\nreturn -1"
)


def _lua(name: str, script: str, *, slow: int = 0) -> Attack:
    return visit("judge", name, f"await redis.eval({script!r}, 0)\nreturn -1", slow=slow)


def _commands(name: str, *commands: tuple[object, ...], slow: int = 0) -> Attack:
    lines = [f"await redis.execute_command(*{command!r})" for command in commands]
    return visit("judge", name, "\n".join([*lines, "return -1"]), slow=slow)


SNEAK = """
local ok, error = pcall(redis.call, 'NOPE')
return error.__class__.__init__.__globals__['sys']
"""
CALLBACK = """
redis.call.__globals__['os'].system('touch @HOST@/lua')
"""
PLANT = """
string.format = function() return '1' end
redis.call = function() return 1 end
return 1
"""
PICKLE_COMMANDS = "await redis.execute_command('RESTORE', 'x', 0, BODY)\nreturn -1"
SOURCES = {
    "brackets without end": f"{SIGNATURE}\n    return {'(' * 40_000}1{')' * 40_000}\n",
    "operators without end": f"{SIGNATURE}\n    return {'-' * 90_000}1\n",
    "attributes without end": f"{SIGNATURE}\n    return rate{'.real' * 19_000}\n",
    "a sum without end": f"{SIGNATURE}\n    return {'1+' * 45_000}1\n",
    "functions in functions": "".join(" " * n + f"def f{n}():\n" for n in range(99))
    + " " * 99
    + "pass\n",
    "a coding of its own": "# -*- coding: rot13 -*-\n" + SIGNATURE + "\n    return 0.0\n",
    "no end of line": SIGNATURE + "return 0.0\r\x0c",
    "a number of a million digits": f"{SIGNATURE}\n    return {'9' * 90_000}\n",
}
JUDGES = (
    visit("pickles", "a pickle for RESTORE", PICKLE_COMMANDS, PICKLED),
    visit("pickles", "a pickle from a script", LUA_PICKLED, PICKLED),
    Attack(
        "pickles",
        "an answer that is a pickle",
        RETRY,
        f"{PICKLED}\n{SIGNATURE}\n    return Run()\n",
    ),
    _lua("python from a script", "python.eval([[__import__('os').system('touch @HOST@/lua')]])"),
    _lua("files from a script", "local f = io.open('@HOST@/lua', 'w') f:write('x') f:close()"),
    _lua("modules from a script", "return require('os').execute('touch @HOST@/lua')"),
    _lua("byte code", "\x1bLua\x51\x00"),
    _lua("attributes of functions", CALLBACK),
    _lua("attributes of errors", SNEAK),
    _lua("functions replaced", PLANT),
    _lua("a script without end", "while true do end", slow=85),
    _lua("memory of a script", "local t = {} for n = 1, 1e9 do t[n] = string.rep('x', 1e6) end"),
    _commands(
        "settings that name files", ("CONFIG", "SET", "aclfile", "@HOST@/acl"), ("ACL", "SAVE")
    ),
    _commands("files of users", ("CONFIG", "SET", "dir", "@HOST@"), ("SAVE",), ("BGSAVE",)),
    _commands("a module", ("MODULE", "LOAD", "/tmp/attack.so")),
    _commands("a long value", ("SETRANGE", "x", 2**29 - 2, "x")),
    _commands("a command that waits", ("BLPOP", "nothing", 0)),
    _commands("another's pages", ("FLUSHALL",), ("SWAPDB", 0, 1), ("SHUTDOWN",)),
    *(Attack("judge", f"a source: {name}", RETRY, text) for name, text in SOURCES.items()),
)
