"""Exercise, reversed: be the scheduler, and order the steps so that an old value stays.

The learner gets the steps of a reader and of a writer, and returns an order that leaves the cache
with another value than the database, or None when there is no such order. The check plays the order
on a model of the two stores, and knows by trying all orders whether there is one. Left out: more
than two servers, and expiry.
"""

import random
from collections.abc import Iterator
from itertools import combinations

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.plain import shown

__all__ = ["STALE_SCHEDULE", "ends_stale", "orders"]

Steps = list[str]
Case = tuple[tuple[str, ...], tuple[str, ...], bool]
LOOKING, LEASING = ("look", "load", "keep"), ("lease", "load", "keep if leased")
PLAIN = {
    "saves, then drops": ("save", "drop"),
    "drops, then saves": ("drop", "save"),
    "saves, then sets": ("save", "set"),
}


class Stores:
    """The two stores, and what the reader knows."""

    def __init__(self, cached: bool) -> None:
        self.row, self.entry = "old", "old" if cached else ""
        self.seen, self.hit, self.leased = "", False, False

    def read(self, step: str) -> None:
        """One step of the reader; a hit ends it."""
        if self.hit:
            return
        if step in ("look", "lease"):
            self.hit = bool(self.entry)
            self.leased = step == "lease" and not self.hit
        elif step == "load":
            self.seen = self.row
        elif step == "keep" or (step == "keep if leased" and self.leased):
            self.entry = self.seen

    def write(self, step: str) -> None:
        """One step of the writer."""
        if step == "save":
            self.row = "new"
        elif step == "set":
            self.entry = "new"
        elif step in ("drop", "drop and revoke"):
            self.entry = ""
            self.leased = self.leased and step == "drop"


def ends_stale(reader: Steps, writer: Steps, cached: bool, order: list[str]) -> bool:
    """Play an order; whether the cache then answers with something else than the database."""
    stores, reads, writes = Stores(cached), iter(reader), iter(writer)
    for who in order:
        if who == "reader":
            stores.read(next(reads))
        else:
            stores.write(next(writes))
    return bool(stores.entry) and stores.entry != stores.row


def orders(reader: Steps, writer: Steps) -> Iterator[list[str]]:
    """Every way to merge the two lists of steps."""
    length = len(reader) + len(writer)
    for places in combinations(range(length), len(reader)):
        yield ["reader" if place in places else "writer" for place in range(length)]


def _with_thoughts(steps: tuple[str, ...], draw: random.Random) -> Steps:
    """The steps, with some that do nothing in between."""
    thinking = list(steps)
    for _ in range(draw.randint(0, 2)):
        thinking.insert(draw.randrange(len(thinking) + 1), "think")
    return thinking


def _judged(attempt: Attempt, draw: random.Random, pairs: list[Case]) -> int:
    """Ask for all, then judge: the first wrong answer is the counterexample."""
    asked = []
    for reads, writes, cached in pairs:
        reader, writer = _with_thoughts(reads, draw), _with_thoughts(writes, draw)
        asked.append((reader, writer, cached, attempt.call(reader, writer, cached)))
    for reader, writer, cached, answer in asked:
        _judge(reader, writer, cached, answer)
    return len(asked)


def _judge(reader: Steps, writer: Steps, cached: bool, answer: object) -> None:
    call = f"`schedule({shown(reader)}, {shown(writer)}, {cached})`"
    possible = any(ends_stale(reader, writer, cached, order) for order in orders(reader, writer))
    if answer is None:
        if possible:
            raise Counterexample(f"{call} answered `None`, but there is such an order.")
        return
    _obey(reader, writer, call, answer)
    if not possible:
        raise Counterexample(f"{call} has no such order; right is `None`.")
    if not ends_stale(reader, writer, cached, answer):  # type: ignore[arg-type]
        raise Counterexample(f"{call} answered `{shown(answer)}`, and that ends well.")


def _obey(reader: Steps, writer: Steps, call: str, answer: object) -> None:
    right = ["reader"] * len(reader) + ["writer"] * len(writer)
    if type(answer) is not list or sorted(map(str, answer)) != sorted(right):
        told = f"{len(reader)} times 'reader' and {len(writer)} times 'writer'"
        raise Counterexample(
            f"{call} answered `{shown(answer, 80)}`; right is None or a list with {told}."
        )


def _cold(name: str) -> Property:
    def holds(attempt: Attempt, draw: random.Random) -> int:
        case: Case = (LOOKING, PLAIN[name], False)
        return _judged(attempt, draw, [case] * 3)

    return Property(name, f"a stale entry of a writer that {name}, with an empty cache.", holds)


def warm(attempt: Attempt, draw: random.Random) -> int:
    """The entry is cached: a reader that looks too early hits, and keeps nothing."""
    cases: list[Case] = [(LOOKING, steps, True) for steps in PLAIN.values()]
    return _judged(attempt, draw, cases * 2)


def leases(attempt: Attempt, draw: random.Random) -> int:
    """With a lease, it depends on whether the drop takes the lease away."""
    revoked: Case = (LEASING, ("save", "drop and revoke"), False)
    left: Case = (LEASING, ("save", "drop"), False)
    return _judged(attempt, draw, [revoked, left] * 2)


STUB = '''
def schedule(reader, writer, cached):
    """An order of the steps that leaves an old value in the cache, or None if there is none.

    reader: steps in its order: "look" (a hit ends it: its later steps do nothing), "load" (from
    the database), "keep" (what it loaded), or with a lease: "lease" (look, and on a miss get the
    lease), "load", "keep if leased". writer: "save" (the new row), "drop" (the entry), "set" (the
    new value), "drop and revoke" (the entry and the lease). "think" does nothing. cached: the
    entry is there at first. Return a list of "reader" and "writer", one for each step.
    """
    raise NotImplementedError
'''

ANSWER = """
from itertools import combinations


def schedule(reader, writer, cached):
    length = len(reader) + len(writer)
    for places in combinations(range(length), len(reader)):
        order = ["reader" if n in places else "writer" for n in range(length)]
        if stale(reader, writer, cached, order):
            return order
    return None


def stale(reader, writer, cached, order):
    row, entry, seen = "old", "old" if cached else None, None
    hit = leased = False
    reads, writes = iter(reader), iter(writer)
    for who in order:
        step = next(reads if who == "reader" else writes)
        if who == "reader" and hit:
            continue
        if step in ("look", "lease"):
            hit = entry is not None
            leased = step == "lease" and not hit
        elif step == "load":
            seen = row
        elif step == "keep" or (step == "keep if leased" and leased):
            entry = seen
        elif step == "save":
            row = "new"
        elif step == "set":
            entry = "new"
        elif step in ("drop", "drop and revoke"):
            entry = None
            leased = leased and step == "drop"
    return entry is not None and entry != row
"""

SANDWICH = """
def schedule(reader, writer, cached):
    n = reader.index("load") + 1
    return ["reader"] * n + ["writer"] * len(writer) + ["reader"] * (len(reader) - n)
"""

COUNTED = """
def schedule(reader, writer, cached):
    if cached or "drop and revoke" in writer:
        return None
    return ["reader"] * 2 + ["writer"] * len(writer) + ["reader"] * (len(reader) - 2)
"""

IN_TURN = """
def schedule(reader, writer, cached):
    return ["reader"] * len(reader) + ["writer"] * len(writer)
"""

STALE_SCHEDULE = Exercise(
    id="caching.stale_schedule",
    place=5,
    title="The schedule that leaves a stale value",
    name="schedule",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        *map(_cold, PLAIN),
        Property("warm", "the same with a cached entry; not all of them can be had.", warm),
        Property("leases", "a lease that the drop revokes leaves no such order.", leases),
    ),
    mistakes=(
        Mistake(
            "one after the other",
            IN_TURN.lstrip("\n"),
            "You let one finish before the other begins. Every single strategy survives that: the "
            "damage is done in between.",
        ),
        Mistake(
            "always the same sandwich",
            SANDWICH.lstrip("\n"),
            "You put the whole write between load and keep, whatever the case. With a cached "
            "entry the reader hits and never loads, and a revoked lease keeps nothing: sometimes "
            "the writer must begin first, and sometimes the answer is None.",
        ),
        Mistake(
            "counts steps instead of reading them",
            COUNTED.lstrip("\n"),
            "You count two steps and take the second for the load. There may be a thought before "
            "it: find the step by its name.",
        ),
        Mistake(
            "a hit goes on",
            changed(ANSWER, ('        if who == "reader" and hit:\n            continue\n', "")),
            "Your reader goes on after a hit. A hit ends it: it loads nothing and keeps nothing.",
        ),
        Mistake(
            "revokes nothing",
            changed(ANSWER, ('            leased = leased and step == "drop"\n', "")),
            'To you, "drop and revoke" is only a drop. It takes the lease away too, and "keep if '
            'leased" then keeps nothing.',
        ),
    ),
    hints=(
        "When is a cache stale? Its entry was loaded before the save, and kept after the last "
        "step of the writer that touches the cache.",
        "With a cached entry the reader must look after a drop, or it hits. Is the row still old "
        "then?",
        "There are few orders. Write a function that plays one on two variables, the row and the "
        "entry, and try all of `itertools.combinations(range(length), len(reader))`.",
    ),
)
