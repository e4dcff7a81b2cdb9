"""Attacks on the wire: forged, repeated, early, huge and malformed messages.

The pipes are 200 and 201, and an attack may use them as it likes.
"""

from tests.grading.attacks.attack import RETRY, SIGNATURE, VISIT, Attack

__all__ = ["PROTOCOL"]

HEAD = """
import gc, json, os
import course_lib.grading.inside.lines as lines
WIRE = next(thing for thing in gc.get_objects() if type(thing) is lines.Lines)
def say(text):
    data = text if isinstance(text, bytes) else text.encode() + b"\\n"
    while data:
        data = data[os.write(201, data):]
def done(number, form="0.0", nonce=None):
    nonce = WIRE._nonce if nonce is None else nonce
    return '{"events": [["done", %s, %s]], "next": null, "n": "%s"}' % (number, form, nonce)
"""


def _wire(
    name: str, crime: str, kind: str = "forged protocol", *, caught: bool = False, slow: int = 0
) -> Attack:
    """Do something to the wire at the first call, then answer 0."""
    body = "\n".join(f"    {line}" for line in crime.strip("\n").splitlines())
    source = f"{HEAD}\n{SIGNATURE}\n{body}\n    return 0.0\n"
    return Attack(kind, name, RETRY, source, slow, caught)


def _reply(name: str, form: str) -> Attack:
    """Give the one reply that is due by hand, with another form as the answer."""
    return _wire(name, f"say(done(1, {form!r}))\nos.read(200, 1 << 20)")


NUMBERS = """
for number in range(1, 60):
    say(done(number))
"""
MANY = """
events = [["done", number, 0.0] for number in range(99)]
say(json.dumps({"events": events, "next": None, "n": WIRE._nonce}))
"""
REPLAY = """
old = globals().setdefault("old", [])
old.append(WIRE._nonce)
say(done(len(old), nonce=old[0]))
"""
AHEAD = """
say(done(1) + "\\n" + done(2, nonce="0" * 16) + "\\n" + done(3, nonce=WIRE._nonce))
"""
BEFORE = f"""
{HEAD}
for number in range(1, 9):
    say(done(number))
{SIGNATURE}
    return 0.0
"""
VERDICT = """
say(json.dumps({"state": "PASS", "exercise": "rate_limiting.retry_after", "properties": [],
                "n": WIRE._nonce}))
say(json.dumps({"verdict": "PASS"}))
"""
ASKS = """
for handle in (-1, 0, 99, 10**30):
    WIRE.send({"ask": [handle, ["random"]]})
    WIRE.receive()
"""
FOREVER_ASKING = """
while True:
    WIRE.send({"ask": [0, ["random"]]})
    WIRE.receive()
"""
EFFECTS = """
WIRE.send({"events": [["effect", n, 0, ["send", 1, []]] for n in range(20_000)], "next": None})
WIRE.receive()
"""
PEEK = """
import select
questions = []
say(done(1))
while select.select([200], [], [], 0.2)[0]:
    questions.append(os.read(200, 1 << 20))
    say(done(len(questions) + 1))
"""
FOUND = f"""
{HEAD}
WIRE.send({{"found": True, "failed": ""}})
WIRE.send = lambda reply: None
{SIGNATURE}
    return 0.0
"""
FAULTS = """
WIRE.send({"events": [["fault", 1, "PASS", "x", "y"]], "next": None})
"""
BUSY = """
while True:
    WIRE.send({"busy": True})
    WIRE.receive()
"""
TIMERS = """
import asyncio
async def record_visit(redis, page):
    loop = asyncio.get_running_loop()
    type(loop).next_timer = property(lambda self: [-1e308])
    return 1
"""
REWIND = """
import asyncio
async def record_visit(redis, page):
    loop = asyncio.get_running_loop()
    type(loop).next_timer = property(lambda self: -1e300)
    await asyncio.sleep(1)
    return 1
"""
STALE = """
import asyncio
kept = []
async def record_visit(redis, page):
    kept.append(redis)
    await kept[0].set(page, 0)
    return len(kept)
"""
HANDLE = """
import course_lib.grading.inside.learner as learner
async def record_visit(redis, page):
    pool = redis.connection_pool.connection_class
    for handle in (1, 2, 99, -1):
        try:
            await pool.learner.effect(handle, ["send", 1, [[b"SET", page.encode(), b"41"]]])
        except Exception:
            pass
    return 42
"""
NEXT = """
from course_lib.grading.inside.learner import Learner
async def record_visit(redis, page):
    real = Learner._say
    Learner._say = lambda self, event: (real(self, event), real(self, ["done", 999, 1]))
    return 1
"""
GUESSES = """
import random
def retry_after(level, rate, burst, cost):
    known = {}
    for seed in range(1, 1000):
        draw = random.Random(f"{seed} enough")
        for extra in (0.0, 0.25, None):
            size = draw.randint(6, 20)
            price = draw.randint(1, size - 2)
            now = float(size) if extra is None else price + extra
            known[now, draw.choice((0.25, 0.5, 2.0, 4.0, 5.0, 8.0)), size, price] = 0.0
    return known.get((level, rate, burst, cost), 1.5)
"""
RECORDED = """
def attack(limit, window, start, gap):
    return [start, start + gap, 88_000, 88_001]
"""
PROTOCOL = (
    _wire("numbers guessed", NUMBERS, caught=True),
    _wire("all answers at once", MANY, caught=True),
    _wire("a nonce repeated", REPLAY, "nonce replay", caught=True),
    _wire("replies ahead", AHEAD, "foresight", caught=True),
    _wire("questions read before answers", PEEK, "foresight", caught=True),
    Attack("foresight", "answers before the first question", RETRY, BEFORE, caught=True),
    Attack("foresight", "draws of the known seeds", RETRY, GUESSES),
    Attack("foresight", "answers recorded elsewhere", "rate_limiting.boundary_attack", RECORDED),
    _wire("a verdict of its own", VERDICT, caught=True),
    _wire("handles never handed out", ASKS),
    _wire("questions without end", FOREVER_ASKING, slow=40),
    _wire("twenty thousand effects", EFFECTS),
    _wire("an unknown fault", FAULTS),
    _wire("always busy", BUSY),
    _wire("silence and the end", "os.close(201)"),
    _wire("a flood", "while True:\n    say(b'x' * 65536)", "output"),
    _wire("lines without end", "while True:\n    say(b'\\n' * 65536)", "output"),
    _wire("a long line", "say('\"' + 'x' * 5_000_000 + '\"')", "output"),
    _wire("no text", "say(bytes(range(256)) + b'\\n')"),
    _reply("NaN", "NaN"),
    _reply("infinity", "1e999"),
    _reply("a number of many digits", "9" * 50_000),
    _reply("nested lists", "[" * 30_000 + "]" * 30_000),
    _reply("deep objects", '{"d": [["a", ' * 40 + "0" + "]]}" * 40),
    _reply("the same key twice", '{"d": [["a", 1], ["a", 2]]}'),
    _reply("an exception as an answer", '{"e": ["builtins", "SystemExit", "0"]}'),
    _reply("a class as an exception", '{"e": ["builtins", "eval", "1"]}'),
    _reply("a handle as an answer", '{"h": ["random", 0, {}]}'),
    _reply("half a character", '"\\ud800"'),
    _reply("true for one", "true"),
    Attack("forged protocol", "a cell that found itself", RETRY, FOUND, slow=40),
    Attack("forged protocol", "an answer nobody asked for", VISIT, NEXT, caught=True),
    Attack("forged protocol", "somebody else's handle", VISIT, HANDLE),
    Attack("forged protocol", "a client kept from before", VISIT, STALE),
    Attack("clocks", "a timer that is no time", VISIT, TIMERS),
    Attack("clocks", "a timer in the past", VISIT, REWIND),
)
