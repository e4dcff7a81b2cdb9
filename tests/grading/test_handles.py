"""Whatever a check hands to a learner works through the wire as it does in a notebook."""

from typing import Any

import pytest

from course_lib.exercises.exercise import Exercise
from course_lib.exercises.hunting import play
from course_lib.exercises.outcome import State
from course_lib.grading.judge.jails import Jails
from course_lib.grading.protocol.remote import RemoteAttempt
from course_lib.grading.protocol.session import Session
from course_lib.lab import World
from tests.grading.examples import EXAMPLES, Bank
from tests.grading.test_remote import local, remote, told

WRONG = [(e, m.source) for e in EXAMPLES for m in e.mistakes]


def _id(value: object) -> str:
    return value.name if isinstance(value, Exercise) else ""


@pytest.mark.parametrize("exercise", EXAMPLES, ids=_id)
def test_answer(jails: Jails, exercise: Exercise) -> None:
    """The right answer passes in both places and leaves the same schedule."""
    here = local(exercise, exercise.answer)
    assert here.state is State.PASS, here.first.counterexample or here.first.reason
    assert told(remote(jails, exercise, exercise.answer)) == told(here)


@pytest.mark.parametrize(("exercise", "source"), WRONG, ids=_id)
def test_mistake(jails: Jails, exercise: Exercise, source: str) -> None:
    """A mistake fails in both places, with the same words and the same schedule."""
    here = local(exercise, source)
    assert here.state is State.FAIL
    assert told(remote(jails, exercise, source)) == told(here)


REACH = """
async def reach(db, http, bank, random):
    got, learner, number = [], bank._learner, bank._number
    for payload in (
        ["get", "_secret"], ["get", "__class__"], ["get", "done"], ["get", "quote"],
        ["call", "__init__", [None], {}], ["call", "_secret", [], {}], ["call", "", [], {}],
        ["call", "charge", [], {}], ["get"], [], None, "get", 7,
    ):
        for handle in (number, number + 50, -1):
            try:
                got.append([payload, str(learner.ask(handle, payload))])
            except Exception:
                pass
            try:
                got.append([payload, str(await learner.effect(handle, payload))])
            except Exception:
                pass
    for statement in (
        "ATTACH '/tmp/other.db' AS other", "VACUUM INTO '/tmp/copy.db'",
        "SELECT load_extension('/tmp/x.so')", "PRAGMA temp_store_directory = '/tmp'",
        "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/mark', 'x')",
        "SELECT zeroblob(2000000000)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n",
    ):
        try:
            got.append([statement, str((await db.execute_fetchall(statement))[:3])])
        except Exception:
            pass
    for address in ("file:///etc/passwd", "http://127.0.0.1:22/", "http://shop.evil/", "ftp://x/"):
        try:
            got.append([address, (await http.get(address)).text])
        except Exception:
            pass
    for bits in (-1, 10**9, 1.5, "8", None):
        try:
            got.append([bits, str(random.getrandbits(bits))])
        except Exception:
            pass
    return got
"""


def test_out_of_reach(jails: Jails) -> None:
    """Of an object only public methods and plain public values; of a database no other file."""
    session = Session(jails.channel())
    session.start({"prelude": [], "source": REACH, "name": "reach"})

    async def tried() -> Any:
        world = World()
        bank = Bank(world)
        bank.done.append(world)
        attempt = RemoteAttempt(session, "reach")
        async with world.sql("server") as db:
            return await attempt.wait(db, world.http("server"), bank, world.random)

    assert play(tried()) == []
    assert session.violation is None
