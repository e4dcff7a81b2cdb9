"""Two threads of one process, as a cell and a slider in JupyterLab, and what each of them sees."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from course_lib.lab import World, run


@pytest.fixture(autouse=True)
def switching_all_the_time() -> Iterator[None]:
    """Let Python switch threads as often as it can, so that what can go wrong does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def side_by_side(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, at the same time, and give what they returned or raised."""
    results: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def work(number: int) -> None:
        start.wait()
        try:
            results[number] = works[number]()
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


async def visits() -> list[object]:
    """Two servers that use Redis's clock, its expiry and its dice for ten virtual seconds."""
    world = World(seed=3, latency=0.001)
    seen: list[object] = []

    async def server(number: int) -> None:
        redis = world.redis(f"server {number}")
        for turn in range(20):
            await redis.set(f"key {number} {turn}", turn, px=700)
            await asyncio.sleep(0.5)
            seen.append((await redis.time(), await redis.dbsize(), await redis.randomkey()))

    await asyncio.gather(server(1), server(2))
    return [*seen, world.now]


def test_threads_do_not_see_each_others_clock() -> None:
    """Runs in several threads at once give what each gives alone."""
    alone = run(visits())
    for _ in range(3):
        assert side_by_side(*[lambda: run(visits())] * 3) == [alone] * 3


def test_a_loop_within_a_loop_does_not_wait_for_itself() -> None:
    """A run that starts another one in the same thread goes on at once."""

    async def outer() -> float:
        await asyncio.sleep(1)
        run(asyncio.sleep(5))
        return asyncio.get_running_loop().time()

    assert side_by_side(lambda: run(outer())) == [1.0]
