"""Eight real processes ask for one absent key, over a real Redis and a real SQLite file."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from course_lib.systems import caching
from tests.systems.caching import racers
from tests.systems.real_redis import FORKS, IN_TIME, RealWorld, needs_url, own_database, race

PROCESSES, KEYS = 8, 40
pytestmark = needs_url


class Place:
    """Where a race happens: a Redis database and a folder with a SQLite file."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.redis: Any = Redis.from_url(url, decode_responses=True, socket_timeout=None)

    def rows(self, **written: str) -> dict[str, str | None]:
        """Write these rows; give what all rows of the race hold."""

        async def act(world: RealWorld) -> dict[str, str | None]:
            database = await caching.SqlDatabase.on(await world.sql("setup", isolation_level=None))
            for key, value in written.items():
                await database.write(key, value)
            return {key: await database.read(key) for key in map("key {}".format, range(KEYS))}

        return racers.in_process(act, self.url, self.folder)

    def loads(self) -> list[int]:
        """How many reads of each key reached the database."""
        return [int(self.redis.get(f"loads:key {key}")) for key in range(KEYS)]

    def race(self, racer: Any, processes: int, *arguments: Any) -> list[Any]:
        """What each process answers."""
        return race(racer, processes, *arguments, self.url, self.folder)


@pytest.fixture
def place() -> Iterator[Place]:
    """A place of one's own, with a row for each key."""
    with own_database() as url, tempfile.TemporaryDirectory() as folder:
        place = Place(url, Path(folder))
        place.rows(**{f"key {key}": f"value {key}" for key in range(KEYS)})
        yield place
        place.redis.close()


def test_one_load(place: Place) -> None:
    """8 processes ask for an absent key at once: one load, and all get its value; 40 times."""
    answers = place.race(racers.stampede, PROCESSES, PROCESSES, "leases", KEYS)
    assert place.loads() == [1] * KEYS
    assert answers == [[f"value {key}" for key in range(KEYS)]] * PROCESSES


def test_the_race_is_real(place: Place) -> None:
    """The popular answer loads more than once in the same race: the processes do meet."""
    answers = place.race(racers.stampede, PROCESSES, PROCESSES, "popular", KEYS)
    assert max(place.loads()) > 1
    assert answers == [[f"value {key}" for key in range(KEYS)]] * PROCESSES


def test_no_stale_set(place: Place) -> None:
    """4 processes read a key while 4 write it: afterwards all read what the database holds."""
    answers = place.race(racers.stale_set, PROCESSES, PROCESSES, "leases", KEYS)
    assert answers == [list(place.rows().values())] * PROCESSES


@pytest.mark.parametrize(("way", "seen"), [("leases", "new"), ("popular", "value 0")])
def test_held_up_between_the_two(place: Place, way: str, seen: str) -> None:
    """A reader that was held up while another process wrote: the lease keeps the old value out.

    The popular answer keeps it, and every later reader gets it.
    """
    assert place.race(racers.held_up, 2, way) == ["value 0", None]
    assert place.race(racers.stampede, 1, 1, way, 1) == [[seen]]


def test_killed_with_the_lease(place: Place) -> None:
    """A reader that is killed while it loads holds the others up until its lease is over, and then
    one of them loads."""
    dying = FORKS.Process(target=racers.dies_with_the_lease, args=(0, place.url, place.folder))
    dying.start()
    assert place.redis.blpop(["has read"], timeout=IN_TIME)
    dying.kill()
    dying.join(IN_TIME)
    lease = "cache:lease:key 0"
    assert place.redis.get(lease) == "dying:1"
    place.redis.pexpire(lease, 50)
    answers = place.race(racers.stampede, PROCESSES, PROCESSES, "leases", 1)
    assert answers == [["value 0"]] * PROCESSES
    assert place.redis.get("loads:key 0") == "2"


def test_all_write_back(place: Place) -> None:
    """8 processes write and flush at once: when the last batch is flushed, the database holds what
    each was told that it has."""
    place.race(racers.writes_back, PROCESSES, PROCESSES, KEYS)
    racers.flushes(place.url, place.folder)
    assert list(place.rows().values()) == [f"by {key % PROCESSES}" for key in range(KEYS)]
    assert racers.flushes(place.url, place.folder) == 0


def test_killed_in_its_flush(place: Place) -> None:
    """A process is killed between taking a batch and writing it: the next flush writes it, once."""
    dying = FORKS.Process(target=racers.dies_in_its_flush, args=(0, place.url, place.folder))
    dying.start()
    assert place.redis.blpop(["has begun"], timeout=IN_TIME)
    dying.kill()
    dying.join(IN_TIME)
    assert list(place.rows().values())[:2] == ["value 0", "value 1"]
    assert [racers.flushes(place.url, place.folder) for _ in range(2)] == [2, 0]
    assert list(place.rows().values())[:3] == ["told", "told", "value 2"]
