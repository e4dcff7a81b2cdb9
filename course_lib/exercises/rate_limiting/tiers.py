"""Exercise: one decision for many tiers and many prices. Pure: a bucket's level goes in, a
decision comes out.

Left out: time; the level that comes in is already filled up to now.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed

__all__ = ["TIERS_AND_COST"]

NAMES = ("tiers", "costs", "tier", "route", "level")
Tiers = dict[str, dict[str, float]]


def truth(
    tiers: Tiers, costs: dict[str, int], tier: str, route: str, level: float
) -> dict[str, object]:
    """Return the decision: `truth({"free": {"burst": 5, "rate": 1}}, {}, "free", "GET /",
    2.0)["level"]` -> `1.0`.
    """
    plan = tiers.get(tier, tiers["free"])
    cost, level = costs.get(route, 1), min(level, plan["burst"])
    if cost > level:
        wait = None if cost > plan["burst"] else (cost - level) / plan["rate"]
        return {"allowed": False, "level": level, "retry_after": wait}
    return {"allowed": True, "level": level - cost, "retry_after": 0.0}


def _tiers(draw: random.Random) -> Tiers:
    free = draw.randint(8, 12)
    return {
        "free": {"burst": free, "rate": draw.choice([0.5, 1.0, 2.0])},
        "pro": {"burst": free * draw.randint(3, 5), "rate": draw.choice([4.0, 8.0])},
    }


def _costs(draw: random.Random) -> dict[str, int]:
    return {"GET /health": 0, "GET /items": draw.randint(2, 3), "POST /report": draw.randint(5, 7)}


def priced(draw: random.Random) -> Iterator[Case]:
    """Both tiers and every priced route, with more than enough and with exactly enough."""
    for tier in ("free", "pro"):
        for route in ("GET /items", "POST /report"):
            tiers, costs = _tiers(draw), _costs(draw)
            yield tiers, costs, tier, route, float(costs[route])
            yield tiers, costs, tier, route, costs[route] + draw.randint(1, 3) / 4


def denied(draw: random.Random) -> Iterator[Case]:
    """Nearly enough and nothing at all: the level stays, the tier's own rate sets the wait."""
    for tier in ("free", "pro"):
        tiers, costs = _tiers(draw), _costs(draw)
        yield tiers, costs, tier, "POST /report", costs["POST /report"] - 0.25
        yield tiers, costs, tier, "GET /items", 0.0


def downgraded(draw: random.Random) -> Iterator[Case]:
    """A level saved up in a larger tier."""
    for route in ("GET /items", "GET /health"):
        tiers, costs = _tiers(draw), _costs(draw)
        yield tiers, costs, "free", route, tiers["free"]["burst"] + draw.randint(3, 20) / 2


def unknown_tier(draw: random.Random) -> Iterator[Case]:
    """A tier that nobody has configured, with little and with much in the bucket."""
    for level in (0.5, 6.0, 30.0):
        yield _tiers(draw), _costs(draw), draw.choice(["gold", "", "PRO"]), "GET /items", level


def unknown_route(draw: random.Random) -> Iterator[Case]:
    """A route without a price costs one."""
    for level in (0.75, 1.0, 4.5):
        yield _tiers(draw), _costs(draw), "pro", draw.choice(["GET /new", "PUT /x"]), level


def free_of_charge(draw: random.Random) -> Iterator[Case]:
    """A price of nothing, with an empty bucket and with some in it."""
    for level in (0.0, draw.randint(1, 20) / 4):
        yield _tiers(draw), _costs(draw), draw.choice(["free", "pro"]), "GET /health", level


def too_dear(draw: random.Random) -> Iterator[Case]:
    """A price above the tier's burst, which the larger tier could pay."""
    tiers, costs = _tiers(draw), _costs(draw)
    costs["POST /report"] = int(tiers["free"]["burst"]) + draw.randint(1, 5)
    yield tiers, costs, "free", "POST /report", tiers["free"]["burst"]
    yield tiers, costs, "pro", "POST /report", tiers["pro"]["burst"]


STUB = '''
def decide(tiers, costs, tier, route, level):
    """Decide one request; return {"allowed": bool, "level": tokens left, "retry_after": seconds}.

    tiers: {"free": {"burst": 10, "rate": 1.0}, "pro": ...}; costs: {"POST /report": 5, ...};
    level: tokens in the user's bucket now, perhaps saved up in another tier.
    An unknown tier is served as "free"; a route without a price costs 1; a price of 0 is
    always paid; a denied request pays nothing; retry_after is 0 when allowed, and None when
    the tier's burst can never pay.
    """
    raise NotImplementedError
'''

ANSWER = """
def decide(tiers, costs, tier, route, level):
    plan = tiers.get(tier, tiers["free"])
    cost = costs.get(route, 1)
    level = min(level, plan["burst"])
    if cost <= level:
        return {"allowed": True, "level": level - cost, "retry_after": 0.0}
    wait = None if cost > plan["burst"] else (cost - level) / plan["rate"]
    return {"allowed": False, "level": level, "retry_after": wait}
"""


TIERS_AND_COST = Exercise(
    id="rate_limiting.tiers_and_cost",
    place=3,
    title="Tiers and prices",
    name="decide",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure(
            "priced",
            "what the bucket can pay is allowed, and the price is taken.",
            priced,
            truth,
            NAMES,
        ),
        pure(
            "denied",
            "a denied request pays nothing, and waits at its tier's rate.",
            denied,
            truth,
            NAMES,
        ),
        pure(
            "downgraded",
            "nobody has more than the tier's burst, whatever was saved up before.",
            downgraded,
            truth,
            NAMES,
        ),
        pure(
            "unknown tier",
            "an unknown tier gets the least, not the most.",
            unknown_tier,
            truth,
            NAMES,
        ),
        pure("unknown route", "a route without a price costs 1.", unknown_route, truth, NAMES),
        pure("free of charge", "a price of 0 is always paid.", free_of_charge, truth, NAMES),
        pure(
            "too dear",
            "a price above the burst can never be paid: retry_after is None.",
            too_dear,
            truth,
            NAMES,
        ),
    ),
    mistakes=(
        Mistake(
            "counts requests",
            changed(ANSWER, ("costs.get(route, 1)", "1")),
            "You take 1 for every route. A report that costs 5 then passes five times as often.",
        ),
        Mistake(
            "pays on credit",
            changed(ANSWER, ("cost <= level", "level > 0 or cost == 0")),
            "You allow whatever comes while anything is left, so the level falls below zero.",
        ),
        Mistake(
            "charges the denied",
            changed(
                ANSWER,
                ('"allowed": False, "level": level,', '"allowed": False, "level": level - cost,'),
            ),
            "You take tokens for a request that you deny. Whoever retries then never gets in "
            "again.",
        ),
        Mistake(
            "keeps the savings",
            changed(ANSWER, ('min(level, plan["burst"])', "level")),
            "The level is not cut to the tier's burst. After a downgrade the old savings still "
            "work.",
        ),
        Mistake(
            "the unknown gets the best",
            changed(
                ANSWER, ('tiers["free"]', 'max(tiers.values(), key=lambda plan: plan["burst"])')
            ),
            "An unknown tier gets the largest one. A typing error in a token is then an upgrade.",
        ),
        Mistake(
            "zero is not nothing",
            changed(ANSWER, ("costs.get(route, 1)", "costs.get(route) or 1")),
            "`or 1` turns a price of 0 into 1. Only a missing price costs 1.",
        ),
        Mistake(
            "one rate for all",
            changed(ANSWER, ('/ plan["rate"]', '/ tiers["free"]["rate"]')),
            "The wait is the same for every tier. It is the user's own rate that fills the bucket.",
        ),
    ),
    hints=(
        "Write three lines first: which plan, which cost, how much is really in the bucket.",
        "`costs.get(route, 1)` is 1 only when the price is missing; `or 1` would also replace a 0.",
        "Two answers: paid (level - cost, 0.0), or denied (the level as it was, and the wait of "
        "the first "
        "exercise, with the plan's own rate and burst).",
    ),
)
