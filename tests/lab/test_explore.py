"""explore: every order, no order twice, the simplest counterexample first."""

import asyncio
import gc
import heapq
import itertools
import math

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.lab import Deadlock, explore
from course_lib.lab.run_of_choices import Branch, Run


def nodes_at_once(*programs):
    """A scenario in which each program, a function of a client, runs on a node of its own."""

    async def scenario(world):
        async def node(number, program):
            return await program(world.redis(f"node {number}"))

        await asyncio.gather(*(node(*numbered) for numbered in enumerate(programs)))
        return {key: await world.redis("node 0").get(key) for key in "abc"}

    return scenario


def increments(count, key="a"):
    async def program(client):
        for _ in range(count):
            await client.incr(key)

    return program


def without_reduction(scenario):
    """Every run there is: its result or error, its switches and its log; nothing left out."""
    numbers, found = itertools.count(), []
    frontier = [Branch(0, next(numbers), [], {})]
    while frontier:
        run = Run(heapq.heappop(frontier), seed=0, reduce=False)
        broken = run.play(scenario, lambda _: False)
        found.append((broken.result, run.switches, broken.effects))
        for switches, prefix, asleep in run.alternatives:
            heapq.heappush(frontier, Branch(switches, next(numbers), prefix, asleep))
    return found


# How many orders


@pytest.mark.parametrize(("clients", "effects"), [(1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)])
def test_as_many_orders_as_there_are(clients, effects):
    """When all effects conflict, the orders are the multinomial number, each tried once."""
    logs = set()

    async def scenario(world):
        await nodes_at_once(*[increments(effects)] * clients)(world)
        order = tuple(effect.who for effect in world.log[: clients * effects])
        assert order not in logs
        logs.add(order)

    found = explore(scenario, lambda _: True)
    expected = math.factorial(clients * effects) // math.factorial(effects) ** clients
    assert (found.orders, found.exhaustive, len(logs)) == (expected, True, expected)


@pytest.mark.parametrize("clients", [2, 3])
def test_one_order_when_all_commute(clients):
    """When no two nodes touch the same key, one order stands for all."""
    programs = [increments(3, key) for key in "abc"[:clients]]

    async def scenario(world):
        await asyncio.gather(
            *(program(world.redis(str(number))) for number, program in enumerate(programs))
        )

    assert explore(scenario, lambda _: True).orders == 1


def test_reads_commute():
    """Two nodes that only read need one order, whatever they read."""

    async def scenario(world):
        await asyncio.gather(*(world.redis(str(number)).get("a") for number in range(3)))

    assert explore(scenario, lambda _: True).orders == 1


# Sound

STEPS = st.tuples(st.sampled_from(["get", "set", "incr", "copy"]), st.sampled_from("ab"))


@st.composite
def node_programs(draw):
    most = draw(st.sampled_from([(3, 2), (2, 3), (2, 2, 1)]))
    return [draw(st.lists(STEPS, min_size=1, max_size=size)) for size in most]


def program_of(steps):
    async def program(client):
        seen = "0"
        for kind, key in steps:
            if kind == "get":
                seen = await client.get(key) or "none"
            elif kind == "set":
                await client.set(key, len(seen))
            elif kind == "copy":
                await client.append("c", seen[-1])
            else:
                await client.incr(key)

    return program


@given(node_programs())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_nothing_is_missed(programs):
    """Leaving out orders that differ by commuting effects loses no final state."""
    scenario, seen = nodes_at_once(*map(program_of, programs)), []
    found = explore(scenario, lambda result: seen.append(result) is None)
    everything = without_reduction(scenario)
    assert found.exhaustive
    assert {str(state) for state in seen} == {str(state) for state, _, _ in everything}
    assert found.orders <= len(everything)


@given(node_programs(), st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_fewest_switches(programs, data):
    """No order that breaks the invariant has fewer context switches than the counterexample."""
    scenario = nodes_at_once(*map(program_of, programs))
    everything = without_reduction(scenario)
    wrong = data.draw(st.sampled_from(sorted({str(state) for state, _, _ in everything})))
    found = explore(scenario, lambda state: str(state) != wrong)
    fewest = min(switches for state, switches, _ in everything if str(state) == wrong)
    assert found.counterexample.switches == fewest
    assert str(found.counterexample.result) == wrong


# Time


def retrying(world):
    """A client that sends INCR again when no answer comes in time."""

    async def client():
        redis_client = world.redis("a", socket_timeout=1)
        try:
            await redis_client.incr("n")
        except redis.TimeoutError:
            await redis_client.incr("n")
        return int(await world.redis("b").get("n"))

    return client()


def test_a_time_out_is_a_choice():
    """A request that timed out may have been applied before, is applied late, or never."""
    found = explore(retrying, lambda n: n == 1)
    assert not found.holds
    assert found.counterexample.result == 2
    assert any(effect.unheard for effect in found.counterexample.effects)
    outcomes = {
        (result, sum(effect.who == "a" for effect in log))
        for result, _, log in without_reduction(retrying)
        if result is not None
    }
    assert {(1, 1), (2, 2)} <= outcomes


def test_a_sleep_may_end_early():
    """Between sending and applying any time may pass, so a sleep orders nothing."""

    async def scenario(world):
        async def late():
            await asyncio.sleep(60)
            await world.redis("late").set("last", "late")

        await asyncio.gather(late(), world.redis("early").set("last", "early"))
        return await world.redis("late").get("last")

    found = explore(scenario, lambda last: last == "late")
    assert not found.holds


# What it says


def test_the_invariant_may_explain():
    """The sentence of an AssertionError is the message; the schedule stands above it."""

    def invariant(state):
        if state["a"] != "2":
            raise AssertionError(f"{state['a']} is not 2")

    async def add_one(client):
        await client.set("a", int(await client.get("a") or 0) + 1)

    found = explore(nodes_at_once(add_one, add_one), invariant)
    assert str(found).splitlines()[1:] == [
        "  1  node 0  GET a -> None",
        "  2  node 1  GET a -> None",
        "  3  node 1  SET a 1 -> OK",
        "  4  node 0  SET a 1 -> OK",
        "  5  node 0  GET a -> 1",
        "  6  node 0  GET b -> None",
        "  7  node 0  GET c -> None",
        "1 is not 2",
    ]
    assert found.counterexample.message == "1 is not 2"


def test_a_scenario_that_raises():
    """An error of the scenario in some order is a counterexample with that order."""

    async def check(client):
        if await client.incr("a") == 2:
            raise ValueError("second")

    found = explore(nodes_at_once(check, increments(1)), lambda _: True)
    assert found.counterexample.message == "The scenario raised ValueError: second"


def test_a_deadlock():
    """Two nodes that take two locks in opposite order: the deadlock is a counterexample."""

    def both(first, second):
        async def program(client):
            async with locks[first]:
                await client.incr("a")
                async with locks[second]:
                    await client.incr("a")

        return program

    async def scenario(world):
        locks.update(x=asyncio.Lock(), y=asyncio.Lock())
        return await nodes_at_once(both("x", "y"), both("y", "x"))(world)

    locks = {}
    found = explore(scenario, lambda _: True)
    assert found.counterexample.message.startswith(f"The scenario raised {Deadlock.__name__}")
    assert "waits for Lock.acquire" in found.counterexample.message


def test_budget():
    """Above the budget the answer is a sample: it says so, and is the same every time."""
    scenario = nodes_at_once(*[increments(3)] * 3)
    found = explore(scenario, lambda _: True, budget=50)
    assert (found.holds, found.exhaustive, found.orders) == (True, False, 100)
    assert str(found) == "Holds in 100 orders (no more within the budget: a sample)."


def test_a_sample_can_find():
    """The sample looks deeper than the budgeted search, and one seed gives one answer."""

    async def scenario(world):
        await nodes_at_once(*[increments(3)] * 3)(world)
        return sum(a.who != b.who for a, b in itertools.pairwise(world.log[:9]))

    answers = {str(explore(scenario, lambda n: n < 7, budget=30, seed=s)) for s in (1, 1, 1)}
    assert len(answers) == 1
    assert answers.pop().startswith("Broken")


def test_seed():
    """The world of each run has the seed, so that a scenario may throw dice."""

    async def scenario(world):
        return world.random.random()

    results = []
    for seed in (1, 1, 2):
        explore(scenario, lambda result: results.append(result) is None, seed=seed)
    assert results[0] == results[1] != results[2]


def test_no_noise(capfd):
    """Runs that are cut short leave nothing on stderr: no lost errors, no destroyed tasks."""

    async def scenario(world):
        async def node(number):
            client = world.redis(str(number), socket_timeout=1)
            await client.incr("ab"[number % 2])
            if await client.incr("a") == 3:
                raise ValueError

        tasks = [asyncio.create_task(node(number)) for number in range(3)]
        await asyncio.wait(tasks, timeout=5)
        return [task.done() and task.exception() is None for task in tasks]

    explore(scenario, lambda _: True, budget=200)
    explore(scenario, all, budget=200)
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_endless_background_work():
    """A task that never ends, as a refill timer, does not keep the search from ending."""

    async def scenario(world):
        async def refill():
            while True:
                await asyncio.sleep(1)
                await world.redis("timer").set("tokens", 5)

        task = asyncio.create_task(refill())
        client = world.redis("a")
        await client.decr("tokens")
        await client.decr("tokens")
        task.cancel()

    found = explore(scenario, lambda _: True, budget=100)
    assert found.holds
    assert not found.exhaustive
