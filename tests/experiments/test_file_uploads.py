"""Chapter 29's experiments: what the sliders run is what the real client and server do."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments import file_uploads as experiments
from course_lib.experiments.file_uploads import controls
from course_lib.lab import World, run
from course_lib.systems import file_uploads as fu

KIB, MIB = experiments.KIB, experiments.MIB
FIRST = {control.name: control.value for control in controls.TRANSFER}


def real(size, chunk, breaks, checksum):
    """The true client and server over the same line: seconds, bytes sent, breaks, right bytes."""
    world = World(1)
    world.link("client", "server", latency=0.05, bandwidth=100 * KIB)
    world.break_at("client", "server", breaks)
    data = world.random.randbytes(size)

    async def upload():
        storage = experiments.server(world)
        await storage.catalog.prepare()
        async with world.http("client", base_url="http://server") as http:
            sender = experiments.client(world, http, data, chunk, checksum)
            sender.base = 1.0
            broken = []
            sender.told = lambda sent: broken.append(sent.outcome != "204")
            url = await sender.create()
            begin = world.now
            # A pause of half a second each time, as in the experiment: no dice.
            sender.draw = Half()
            await sender.resume(url, 0)
            took, sent = world.now - begin, world.network.flow("client", "server").carried
            return took, sent, sum(broken), (await http.get(url)).content == data

    return run(upload())


class Half:
    """Dice that always fall on half a second."""

    def uniform(self, low: float, high: float) -> float:
        return 0.5


@settings(max_examples=20, deadline=None)
@given(
    st.integers(20, 120),
    st.integers(10, 60),
    st.lists(st.integers(1, 150 * KIB), max_size=4, unique=True).map(sorted),
    st.booleans(),
)
def test_transfer_is_the_system(size, chunk, breaks, checked):
    """Time to the millisecond, bytes and breaks: the experiment and the whole stack agree."""
    size, chunk = size * KIB + 1, chunk * KIB
    # A break at the very end of a chunk loses the answer only; it is tried elsewhere.
    edges = {chunk * n for n in range(20)} | {size}
    breaks = [place for place in breaks if place not in edges]
    mode = "whole chunks" if checked else "every byte"
    one = experiments.Transfer(
        size, chunk, 100 * KIB, rtt=0.1, mode=mode, pause=0.5, breaks=iter(breaks)
    )
    seconds = run(one.run())
    took, sent, broken, whole = real(size, chunk, breaks, "sha256" if checked else None)
    assert whole
    assert sent == one.sent[-1][1]
    assert broken == one.broken
    assert took == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("scenario", [{}, *controls.TRANSFER_SCENARIOS.values()])
def test_every_scenario(scenario):
    """Each named setting ends with every chunk stored, and says what it cost."""
    trace = run(experiments.transfer(seed=29, **{**FIRST, **scenario}))
    cells, lines = trace.payload()["tracks"]
    last = dict(zip(cells["cell"], cells["state"], strict=True))
    assert len(last) == cells["count"]
    assert {experiments.STATES[state] for state in last.values()} <= {"stored", "mended"}
    drops = int(trace.summary.split()[2])
    mended = sum(experiments.STATES[state] == "mended" for state in last.values())
    assert (mended > 0) == (drops > 0)
    assert mended <= drops
    sent, stored = lines["lines"]
    assert stored["v"][-1] == 16
    assert sent["v"][-1] >= 16
    assert trace.summary.endswith("MiB sent again.")


def test_same_seed_same_trace():
    """Ten runs, one picture; another seed, another one."""
    traces = [run(experiments.transfer(seed=29, **FIRST)).payload() for _ in range(10)]
    assert all(trace == traces[0] for trace in traces)
    assert run(experiments.transfer(seed=30, **FIRST)).payload() != traces[0]


def test_same_breaks_for_every_setting():
    """The breaks come after the same numbers of bytes, whatever else is set."""
    first, second = experiments.drops(4 * MIB, 29), experiments.drops(4 * MIB, 29)
    assert [next(first) for _ in range(20)] == [next(second) for _ in range(20)]


def test_hopeless_settings_are_told():
    """A setting that would need thousands of attempts is refused with a sentence."""
    with pytest.raises(ValueError, match="about 8,886,111 attempts"):
        run(experiments.transfer(seed=29, **{**FIRST, "kept": "nothing", "between_drops": 1}))


def test_parallel_parts_hide_round_trips():
    """Eight parts at once are faster far away, and send as many bytes for the same breaks."""
    far = {**FIRST, "chunk": 128, "rtt": 500, "between_drops": 32}
    one, eight = (
        run(experiments.transfer(seed=29, **{**far, "parallel": number})) for number in (1, 8)
    )
    assert eight.end < one.end / 4


@given(st.integers(0, 100))
def test_mean_gap(seed):
    """Drops are sorted, and on average as far apart as asked."""
    places = experiments.drops(1000.0, seed)
    found = [next(places) for _ in range(400)]
    assert found == sorted(found)
    assert found[-1] / 400 == pytest.approx(1000, rel=0.25)


def test_memory():
    """The popular server needs twice the body; the streaming one the same for any body."""
    popular = [run(experiments.popular_memory(size * MIB)) / MIB for size in (2, 8)]
    streamed = [run(experiments.tus_memory(size * MIB)) / MIB for size in (2, 8)]
    assert popular == [pytest.approx(4, rel=0.1), pytest.approx(16, rel=0.1)]
    assert max(streamed) < 1.5
    assert math.isclose(*streamed, rel_tol=0.2)


def test_appending_server_is_broken_at_the_ends_of_chunks():
    """The harness sees the popular server fail exactly where an answer is lost."""
    data = bytes(range(12))

    async def upload(world):
        return await experiments.appended(world, data, 4)

    assert experiments.broken_places(upload, data, seed=1) == [4, 8, 12]


def test_watched_progress():
    """What is stored never exceeds what was sent, never falls, and ends with all."""
    rows = experiments.beside(experiments.watched)
    stored = [row[2] for row in rows]
    assert stored == sorted(stored)
    assert all(sent >= kept for _, sent, kept, _ in rows)
    assert rows[-1][1:] == [256 + 52, 256, 100]


def test_parts_are_closed_by_their_list():
    """A part that broke is sent again; only the right list, in rising order, closes the upload."""
    rows = run(experiments.in_parts(World(29)))
    assert [row[:2] for row in rows] == [
        ["begin", 201],
        ["part 3", 200],
        ["part 2", "broke"],
        ["part 2", 200],
        ["part 1", 200],
        ["close, in this order", 400],
        ["close, with another ETag", 400],
        ["close", 200],
    ]
    assert str(rows[-1][2]).endswith('-3"')


def test_attacks_and_attempts():
    """Of all that a thief of a link tries only the link's own meaning passes; so with uploads."""
    assert [row[1] for row in run(experiments.attacks(World(29)))] == [
        *[200, 413, 403, 403, 415, 415, 403]
    ]
    rules = fu.Rules(max_size=1000, quota=1000, types=frozenset({"image/png"}))
    tried = experiments.beside(experiments.attempts, rules)
    assert [row[1] for row in tried] == [201, 415, 413, 507]
