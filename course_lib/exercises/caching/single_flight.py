"""Exercise: join concurrent loads of one key, so that an expiry costs the database one query.

The learner's class is driven with loads that take time, fail, or are still under way when their
first caller has gone. Left out: keeping the answer, and other servers (a lease does that).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

from course_lib.exercises.attempt import Attempt, Fault, Made
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import play
from course_lib.exercises.plain import shown

__all__ = ["SINGLE_FLIGHT"]

Load = Callable[[str], Awaitable[str]]


class Database:
    """Counts its loads; each takes `takes` seconds, and fails while `fails` is above 0."""

    def __init__(self, draw: random.Random) -> None:
        self.takes = draw.randint(2, 9) / 8
        self.loads: list[str] = []
        self.fails = 0
        self._mark = draw.randrange(1000)

    async def load(self, key: str) -> str:
        """The row of a key: another one for each load, so that answers tell loads apart."""
        self.loads.append(key)
        number, began = len(self.loads), asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes)
        if self.fails:
            self.fails -= 1
            raise ValueError("the database is on holiday")
        return f"{key} {self._mark + number}, as of {began:g} s"


def _key(draw: random.Random) -> str:
    return f"cup {draw.randrange(100)}"


def one_load(attempt: Attempt, draw: random.Random) -> int:
    """Callers that come while a load is under way get that load's answer."""
    database, key, callers = Database(draw), _key(draw), draw.randint(5, 20)

    async def story() -> int:
        flights = attempt.make()

        async def caller(number: int) -> object:
            await asyncio.sleep(database.takes * number / (callers + 1))
            return await flights.wait("do", key, database.load)

        answers = await asyncio.gather(*(caller(n) for n in range(callers)))
        loads = len(database.loads)
        if loads != 1:
            raise Counterexample(
                f"{callers} callers came while the first load of {key!r} was under way, and "
                f"the database was asked {loads} times; right is once."
            )
        _all_are(answers, answers[0], f"{callers} callers of one load")
        if type(answers[0]) is not str or not answers[0].startswith(key):
            raise Counterexample(
                f"The load's own answer should come back, not `{shown(answers[0], 60)}`."
            )
        return callers

    return play(story())


def _all_are(answers: list[object], right: object, who: str) -> None:
    wrong = [answer for answer in answers if answer != right]
    if wrong:
        raise Counterexample(
            f"{who} got different answers: `{shown(right, 60)}` and `{shown(wrong[0], 60)}`."
        )


def apart(attempt: Attempt, draw: random.Random) -> int:
    """Different keys are loaded at the same time, each with its own answer."""
    database, count = Database(draw), draw.randint(3, 6)
    keys = [f"cup {n}" for n in draw.sample(range(100), count)]

    async def story() -> int:
        flights, began = attempt.make(), asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(flights.wait("do", k, database.load) for k in keys))
        took = asyncio.get_running_loop().time() - began
        for key, answer in zip(keys, answers, strict=True):
            if type(answer) is not str or not answer.startswith(f"{key} "):
                raise Counterexample(f"The caller of {key!r} got `{shown(answer, 60)}`.")
        if took > database.takes:
            raise Counterexample(
                f"{count} different keys took {took:g} s, one load takes {database.takes:g} s: "
                "they waited for each other."
            )
        return count

    return play(story())


def afterwards(attempt: Attempt, draw: random.Random) -> int:
    """Whoever comes when the load is done gets a new one: this is no cache."""
    database, key = Database(draw), _key(draw)

    async def story() -> int:
        flights = attempt.make()
        first = await flights.wait("do", key, database.load)
        await asyncio.sleep(draw.randint(0, 3))
        second = await flights.wait("do", key, database.load)
        if first == second:
            raise Counterexample(
                f"A caller that came after the load was done got its old answer, `{first}`: the "
                "row may have changed since."
            )
        return 2

    return play(story())


def errors(attempt: Attempt, draw: random.Random) -> int:
    """A load that fails fails for all who joined it, and is tried anew by the next caller."""
    database, key, callers = Database(draw), _key(draw), draw.randint(2, 6)
    database.fails = 1

    async def story() -> int:
        flights = attempt.make()
        ends = await asyncio.gather(*(_end(flights, key, database.load) for _ in range(callers)))
        told = f"The one load that {callers} callers joined failed"
        if ends != ["raised"] * callers:
            calm = sum(end != "raised" for end in ends)
            raise Counterexample(f"{told}, and {calm} of them did not get its error.")
        if await _end(flights, key, database.load) == "raised":
            raise Counterexample(f"{told}; a caller that came afterwards got that error again.")
        return callers + 1

    return play(story())


async def _end(flights: Made, key: str, load: Load) -> object:
    """The answer, or "raised" for the database's own error."""
    try:
        return await flights.wait("do", key, load)
    except Fault as fault:
        if fault.kind == "raised" and fault.error == "ValueError":
            return "raised"
        raise


def gives_up(attempt: Attempt, draw: random.Random) -> int:
    """The first caller gives up; the others still get their answer, of the same load."""
    database, key = Database(draw), _key(draw)

    async def story() -> int:
        flights = attempt.make()
        first = asyncio.ensure_future(flights.wait("do", key, database.load))
        await asyncio.sleep(database.takes / 4)
        others = [asyncio.ensure_future(flights.wait("do", key, database.load)) for _ in range(3)]
        await asyncio.sleep(database.takes / 4)
        first.cancel()
        try:
            answers = await asyncio.wait_for(asyncio.gather(*others), 10 * database.takes)
        except (TimeoutError, asyncio.CancelledError, Fault):
            raise Counterexample(
                "The first caller gave up (its client hung up), and those who had joined its "
                "load got nothing."
            ) from None
        _all_are(list(answers), answers[0], "Callers that had joined")
        if len(database.loads) != 1:
            raise Counterexample(
                "The first caller gave up, and the others' load was begun anew: the database was "
                f"asked {len(database.loads)} times."
            )
        return len(answers)

    return play(story())


STUB = '''
class SingleFlight:
    """However many ask for a key at once, one loads it and all get the answer."""

    async def do(self, key, load):
        """The result of `await load(key)`.

        Callers that come while a load of their key is under way join it: they get its answer,
        or its error. A caller that comes later begins a new one. A caller may be cancelled.
        """
        raise NotImplementedError
'''

ANSWER = """
import asyncio


class SingleFlight:
    def __init__(self):
        self.flights = {}

    async def do(self, key, load):
        flight = self.flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self.fly(key, load))
            self.flights[key] = flight
        return await asyncio.shield(flight)

    async def fly(self, key, load):
        try:
            return await load(key)
        finally:
            del self.flights[key]
"""

LOCK = """
import asyncio


class SingleFlight:
    def __init__(self):
        self.locks = {}

    async def do(self, key, load):
        lock = self.locks.setdefault(key, asyncio.Lock())
        async with lock:
            return await load(key)
"""

PLAIN = """
class SingleFlight:
    async def do(self, key, load):
        return await load(key)
"""

ONE_LOAD = "Each caller loads for itself. Keep the load that is under way, by key, and join it."
GIVES_UP = (
    "The load belongs to its first caller and dies with it. Let it be a task of its own, and "
    "wait for it behind asyncio.shield."
)

SINGLE_FLIGHT = Exercise(
    id="caching.single_flight",
    place=1,
    title="One load for a hundred callers",
    name="SingleFlight",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("one load", "callers at the same time share one load.", one_load, ONE_LOAD),
        Property("apart", "different keys do not wait for each other.", apart),
        Property("afterwards", "a finished load is not kept.", afterwards),
        Property("errors", "an error goes to all who joined, and to nobody later.", errors),
        Property("gives up", "a caller that is cancelled takes nobody along.", gives_up, GIVES_UP),
    ),
    mistakes=(
        Mistake("no flight at all", PLAIN.lstrip("\n"), ONE_LOAD),
        Mistake(
            "a lock",
            LOCK.lstrip("\n"),
            "A lock lets the callers load one after the other: as many queries as before, only "
            "slower. They must share the answer, not the door.",
        ),
        Mistake(
            "keeps the answer",
            changed(
                ANSWER,
                (
                    "        try:\n            return await load(key)\n"
                    "        finally:\n            del self.flights[key]\n",
                    "        return await load(key)\n",
                ),
            ),
            "You never let a finished load go, so the first answer is the last: a cache without "
            "an expiry.",
        ),
        Mistake(
            "forgets to clear after an error",
            changed(
                ANSWER,
                (
                    "        try:\n            return await load(key)\n"
                    "        finally:\n            del self.flights[key]\n",
                    "        value = await load(key)\n        del self.flights[key]\n"
                    "        return value\n",
                ),
            ),
            "After an error the failed load stays, and everybody who comes later gets the old "
            "error. Clear it in a `finally`.",
        ),
        Mistake(
            "one flight for all keys",
            changed(
                ANSWER,
                ("self.flights.get(key)", 'self.flights.get("")'),
                ("self.flights[key] = flight", 'self.flights[""] = flight'),
                ("del self.flights[key]", 'del self.flights[""]'),
            ),
            "All keys share one load, so some callers get another key's row. Keep one load for "
            "each key.",
        ),
        Mistake(
            "no shield", changed(ANSWER, ("await asyncio.shield(flight)", "await flight")), GIVES_UP
        ),
    ),
    hints=(
        "What must the second caller find, so that it does not load? Keep it in a dict, by key.",
        "Keep the running load itself: `asyncio.ensure_future(...)` starts it and can be awaited "
        "by many. Take it out of the dict when it ends, however it ends.",
        "A caller that is cancelled cancels what it awaits: `await asyncio.shield(flight)` "
        "protects the load from that.",
    ),
    seeds=(1, 2),
)
