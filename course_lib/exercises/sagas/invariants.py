"""Exercise, reversed: write the invariants that tell broken sagas from right ones by their books.

The books come from sagas that run: three right ways to do it, and six with one defect each. The
learner's function must accept all of the first and refuse all of the others. Left out: why a saga
is broken, which the books do not say.
"""

import random
from collections.abc import Callable
from typing import Any

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.plain import shown

__all__ = ["INVARIANTS"]

FORWARD = ["reserve", "charge", "ship", "notify"]
UNDO = {"reserve": "release", "charge": "refund"}
Books = dict[str, Any]


class Shop:
    """A shop in memory: two to four orders, numbers that change, and what was done, in order."""

    def __init__(self, draw: random.Random) -> None:
        names = [f"order:{n}" for n in range(1, draw.randint(2, 4) + 1)]
        self.amounts = {name: draw.randint(10, 40) for name in names}
        self.numbers = {"stock": len(names) + draw.randint(0, 2), "ann": 200, "shop": 0}
        self.before = dict(self.numbers)
        self.done: list[list[str]] = []

    def do(self, order: str, action: str, noted: bool = True) -> None:
        """Change the numbers, and note it."""
        amount = self.amounts[order]
        self.numbers["stock"] += {"reserve": -1, "release": 1}.get(action, 0)
        paid = {"charge": amount, "refund": -amount}.get(action, 0)
        self.numbers["ann"] -= paid
        self.numbers["shop"] += paid
        if noted:
            self.done.append([order, action])

    def way(self, order: str, refused: str = "") -> list[str]:
        """What a right saga does when `refused` is refused: T1..Tn or T1..Tj Cj..C1."""
        if not refused:
            return FORWARD
        done = FORWARD[: FORWARD.index(refused)]
        return [*done, *[UNDO[action] for action in reversed(done)]]

    def books(self) -> Books:
        """What the learner's function is given."""
        return {
            "amounts": dict(self.amounts),
            "before": self.before,
            "after": dict(self.numbers),
            "done": [list(entry) for entry in self.done],
        }


Saga = Callable[[Shop, random.Random], None]


def orchestrated(shop: Shop, draw: random.Random) -> None:
    """One after the other; some are refused at some step."""
    for number, order in enumerate(shop.amounts):
        refused = "ship" if number == 0 else draw.choice(["", "", "charge"])
        for action in shop.way(order, refused):
            shop.do(order, action)


def choreographed(shop: Shop, draw: random.Random) -> None:
    """All at once: their actions are mixed in time."""
    refused = dict.fromkeys(shop.amounts, "")
    refused[next(iter(shop.amounts))] = "ship"
    left = {order: list(shop.way(order, refused[order])) for order in shop.amounts}
    order = ""
    while any(left.values()):
        others = [name for name, actions in left.items() if actions and name != order]
        order = draw.choice(others or [name for name, actions in left.items() if actions])
        shop.do(order, left[order].pop(0))


def two_phase(shop: Shop, draw: random.Random) -> None:
    """All or nothing: the first order was aborted and did nothing at all."""
    for order in list(shop.amounts)[1:]:
        for action in FORWARD:
            shop.do(order, action)


def stranded(shop: Shop, draw: random.Random) -> None:
    """The process died after the charge, and nobody went on."""
    last = list(shop.amounts)[-1]
    for order in shop.amounts:
        for action in FORWARD[:2] if order == last else FORWARD:
            shop.do(order, action)


def paid_back_twice(shop: Shop, draw: random.Random) -> None:
    """The refund's note is unique and the refund is not: it was paid twice."""
    first = next(iter(shop.amounts))
    orchestrated(shop, draw)
    shop.do(first, "refund", noted=False)


def oversold(shop: Shop, draw: random.Random) -> None:
    """Nobody looked how many were left."""
    shop.before["stock"] = shop.numbers["stock"] = len(shop.amounts) - 1
    for order in shop.amounts:
        for action in FORWARD:
            shop.do(order, action)


def wrong_order(shop: Shop, draw: random.Random) -> None:
    """Undone in the order of doing."""
    for number, order in enumerate(shop.amounts):
        way = ["reserve", "charge", "release", "refund"] if number == 0 else FORWARD
        for action in way:
            shop.do(order, action)


def over_the_pivot(shop: Shop, draw: random.Random) -> None:
    """The mail could not be sent, so a shipped order was paid back and put back into stock."""
    for number, order in enumerate(shop.amounts):
        way = ["reserve", "charge", "ship", "refund", "release"] if number == 0 else FORWARD
        for action in way:
            shop.do(order, action)


def shipped_twice(shop: Shop, draw: random.Random) -> None:
    """A message came twice, and the second parcel went out."""
    for number, order in enumerate(shop.amounts):
        way = ["reserve", "charge", "ship", "ship", "notify"] if number == 0 else FORWARD
        for action in way:
            shop.do(order, action)


def sound(books: Books) -> bool:
    """The books of a shop in which every saga is completed or compensated, and the sums agree."""
    ways = [FORWARD, [], ["reserve", "release"], ["reserve", "charge", "refund", "release"]]
    histories = {
        order: [action for name, action in books["done"] if name == order]
        for order in books["amounts"]
    }
    sold = [order for order, history in histories.items() if history == FORWARD]
    paid = sum(books["amounts"][order] for order in sold)
    before, after = books["before"], books["after"]
    return (
        all(history in ways for history in histories.values())
        and after["stock"] == before["stock"] - len(sold)
        and after["stock"] >= 0
        and after["shop"] == before["shop"] + paid
        and after["ann"] == before["ann"] - paid
    )


def _judged(saga: Saga, right: bool, why: str) -> Property:
    """Return the property that the books of one kind of saga get the right verdict, three times."""

    def holds(attempt: Attempt, draw: random.Random) -> int:
        for _ in range(3):
            shop = Shop(draw)
            saga(shop, draw)
            books = shop.books()
            if sound(books) is not right:
                raise RuntimeError(f"the books do not show {why}")
            answer = attempt.call(books)
            if answer is not right:
                raise Counterexample(_told(books, answer, right, why))
        return 3

    verb = "accepts" if right else "refuses"
    return Property(f"{verb} {why}", f"your invariants {verb.removesuffix('s')} {why}.", holds)


def _told(books: Books, answer: object, right: bool, why: str) -> str:
    if type(answer) is not bool:
        return f"`sound` answered `{shown(answer, 60)}`; right is True or False."
    done = ", ".join(f"{order} {action}" for order, action in books["done"])
    numbers = f"before {shown(books['before'])}, after {shown(books['after'])}, done: {done}"
    return f"`sound` answered `{answer}` for {why} ({numbers}); right is `{right}`."


def _nothing(attempt: Attempt, draw: random.Random) -> int:
    """A shop in which nobody ordered anything is in order."""
    shop = Shop(draw)
    shop.amounts = {}
    answer = attempt.call(shop.books())
    if answer is not True:
        raise Counterexample(_told(shop.books(), answer, True, "a day without orders"))
    return 1


STUB = '''
def sound(books):
    """Whether every saga of the day was completed or compensated, and the numbers agree.

    books: {"amounts": {order: what it costs}, "before": {"stock": n, "ann": money, "shop": money},
    "after": the same, "done": [[order, action], ...] in order of time}. An order takes one piece:
    reserve, charge, ship, notify; its undos are release and refund. ann pays all orders.
    An order may also have done nothing at all.
    """
    raise NotImplementedError
'''

ANSWER = """
FORWARD = ["reserve", "charge", "ship", "notify"]
WAYS = [FORWARD, [], ["reserve", "release"], ["reserve", "charge", "refund", "release"]]

def sound(books):
    before, after, sold, paid = books["before"], books["after"], 0, 0
    for order, amount in books["amounts"].items():
        history = [action for name, action in books["done"] if name == order]
        if history not in WAYS:
            return False
        if history == FORWARD:
            sold, paid = sold + 1, paid + amount
    if after["stock"] < 0:
        return False
    if after["stock"] != before["stock"] - sold:
        return False
    return after["shop"] == before["shop"] + paid and after["ann"] == before["ann"] - paid
"""

INVARIANTS = Exercise(
    id="sagas.invariants",
    place=4,
    title="Invariants that catch broken sagas",
    name="sound",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        Property("accepts nothing", "your invariants accept a day without orders.", _nothing),
        _judged(orchestrated, True, "an orchestrated day with refusals"),
        _judged(choreographed, True, "a choreographed day, its orders mixed in time"),
        _judged(two_phase, True, "a two-phase commit that aborted one order"),
        _judged(stranded, False, "a saga that died after the charge"),
        _judged(paid_back_twice, False, "a refund that was noted once and paid twice"),
        _judged(oversold, False, "a shop that sold more than it had"),
        _judged(wrong_order, False, "a saga that undid in the order of doing"),
        _judged(over_the_pivot, False, "a saga that paid a shipped order back"),
        _judged(shipped_twice, False, "an order that was shipped twice"),
    ),
    mistakes=(
        Mistake(
            "only the money in all",
            changed(
                ANSWER,
                (
                    'after["shop"] == before["shop"] + paid and after["ann"] == before["ann"]',
                    'after["shop"] + after["ann"] - paid == before["shop"] + before["ann"]',
                ),
            ),
            "You look only at the sum of all money. A refund that is paid twice moves money from "
            "the shop to ann and leaves the sum as it is: what the shop has must be what it sold.",
        ),
        Mistake(
            "in any order",
            changed(
                ANSWER,
                ("if history not in WAYS:", "if sorted(history) not in [sorted(w) for w in WAYS]:"),
            ),
            "You count the actions and not their order. Undone in the order of doing, a lamp is "
            "back on the shelf while its charge still stands.",
        ),
        Mistake(
            "all orders in one list",
            changed(
                ANSWER,
                (
                    '[action for name, action in books["done"] if name == order]',
                    "contiguous(books, order)",
                ),
            )
            + """
def contiguous(books, order):
    names = [name for name, _ in books["done"]]
    first = names.index(order) if order in names else len(names)
    history = []
    for name, action in books["done"][first:]:
        if name != order:
            break
        history.append(action)
    return history
""",
            "You expect each order's actions in one piece. Orders run at the same time and their "
            "actions are mixed: take each order's history out first.",
        ),
        Mistake(
            "something must have been done",
            changed(ANSWER, ("WAYS = [FORWARD, [], ", "WAYS = [FORWARD, ")),
            "You refuse an order that did nothing. Refused at the first step, or aborted before "
            "anything was done, is a good end: T1..Tj with j = 0.",
        ),
        Mistake(
            "stock may be anything",
            changed(ANSWER, ('    if after["stock"] < 0:\n        return False\n', "")),
            "You do not look whether the stock is below zero. All sums can agree in a shop that "
            "sold what it did not have.",
        ),
        Mistake(
            "only what was forgotten",
            changed(
                ANSWER,
                (
                    "if history not in WAYS:",
                    'if history and history[-1] not in ("notify", "release"):',
                ),
            ),
            "You look only at how a history ends. What happened twice, or after the pivot, stands "
            "in the middle of it: compare the whole history.",
        ),
    ),
    hints=(
        "Take each order's history out of `done`. Which histories may a saga have?",
        "T1..Tn, or T1..Tj and then Cj..C1: for this shop that is four lists, one of them empty.",
        "The orders with the full history are sold: the stock must have gone down by their number "
        "and not below 0, and their amounts must have gone from ann to the shop, exactly.",
    ),
)
