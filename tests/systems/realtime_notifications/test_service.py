"""The worker between queue and log: each event's notices are written once, whatever dies."""

import asyncio
from collections import Counter

from course_lib.experiments.realtime_notifications import once, two_events, worked_off, worker_on
from course_lib.lab import World, crash_everywhere, run
from course_lib.systems.realtime_notifications import EventQueue, RedisLog, Told, Worker
from course_lib.systems.realtime_notifications.popular import PlainLog


def test_every_crash() -> None:
    """The worker or the API server dies at every effect, before and after: told once each."""
    report = crash_everywhere(
        two_events(worker_on(RedisLog)), worked_off(worker_on(RedisLog)), once
    )
    assert report.counterexample is None
    assert report.points >= 20


def test_a_log_that_does_not_ask_for_the_source() -> None:
    """The same crashes tell an order twice when the log takes whatever comes."""
    report = crash_everywhere(
        two_events(worker_on(PlainLog)), worked_off(worker_on(PlainLog)), once
    )
    assert report.counterexample is not None
    assert ": 2" in report.counterexample.message


def test_one_event_several_notices() -> None:
    """Everybody whom an event concerns is told, once; two workers share the queue."""

    def notify(event: dict[str, str]) -> list[Told]:
        return [Told("ann", event["text"]), Told("bob", event["text"], "order 7")]

    async def scenario() -> list[Counter[str]]:
        world = World()
        redis = world.redis("worker")
        queue, log = EventQueue(redis), RedisLog(redis)
        workers = [Worker(queue, log, notify, name) for name in ("worker 1", "worker 2")]
        for worker in workers:
            await worker.prepare()
        for number in range(25):
            await queue.put({"text": f"event {number}"})
        while sum([await worker.take() for worker in workers]):
            pass
        replays = [await log.since(user, "0-0") for user in ("ann", "bob")]
        assert {notice.key for notice in replays[1].notices} == {"order 7"}
        return [Counter(notice.data for notice in replay.notices) for replay in replays]

    assert run(scenario()) == [Counter(f"event {number}" for number in range(25))] * 2


def test_a_quiet_hour() -> None:
    """After an hour without an event a worker tells the next one at once, though redis-py gives up
    on an answer after 5 seconds."""

    async def scenario() -> tuple[list[str], float]:
        world = World()
        redis, api = world.redis("worker", socket_timeout=5), world.redis("api")
        worker = Worker(EventQueue(redis), RedisLog(redis), lambda event: [Told("ann", event["n"])])
        working = asyncio.ensure_future(worker.run())
        await asyncio.sleep(3600)
        position = await RedisLog(api).end()
        began = world.now
        await EventQueue(api).put({"n": "1"})
        notices = [await anext(RedisLog(api).tail(position))]
        working.cancel()
        return [notice.data for notice in notices], world.now - began

    assert run(scenario()) == (["1"], 0.0)
