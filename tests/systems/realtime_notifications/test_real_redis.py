"""Log, presence and worker on a real Redis: laws that hold at any speed, and real processes."""

import asyncio
import itertools
import signal
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments.realtime_notifications import once, two_events, worked_off, worker_on
from course_lib.systems.realtime_notifications import MemoryLog, Presence, RedisLog, Replay, order
from tests.systems.real_redis import FORKS, IN_TIME, RealWorld, needs_url, on_redis, own_database
from tests.systems.real_redis import race as racing
from tests.systems.realtime_notifications import racers
from tests.systems.realtime_notifications.real import until

PROCESSES = 8
STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["", "s1", "s2"])), max_size=12
)
pytestmark = needs_url


def without_ids(replay: Replay) -> tuple[list[Any], bool]:
    """What a replay says, whatever the clock."""
    return [notice[1:] for notice in replay.notices], replay.whole


@settings(max_examples=20, deadline=None)
@given(STEPS)
def test_as_the_model(steps: list[tuple[str, str]]) -> None:
    """The same steps give the same replays, gaps and repeated sources on Redis as in the model."""

    async def scenario(world: RealWorld) -> None:
        memory = MemoryLog(itertools.count(1).__next__, keep=4)
        redis = RedisLog(world.redis("server"), keep=4)
        positions = [("0-0", "0-0")]
        for number, (user, source) in enumerate(steps):
            notice = (user, f"notice {number}", f"key {number}", source)
            positions.append((await memory.publish(*notice), await redis.publish(*notice)))
        for user, (here, there) in itertools.product(("ann", "bob"), positions):
            said = without_ids(await redis.since(user, there))
            assert said == without_ids(await memory.since(user, here))
        ours, theirs = map(set, zip(*positions, strict=True))
        assert len(ours) == len(theirs) == len(set(positions))
        assert order(await redis.end()) == max(map(order, theirs))

    on_redis(scenario)


def test_a_source_is_written_once() -> None:
    """8 processes make the same 30 notices at once: each is there once, and all get its id."""
    with own_database() as url:
        told = racing(racers.publish_all, PROCESSES, PROCESSES, 30, url)

        async def replay(world: RealWorld) -> Replay:
            return await RedisLog(world.redis("")).since("ann", "0-0")

        notices = racers.in_process(replay, url).notices
    assert told == [[notice.id for notice in notices]] * PROCESSES
    assert [notice.data for notice in notices] == [str(source) for source in range(30)]


def test_followers_get_all_in_order() -> None:
    """While 4 processes publish, a follower gets each notice once, by growing ids, as each user's
    replay has it."""

    async def follow(world: RealWorld) -> None:
        log, got = RedisLog(world.redis("server")), []
        publishing = asyncio.create_task(
            asyncio.to_thread(racing, racers.publish_many, 4, 4, 100, world.url)
        )
        async for notice in log.tail("0-0"):
            got.append(notice)
            if len(got) == 400:
                break
        await publishing
        ids = [order(notice.id) for notice in got]
        assert ids == sorted(set(ids))
        for user in map("user {}".format, range(4)):
            mine = [notice for notice in got if notice.user == user]
            assert mine == (await log.since(user, "0-0")).notices
            assert [notice.data for notice in mine] == [str(number) for number in range(100)]

    on_redis(follow)


def test_one_tab_of_two() -> None:
    """A user is present while one connection is; what is said of it lapses within its time."""

    async def scenario(world: RealWorld) -> list[list[str]]:
        redis = world.redis("a")
        one, two = Presence(redis, "server 1", 3600), Presence(world.redis("b"), "server 2", 3600)
        tabs = [await one.enter("ann"), await two.enter("ann")]
        seen = [await two.where("ann")]
        (second, micro), lapses = await redis.time(), await redis.zscore("presence:ann", tabs[1])
        assert 0 < lapses - (1000 * second + micro // 1000) <= 3_600_000
        assert 0 < await redis.pttl("presence:ann") <= 3_600_000
        for presence, tab in zip((one, two), tabs, strict=True):
            await presence.leave(tab)
            seen.append(await one.where("ann"))
        return seen

    assert on_redis(scenario) == [["server 1:1", "server 2:1"], ["server 2:1"], []]


def test_lapses_when_the_server_is_killed() -> None:
    """A process with two users is killed: soon they are not there, except who is elsewhere too."""

    async def scenario(world: RealWorld) -> None:
        redis = world.redis("auditor")
        other = Presence(redis, "other", 3600)
        await other.enter("ann")
        server = FORKS.Process(target=racers.present, args=(0.5, world.url))
        server.start()
        assert await redis.blpop(["is here"], timeout=IN_TIME)
        server.kill()
        await asyncio.to_thread(server.join, IN_TIME)

        async def has_lapsed() -> bool:
            gone = not await redis.exists("presence:bob")
            return gone and await other.where("ann") == ["other:1"]

        await until(has_lapsed)

    on_redis(scenario)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_is_killed(moment: str, at: int) -> None:
    """A worker is killed before or after it writes a notice, and had acknowledged nothing since:
    the next one tells each event once."""

    async def scenario(world: RealWorld) -> Counter[str]:
        worker = FORKS.Process(target=racers.dying_worker, args=(moment, at, world.url))
        worker.start()
        await asyncio.to_thread(worker.join, IN_TIME)
        assert worker.exitcode == -signal.SIGKILL
        left = await world.redis("auditor").xpending("events", "notifications")
        assert left["pending"] == 3 - at
        return await worked_off(worker_on(RedisLog))(world)  # type: ignore[arg-type]

    once(on_redis(scenario))


def test_a_worker_without_a_crash() -> None:
    """Undisturbed, a worker tells each event once, and a second look changes nothing."""

    async def scenario(world: Any) -> Counter[str]:
        await two_events(worker_on(RedisLog))(world)
        return await worked_off(worker_on(RedisLog))(world)

    once(on_redis(scenario))
