"""The popular answers break as the chapter says: each test is the break."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.experiments import file_uploads as experiments
from course_lib.lab import World, run
from course_lib.systems import file_uploads as fu

DATA = bytes(range(40))


def put_whole(places):
    """Send DATA in one request until it is through; gives what is held, and the bytes sent."""
    world = World(1)
    world.break_at("client", "server", places)

    async def main():
        disk = world.disk("server")
        world.serve("server", fu.popular.whole_body_app(disk))
        async with world.http("client", base_url="http://server") as http:
            await fu.popular.put_until_done(http, "film", DATA)
        return await disk.read("film")

    return run(main()), world.network.flow("client", "server").carried


def test_whole_body_begins_again():
    """In one piece the file arrives, and each break costs all that was sent before."""
    held, sent = put_whole([39, 78])
    assert hashlib.sha256(held).digest() == hashlib.sha256(DATA).digest()
    assert sent == 39 + 39 + 40


@given(st.integers(1, 20), st.integers(1, 4))
def test_append_doubles_what_was_not_answered(size, number):
    """An answer lost after the n-th chunk leaves this chunk twice in the file."""
    chunks = [DATA[start : start + size] for start in range(0, len(DATA), size)]
    number = min(number, len(chunks))
    world = World(1)
    world.break_at("client", "server", [sum(map(len, chunks[:number]))])
    held = run(experiments.appended(world, DATA, size))
    assert held == b"".join([*chunks[:number], chunks[number - 1], *chunks[number:]])


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "../../../../etc/x"])
def test_path_leaves_its_folder(name):
    """A name decides where the popular server writes; the safe name stays."""
    assert not fu.popular.path_of("/srv/uploads", name).startswith("/srv/uploads/")
    safe = fu.popular.path_of("/srv/uploads", fu.safe_name(name))
    assert safe.startswith("/srv/uploads/")
