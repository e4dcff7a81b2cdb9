"""Exercises of the tests' own, one for each kind of handle that a check may give to a learner.

Each says in its property what the learner's code did, so that a difference between a notebook and
the judge shows. Left out: teaching.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.hunting import hunt, play
from course_lib.lab import World, sql_part

__all__ = ["EXAMPLES"]

Check = Callable[[Attempt, random.Random, World], Awaitable[object]]
EXAMPLES: list[Exercise] = []


def example(name: str, right: object, answer: str, *wrong: str) -> Callable[[Check], Check]:
    """Make an exercise of a check: it holds when the check returns what is right."""

    def made(check: Check) -> Check:
        def holds(attempt: Attempt, draw: random.Random) -> int:
            world = World(seed=draw.getrandbits(16), latency=0.01)
            given = play(check(attempt, draw, world))  # type: ignore[arg-type]
            if given != right:
                raise Counterexample(f"It gave {given}, and {right} is right.", tuple(world.log))
            return 1

        mistakes = tuple(Mistake(f"wrong {n}", text, "") for n, text in enumerate(wrong))
        stub = f"async def {name}(*given):\n    raise NotImplementedError\n"
        law = Property("right", "it gives what is right.", holds)
        one = Exercise(f"tests.{name}", 1, name, name, stub, answer, mistakes, (), (law,))
        EXAMPLES.append(one)
        return check

    return made


# Random draws, and a function that is called at once

DRAWS = """
def draws(random, clock):
    items = [1, 2, 3, 4, 5]
    random.shuffle(items)
    more = [random.random(), random.uniform(1, 2), random.randint(1, 6), random.choice("abc")]
    more += [random.gauss(0, 1), random.expovariate(2.0), random.getrandbits(0)]
    return [items, more, random.randbytes(3).hex(), random.sample(range(100), 3), clock()]
"""


@example("draws", "the draws of the seed", DRAWS, DRAWS.replace("0, 1", "0, 2"))
async def draws(attempt: Attempt, draw: random.Random, world: World) -> object:
    """All kinds of draws are those of the judge's generator."""
    seed = draw.getrandbits(32)
    scope: dict[str, Any] = {}
    exec(DRAWS, scope)
    right = scope["draws"](random.Random(seed), world.time)
    given = attempt.call(random.Random(seed), world.time)
    return "the draws of the seed" if given == right else [given, right]


# HTTP

SHOP = """
import httpx

async def shop(http):
    made = await http.post("/orders", json={"item": "tea"}, headers={"idempotency-key": "k1"})
    again = await http.get(made.headers["location"], params={"full": "1"})
    try:
        await http.get("/slow", timeout=1.0)
        late = "answered"
    except httpx.ReadTimeout as error:
        late = type(error).__name__
    try:
        await http.get("http://nowhere/")
        lost = "answered"
    except httpx.ConnectError as error:
        lost = str(error)
    missing = await http.get("/none")
    upload = await http.put("/parts/7", content=b"\\x00\\xff" * 3)
    lines = []
    async with http.stream("GET", "/events") as answer:
        async for line in answer.aiter_lines():
            lines.append(line)
            if len(lines) == 3:
                break
    return [made.status_code, again.json(), late, lost, missing.status_code, upload.json(), lines]
"""
SHOP_RIGHT = [
    201,
    {"number": 1, "key": "k1", "full": "1", "agent": "tests", "cookie": "c"},
    "ReadTimeout",
    "no node serves nowhere",
    404,
    "6 bytes, 765",
    ["data: 0", "", "data: 1"],
]


@example("shop", [SHOP_RIGHT, 0.3], SHOP, SHOP.replace("1.0", "5.0"), SHOP.replace("k1", "k2"))
async def shop(attempt: Attempt, draw: random.Random, world: World) -> object:
    """Requests, streams, time-outs and errors of an app that the judge serves."""
    app, left = _app(), []
    app.state.left = left
    world.serve("shop", app)
    options = {"base_url": "http://shop", "headers": {"user-agent": "tests"}}
    async with world.http("client", cookies={"c": "c"}, **options) as http:
        given = await attempt.wait(http)
    await asyncio.sleep(9)
    return [given, *left]


def _app() -> FastAPI:
    app = FastAPI()
    keys: list[str] = []

    @app.post("/orders", status_code=201)
    async def order(request: Request) -> Any:
        from fastapi.responses import JSONResponse

        assert await request.json() == {"item": "tea"}
        keys.append(request.headers["idempotency-key"])
        return JSONResponse({}, 201, {"location": f"/orders/{len(keys)}"})

    @app.get("/orders/{number}")
    async def read(number: int, full: str, request: Request) -> dict[str, object]:
        agent, cookie = request.headers["user-agent"], request.cookies["c"]
        key = keys[number - 1]
        return {"number": number, "key": key, "full": full, "agent": agent, "cookie": cookie}

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(3)
        return "done"

    @app.put("/parts/{number}")
    async def part(request: Request) -> str:
        body = await request.body()
        return f"{len(body)} bytes, {sum(body)}"

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_numbers(app), media_type="text/event-stream")

    return app


async def _numbers(app: FastAPI) -> AsyncIterator[str]:
    begin = asyncio.get_running_loop().time()
    try:
        for number in range(100):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.25)
    finally:  # the client has left; an upload to it would be for nobody
        app.state.left.append(round(asyncio.get_running_loop().time() - begin, 1))


# SQL

PAY = """
import aiosqlite, sqlite3

async def pay(db, account, amount):
    db.row_factory = aiosqlite.Row
    await db.execute("BEGIN IMMEDIATE")
    async with db.execute("SELECT cents FROM account WHERE name = ?", (account,)) as rows:
        row = await rows.fetchone()
    if row["cents"] < amount:
        await db.rollback()
        return [False, db.in_transaction]
    await db.execute(
        "UPDATE account SET cents = cents - :amount WHERE name = :name",
        {"amount": amount, "name": account},
    )
    await db.execute_insert("INSERT INTO entry (cents) VALUES (?)", (-amount,))
    await db.executemany("INSERT INTO note VALUES (?, ?)", [(account, b"a"), (account, b"b")])
    await db.commit()
    try:
        await db.execute("INSERT INTO account VALUES (?, ?)", (account, 1))
        return "twice"
    except sqlite3.IntegrityError as error:
        await db.rollback()
    try:
        db.isolation_level = None
        refused = "not at all"
    except sqlite3.ProgrammingError as error:
        refused = str(error)
    cursor = await db.cursor()
    await cursor.execute("SELECT name, body FROM note ORDER BY rowid")
    seen = [[row["name"], row[1].decode(), *row.keys()] async for row in cursor]
    columns = [c[0] for c in cursor.description]
    return [True, db.isolation_level, len(seen), seen[:1], refused, columns]
"""
RACE = PAY.replace('await db.execute("BEGIN IMMEDIATE")', "pass")


@example("pay", "no account is overdrawn", PAY, RACE, PAY.replace("commit()", "rollback()"))
async def pay(attempt: Attempt, draw: random.Random, world: World) -> object:
    """Transactions of two servers, statement by statement, with rows by name."""
    world.link("server 2", "main", latency=0.0137)  # no two messages of one instant: see _produce
    async with world.sql("setup") as db:
        await db.executescript(
            "CREATE TABLE account (name TEXT PRIMARY KEY, cents INT CHECK (cents > -99));"
            "CREATE TABLE entry (id INTEGER PRIMARY KEY, cents INT);"
            "CREATE TABLE note (name TEXT, body BLOB);"
            "INSERT INTO account VALUES ('ann', 100)"
        )
    async with world.sql("server 1") as one, world.sql("server 2") as two:
        given = await asyncio.gather(attempt.wait(one, "ann", 70), attempt.wait(two, "ann", 70))
        left = await one.execute_fetchall("SELECT cents FROM account")
    seen = [["ann", "a", "name", "body"]]
    right = [[True, "", 2, seen, sql_part.SET_WHEN_OPENED, ["name", "body"]], [False, False]]
    kept = sorted(given, key=len, reverse=True) == right
    return "no account is overdrawn" if [row[0] for row in left] == [30] and kept else given


# Redis: streams, consumer groups, reads that wait, subscriptions, bytes

RELAY = """
import asyncio

async def relay(redis, raw):
    await redis.xgroup_create("orders", "workers", id="0", mkstream=True)
    seen = []
    while len(seen) < 3:
        answer = await redis.xreadgroup("workers", "w1", {"orders": ">"}, count=2, block=60_000)
        for _, entries in answer:
            for number, fields in entries:
                seen.append(fields["n"])
                await redis.xack("orders", "workers", number)
    empty = await redis.xread({"orders": "$"}, block=500)
    async with redis.pubsub() as news:
        await news.subscribe("news")
        await redis.publish("ready", "1")
        heard = []
        while len(heard) < 2:
            message = await news.get_message(ignore_subscribe_messages=True, timeout=30)
            if message:
                heard.append(message["data"])
        late = await news.get_message(timeout=0.5)
    await raw.set("bytes", b"\\x00\\xff")
    pair = await redis.blpop("never", timeout=1)
    try:
        async with asyncio.timeout(0.5):
            await redis.blpop("never", timeout=0)
    except TimeoutError:
        pair = "gave up"
    await redis.rpush("never", "left alone")
    async with redis.pipeline(transaction=True) as pipe:
        done = await pipe.incr("n").lpop("n").execute(raise_on_error=False)
    text = list(await raw.get("bytes"))
    pending = (await redis.xpending("orders", "workers"))["pending"]
    left = await redis.llen("never")
    return [seen, empty, heard, late, pair, done[0], type(done[1]).__name__, text, pending, left]
"""
RELAY_RIGHT = [["0", "1", "2"], [], ["a", "b"], None, "gave up", 1, "ResponseError", [0, 255], 0, 1]


@example(
    "relay", [RELAY_RIGHT, 5.8], RELAY, RELAY.replace("count=2", "count=1").replace("< 3", "< 2")
)
async def relay(attempt: Attempt, draw: random.Random, world: World) -> object:
    """A worker that waits for a stream and for messages, on virtual time."""
    other = world.redis("producer")
    wait = asyncio.create_task(_produce(world, other))
    given = await attempt.wait(world.redis("worker"), world.redis("raw", decode_responses=False))
    await wait
    return [given, round(world.now, 1)]


async def _produce(world: World, redis: Any) -> None:
    await asyncio.sleep(0.005)  # two tasks of one instant may begin in another order at the judge's
    async with redis.pubsub() as ready:
        await ready.subscribe("ready")
        for number in range(3):
            await asyncio.sleep(1)
            await redis.xadd("orders", {"n": number})
        while not await ready.get_message(ignore_subscribe_messages=True, timeout=60):
            pass
    for word in ("a", "b"):
        await redis.publish("news", word)


# Callbacks, objects with methods, exceptions, handles that are handed back, parts, bytes


class Declined(Exception):
    """Known to the check only."""


class Bank:
    """A service with a plain method, async ones, a value and a lock."""

    currency = "EUR"

    def __init__(self, world: World) -> None:
        self.done: list[object] = []
        self._secret = "hidden"
        self._world = world

    def quote(self, amount: int, *, tax: float = 0.0) -> float:
        """Answer at once."""
        return amount * (1 + tax)

    async def charge(self, redis: Any, account: str, cents: int) -> dict[str, object]:
        """Do something in the world, with a handle that comes back."""
        await asyncio.sleep(0.1)
        if cents > 100:
            raise Declined("too much", cents)
        count = await redis.incr(account)
        self.done.append([account, cents])
        return {"id": count, "key": b"\x01"}

    async def __aenter__(self) -> "Bank":
        self.done.append("enter")
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.done.append(["exit", kind and kind.__name__])
        return kind is Declined or kind is KeyError


CHARGE = """
import asyncio

async def charge(redis, bank, steps, chunks, items, digest):
    async with bank:
        first = await bank.charge(redis, "ann", cents=40)
        told = [first["id"], list(first["key"]), bank.quote(100, tax=0.5), bank.currency]
        both = await asyncio.gather(*(step(redis) for step in steps["all"]))
        try:
            await bank.charge(redis, "ann", cents=400)
        except Exception as error:
            told += [type(error).__name__, error.args[1], isinstance(error, RuntimeError)]
        size = 0
        async for chunk in chunks:
            size += len(chunk)
        told += [both, size, sum(items), digest(b"\\xff" * 4), await steps["later"](3)]
        told += [hasattr(bank, "none")]
        raise KeyError("left inside")
    return told
"""
CHARGE_RIGHT = [1, [1], 150.0, "EUR", "Declined", 400, False, [2, 3], 6, 10, "ff" * 4, 9]


@example(
    "charge",
    [[*CHARGE_RIGHT, False], ["enter", ["ann", 40], ["exit", "KeyError"]]],
    CHARGE,
    CHARGE.replace("cents=40)", "cents=41)"),
    CHARGE.replace("400", "'400'"),
    "async def charge(redis, bank):\n    return 1\n",
)
async def charge(attempt: Attempt, draw: random.Random, world: World) -> object:
    """What sagas, caches and uploads hand to a learner."""
    bank = Bank(world)

    async def step(redis: Any) -> object:
        return await redis.incr("ann")

    async def later(number: int) -> int:
        await asyncio.sleep(1)
        return number * number

    async def chunks() -> AsyncIterator[bytes]:
        for part in (b"abc", b"", b"def"):
            await asyncio.sleep(0.1)
            yield part

    steps = {"all": [step, step], "later": lambda number: later(number)}
    redis = world.redis("server")
    numbers = iter([1, 2, 3, 4])
    return [await attempt.wait(redis, bank, steps, chunks(), numbers, bytes.hex), bank.done]


# A class with async methods, and every order of its effects

FLIGHT = """
import asyncio

class Flight:
    def __init__(self, redis, load):
        self.redis, self.load, self.lock = redis, load, asyncio.Lock()
        self.asked = 0

    async def get(self, key):
        self.asked += 1
        async with self.lock:
            value = await self.redis.get(key)
            if value is None:
                value = await self.load(key)
                await self.redis.set(key, value)
        return value

    def count(self):
        return self.asked
"""


def _flight(attempt: Attempt, draw: random.Random) -> int:
    async def scenario(world: World) -> list[object]:
        loads: list[str] = []

        async def load(key: str) -> str:
            loads.append(key)
            await asyncio.sleep(1)
            return f"value of {key}"

        made = attempt.make(world.redis("server"), load)
        both = await asyncio.gather(made.wait("get", "a"), made.wait("get", "a"))
        return [*both, made.call("count"), len(loads)]

    def once(result: list[object]) -> None:
        assert result == ["value of a", "value of a", 2, 1], f"It gave {result}."

    return hunt(scenario, once, budget=20)


EXAMPLES.append(
    Exercise(
        "tests.flight",
        1,
        "Flight",
        "Flight",
        "class Flight:\n    def __init__(self, *given):\n        raise NotImplementedError\n",
        FLIGHT,
        (
            Mistake("no lock", FLIGHT.replace("async with self.lock", "if True"), "Two loads."),
            Mistake("no method", FLIGHT.replace("def count", "def number"), "It has no count."),
        ),
        (),
        (Property("once", "it loads once.", _flight),),
    )
)
