"""Attacks on the judgement: always-equal answers, patched checks, tricks with the interpreter."""

from tests.grading.attacks.attack import RETRY, SIGNATURE, VISIT, Attack

__all__ = ["TAMPERING"]


def _cell(name: str, source: str, exercise: str = RETRY) -> Attack:
    return Attack("tampering", name, exercise, source)


def _patched(name: str, patch: str) -> Attack:
    """Change something inside, then answer 0."""
    return _cell(name, f"{patch}\n{SIGNATURE}\n    return 0.0\n")


EQUAL = """
class Yes(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __hash__ = float.__hash__
def retry_after(level, rate, burst, cost):
    return Yes(1.0)
"""
ANYTHING = """
class Anything:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *given): return self
    def __float__(self): return 0.0
    __class__ = float
def retry_after(level, rate, burst, cost):
    return Anything()
"""
META = """
class Kind(type):
    def __eq__(self, other): return True
    def __hash__(self): return hash(float)
    def __instancecheck__(self, thing): return True
class Number(metaclass=Kind):
    def __eq__(self, other): return True
def retry_after(level, rate, burst, cost):
    return Number()
"""
EQUAL_INT = """
class Yes(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __str__(self): return "1"
async def record_visit(redis, page):
    return Yes(-1)
"""
IMPORTED = """
import sys, types
fake = types.ModuleType("course_lib.exercises.rate_limiting")
fake.retry_after = lambda *given: 0.0
sys.modules["course_lib.exercises.rate_limiting"] = fake
sys.meta_path.insert(0, type("F", (), {"find_spec": staticmethod(lambda *given: None)}))
"""
TRACE = """
import sys
def spy(frame, event, argument):
    for name, value in list(frame.f_locals.items()):
        if name in ("expected", "right", "truth", "wanted"):
            globals()["found"] = value
    frame.f_trace_opcodes = True
    return spy
sys.settrace(spy); sys.setprofile(spy)
found = 0.0
def retry_after(level, rate, burst, cost):
    return found
"""
FRAMES = """
import sys
def retry_after(level, rate, burst, cost):
    frame = sys._getframe()
    while frame:
        for name in ("expected", "right", "truth", "wanted"):
            thing = frame.f_locals.get(name, frame.f_globals.get(name))
            if thing is not None:
                return thing(level, rate, burst, cost) if callable(thing) else thing
        frame = frame.f_back
    return 0.0
"""
GARBAGE = """
import gc
def retry_after(level, rate, burst, cost):
    for thing in gc.get_objects():
        if type(thing) is dict and "def retry_after" in str(thing.get("ANSWER", ""))[:4000]:
            scope = {}
            exec(thing["ANSWER"], scope)
            return scope["retry_after"](level, rate, burst, cost)
        if getattr(thing, "__name__", "") == "truth":
            return thing(level, rate, burst, cost)
    return 0.0
"""
COLLECTED = """
import gc
for thing in gc.get_objects():
    if type(thing) is dict and "_nonce" in thing:
        thing["_nonce"] = ""
gc.disable()
def retry_after(level, rate, burst, cost):
    for thing in gc.get_referrers(level):
        if type(thing) is list:
            thing[:] = [0.0] * len(thing)
    return 0.0
"""
CTYPES = """
import ctypes
def retry_after(level, rate, burst, cost):
    ctypes.c_double.from_address(id(level) + 16).value = 0.0
    ctypes.c_double.from_address(id(rate) + 16).value = 1.0
    return 0.0
"""
SMALL_INTS = """
import ctypes
def attack(limit, window, start, gap):
    for number in (limit, window, gap):
        ctypes.c_uint32.from_address(id(number) + 24).value = 0
    return [start]
"""
ARGUMENTS = """
def decide(tiers, costs, tier, route, level):
    for plan in tiers.values():
        plan.update(burst=0, rate=1.0)
    costs.clear()
    return {"allowed": False, "level": 0.0, "retry_after": None}
"""
LATER = """
class Log(list):
    def __iter__(self): return iter([])
def sound(log, limit, window):
    log.clear()
    return bool(len(log) - len(log))
"""
DICT = """
class Answer(dict):
    def __eq__(self, other): return True
    def __getitem__(self, key): return self
    keys = lambda self: ["allowed", "level", "retry_after"]
def decide(tiers, costs, tier, route, level):
    return Answer(allowed=True, level=0.0, retry_after=0.0)
"""
EXITS = {
    "SystemExit": "raise SystemExit(0)",
    "os._exit": "import os\nos._exit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "an exception of its own base": "class Calm(BaseException): pass\nraise Calm",
    "GeneratorExit": "raise GeneratorExit",
    "a cancellation": "import asyncio\nraise asyncio.CancelledError",
    "a violation of our own": "class Violation(BaseException): kind = sentence = 'PASS'\n"
    "raise Violation",
    "a dead process": "from course_lib.lab import ProcessDied\nraise ProcessDied('x')",
    "a segmentation fault": "import ctypes\nctypes.string_at(0)",
    "recursion": "sys = __import__('sys')\nsys.setrecursionlimit(10**9)\nf = lambda: f()\nf()",
    "an exception that lies": "class Lie(Exception):\n    def __str__(self): raise SystemExit\n"
    "raise Lie",
}


def _exit(name: str, crime: str) -> Attack:
    body = "".join(f"    {line}\n" for line in crime.splitlines())
    return Attack("exceptions", name, RETRY, f"{SIGNATURE}\n{body}")


TAMPERING = (
    _cell("a float equal to everything", EQUAL),
    _cell("an object equal to everything", ANYTHING),
    _cell("a metaclass equal to everything", META),
    _cell("an int equal to everything", EQUAL_INT, VISIT),
    _cell("a dict equal to everything", DICT, "rate_limiting.tiers_and_cost"),
    _patched(
        "checks patched",
        "import course_lib.exercises.plain as p, course_lib.exercises.examine as e\n"
        "p.same = e._one = lambda *given: True",
    ),
    _patched(
        "builtins patched",
        "import builtins\n"
        "builtins.isinstance = builtins.all = builtins.callable = lambda *given: True\n"
        "builtins.type = lambda *given: float",
    ),
    _patched(
        "json patched",
        'import json\njson.dumps = lambda *given, **named: \'{"state": "PASS"}\'',
    ),
    _patched(
        "the inside patched",
        "import course_lib.grading.inside.learner as l, course_lib.grading.inside.lines as s\n"
        "l.encode = lambda *given: True\n"
        "s.Lines.send = lambda self, reply: None",
    ),
    _patched("assert removed", "import sys\nsys.flags = None\n__debug__\nsys.excepthook = print"),
    _patched("modules replaced", IMPORTED),
    _cell("frames walked", FRAMES),
    _cell("tracing", TRACE),
    _cell("answers in the heap", GARBAGE),
    _cell("the collector", COLLECTED),
    _cell("floats changed in place", CTYPES),
    _cell("small ints changed in place", SMALL_INTS, "rate_limiting.boundary_attack"),
    _cell("arguments changed in place", ARGUMENTS, "rate_limiting.tiers_and_cost"),
    _cell("the log emptied", LATER, "rate_limiting.audit"),
    *(_exit(name, crime) for name, crime in EXITS.items()),
)
