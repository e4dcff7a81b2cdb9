"""Exercise: a participant that does each action once, however often and in whichever order asked.

The learner's function keeps an account in Redis. It is asked twice, asked by two workers in every
order of their effects, killed at each of its effects and asked again, and asked for the refund
before the charge. Left out: several customers at a time.
"""

import asyncio
import random
from collections.abc import Iterable

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import STEPS, hunt, play
from course_lib.exercises.plain import shown
from course_lib.lab import World, crash_everywhere

__all__ = ["PARTICIPANT"]

Ask = tuple[str, str, str]
PROBES = 4  # charges that follow each story: how many pass says how much was left


class Bank:
    """One Redis with one account, and the learner's `perform` to work on it."""

    def __init__(self, attempt: Attempt, draw: random.Random) -> None:
        self.attempt = attempt
        self.customer = f"ann:{draw.randint(1, 99)}"
        self.order, self.other = f"order:{draw.randint(1, 49)}", f"order:{draw.randint(50, 99)}"
        self.amount = draw.randint(10, 40)
        self.money = 3 * self.amount + draw.randint(1, 9)

    async def open(self, world: World) -> None:
        """Put the money into the account."""
        await world.redis("auditor").set(self.customer, self.money)

    async def ask(self, world: World, action: str, order: str = "", worker: str = "worker") -> str:
        """Ask once; the answer must be "done" or "refused"."""
        given = (world.redis(worker), action, order or self.order, self.customer, self.amount)
        answer = await self.attempt.wait(*given)
        if answer not in ("done", "refused"):
            told = f"`perform` answered `{shown(answer, 60)}` for {action}"
            raise Counterexample(f'{told}; right is "done" or "refused".')
        return str(answer)

    async def balance(self, world: World) -> int:
        """What is in the account now; then spend the rest, so that the answers tell it as well."""
        left = int(await world.redis("auditor").get(self.customer) or 0)
        for number in range(PROBES):
            await self.ask(world, "charge", f"probe:{number}", worker="auditor")
        return left

    def must_be(self, found: int, right: int, story: str) -> None:
        """Compare a balance."""
        if found != right:
            told = f"{self.money} in the account, {self.amount} to pay: {story}"
            raise Counterexample(f"{told} leaves {found}; right is {right}.")


def _story(asks: Iterable[Ask], charged: int, words: str) -> object:
    """Return a property body: ask for these in turn; then `charged` amounts must be gone."""

    def holds(attempt: Attempt, draw: random.Random) -> int:
        bank = Bank(attempt, draw)

        async def story() -> int:
            world = World(seed=draw.getrandbits(16))
            await bank.open(world)
            for action, whose, right in asks:
                order = bank.order if whose == "mine" else bank.other
                answer = await bank.ask(world, action, order)
                if answer != right:
                    raise Counterexample(f"{words}: {action} was {answer}; right is {right}.")
            return await bank.balance(world)

        bank.must_be(play(story()), bank.money - charged * bank.amount, words)
        return 1

    return holds


def poor(attempt: Attempt, draw: random.Random) -> int:
    """An account that cannot pay is refused and not touched."""
    bank = Bank(attempt, draw)
    bank.money = bank.amount - draw.randint(1, 9)

    async def story() -> int:
        world = World(seed=draw.getrandbits(16))
        await bank.open(world)
        if await bank.ask(world, "charge") != "refused":
            raise Counterexample(f"{bank.money} in the account paid {bank.amount}.")
        return await bank.balance(world)

    bank.must_be(play(story()), bank.money, "a charge that the account cannot pay")
    return 1


def together(attempt: Attempt, draw: random.Random) -> int:
    """Two workers get the same request at the same time, in every order of their effects."""
    orders = 0
    for action in ("charge", "refund"):
        bank = Bank(attempt, draw)
        right = bank.money - (bank.amount if action == "charge" else 0)

        async def scenario(world: World, bank: Bank = bank, action: str = action) -> int:
            await bank.open(world)
            if action == "refund":
                await bank.ask(world, "charge", worker="auditor")
            asks = [bank.ask(world, action, worker=f"worker {n}") for n in (1, 2)]
            await asyncio.gather(*asks)
            return await bank.balance(world)

        def law(balance: int, bank: Bank = bank, action: str = action, right: int = right) -> None:
            told = f"{bank.money} in the account, {bank.amount} to pay, the same {action} twice"
            assert balance == right, f"{told} at once: {balance} left, it must be {right}."

        orders += hunt(scenario, law, budget=20, seed=draw.getrandbits(16))
    return orders


def crashes(attempt: Attempt, draw: random.Random) -> int:
    """The worker dies at each of its effects, is started again, and gets the request again."""
    points = 0
    for action in ("charge", "refund"):
        bank = Bank(attempt, draw)

        async def setup(world: World, bank: Bank = bank, action: str = action) -> None:
            asyncio.get_running_loop().step_budget = STEPS  # type: ignore[attr-defined]
            await bank.open(world)
            if action == "refund":
                await bank.ask(world, "charge", worker="auditor")

        async def scenario(world: World, bank: Bank = bank, action: str = action) -> None:
            await bank.ask(world, action)

        async def again(world: World, bank: Bank = bank, action: str = action) -> int:
            await bank.ask(world, action)
            return await bank.balance(world)

        right = bank.money - (bank.amount if action == "charge" else 0)
        report = crash_everywhere(scenario, again, right.__eq__, setup=setup)
        broken = report.counterexample
        if broken is not None:
            when = "before" if broken.moment == "before" else "after"
            told = f"The worker died {when} `{broken.what[:60]}` and was asked for {action} again"
            left = f"{broken.result} left, it must be {right}"
            raise Counterexample(f"{told}: {left}.", broken.effects)
        points += report.points
    return points


STUB = '''
async def perform(redis, action, order, customer, amount):
    """Do "charge" or "refund" for an order, once; answer "done" or "refused".

    The customer's money is the integer under the key `customer`. A charge takes `amount`, or is
    refused if there is not enough. A refund gives back what this order's charge took, and nothing
    if it took nothing. The same request may come again, at the same time, or after a crash of this
    process: it changes nothing twice. A charge that comes after its refund is refused.
    `redis` is a redis.asyncio.Redis; other keys are yours.
    """
    raise NotImplementedError
'''

ANSWER = '''
SCRIPT = """
local before = redis.call('HGET', KEYS[2], ARGV[1])
if before then return before end
local money, amount = tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[2])
if ARGV[1] == 'charge' then
  if redis.call('HEXISTS', KEYS[2], 'refund') == 1 or money < amount then return 'refused' end
  redis.call('DECRBY', KEYS[1], amount)
elseif redis.call('HEXISTS', KEYS[2], 'charge') == 1 then
  redis.call('INCRBY', KEYS[1], amount)
end
redis.call('HSET', KEYS[2], ARGV[1], 'done')
return 'done'
"""

async def perform(redis, action, order, customer, amount):
    return await redis.eval(SCRIPT, 2, customer, "done:" + order, action, amount)
'''

NO_MEMORY = changed(ANSWER, ("if before then return before end\n", ""))

CHECK_THEN_ACT = """
async def perform(redis, action, order, customer, amount):
    done = "done:" + order
    if await redis.hexists(done, action):
        return "done"
    if action == "charge":
        if await redis.hexists(done, "refund") or int(await redis.get(customer) or 0) < amount:
            return "refused"
        async with redis.pipeline(transaction=True) as both:
            both.decrby(customer, amount)
            both.hset(done, action, "done")
            await both.execute()
    else:
        change = amount if await redis.hexists(done, "charge") else 0
        async with redis.pipeline(transaction=True) as both:
            both.incrby(customer, change)
            both.hset(done, action, "done")
            await both.execute()
    return "done"
"""

NOTE_FIRST = """
async def perform(redis, action, order, customer, amount):
    done = "done:" + order
    if action == "charge" and await redis.hexists(done, "refund"):
        return "refused"
    if action == "charge" and not await redis.hexists(done, "charge"):
        if int(await redis.get(customer) or 0) < amount:
            return "refused"
    charged = await redis.hexists(done, "charge")
    if await redis.hsetnx(done, action, "done"):
        if action == "charge":
            await redis.decrby(customer, amount)
        elif charged:
            await redis.incrby(customer, amount)
    return "done"
"""

PARTICIPANT = Exercise(
    id="sagas.participant",
    place=2,
    title="A participant that does each action once",
    name="perform",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property(
            "charges and refunds",
            "a charge takes the amount, a refund gives it back, each order by itself.",
            _story(
                [
                    ("charge", "mine", "done"),
                    ("charge", "other", "done"),
                    ("refund", "mine", "done"),
                ],
                1,
                "two orders charged, one refunded",
            ),  # type: ignore[arg-type]
        ),
        Property("poor", "an account that cannot pay is refused.", poor),
        Property(
            "twice",
            "the same request again changes nothing, and is answered the same.",
            _story(
                [
                    ("charge", "mine", "done"),
                    ("charge", "mine", "done"),
                    ("refund", "mine", "done"),
                    ("refund", "mine", "done"),
                ],
                0,
                "a charge and a refund, each asked for twice",
            ),  # type: ignore[arg-type]
        ),
        Property(
            "refund first",
            "a refund without a charge gives nothing, and its charge is refused later.",
            _story(
                [("refund", "mine", "done"), ("charge", "mine", "refused")],
                0,
                "a refund that overtook its charge",
            ),  # type: ignore[arg-type]
        ),
        Property("together", "two workers with the same request change it once.", together),
        Property("crashes", "after a crash at any effect, asking again makes it whole.", crashes),
    ),
    mistakes=(
        Mistake(
            "no memory",
            NO_MEMORY,
            "You do not look whether it was done before. Every message comes at least once: ask "
            "your own note first.",
        ),
        Mistake(
            "check, then act",
            CHECK_THEN_ACT.lstrip("\n"),
            "You look, and then you act. Two workers with the same request look at the same time "
            "and both see nothing. Looking and acting must be one step: a script.",
        ),
        Mistake(
            "note first, act later",
            NOTE_FIRST.lstrip("\n"),
            "You note it first and act afterwards. A crash between the two leaves a note of "
            "something that never happened, and asking again believes the note.",
        ),
        Mistake(
            "refunds what was never charged",
            changed(
                ANSWER,
                ("elseif redis.call('HEXISTS', KEYS[2], 'charge') == 1 then", "else"),
            ),
            "You give back what was never taken. The charge may have been refused or lost: refund "
            "only what your own note says was charged.",
        ),
        Mistake(
            "forgets the early refund",
            changed(ANSWER, ("redis.call('HEXISTS', KEYS[2], 'refund') == 1 or ", "")),
            "The refund overtook its charge, and the charge then went through. Keep a note of the "
            "refund even if it had nothing to do, and refuse the charge that comes after it.",
        ),
        Mistake(
            "one note for all orders",
            changed(ANSWER, ('"done:" + order', '"done"')),
            "All orders share one note, so the second order is taken for the first. Key the note "
            "by the order.",
        ),
    ),
    hints=(
        "What do you need to remember of each order to answer the same request again?",
        "The note and the change of the money must happen in one step: `redis.eval(script, 2, "
        "customer, note, action, amount)`, with the note in a hash per order.",
        "Script: return the noted answer if there is one; a charge is refused if the refund is "
        "noted or the money does not suffice; a refund gives back only if the charge is noted; "
        "then note it.",
    ),
    seeds=(1, 2),
)
