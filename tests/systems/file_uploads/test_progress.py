"""Progress: asked once, and as a stream."""

import asyncio
import json

from course_lib.systems import file_uploads as fu
from tests.systems.file_uploads.lab import TUS, create, in_world, patch


def events(text):
    """The events of a stream: (name, id, data)."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def test_asked_once():
    """The offset, the share in percent rounded down, and the state."""

    async def scenario(world, http, storage):
        url = (await create(http, 7)).headers["location"]
        await patch(http, url, 0, b"abc")
        before = (await http.get(f"{url}/progress")).json()
        await patch(http, url, 3, b"defg")
        return before, (await http.get(f"{url}/progress")).json()

    before, after = in_world(scenario)
    assert before == {"offset": 3, "length": 7, "percent": 42, "state": "open"}
    assert after == {"offset": 7, "length": 7, "percent": 100, "state": "complete"}


def test_stream():
    """An event for each change, none without, and the end when it is complete."""

    async def scenario(world, http, storage):
        url = (await create(http, 6)).headers["location"]

        async def send():
            for start in (0, 2, 4):
                await asyncio.sleep(2.5)
                await patch(http, url, start, b"ab")

        sending = asyncio.create_task(send())
        answer = await http.get(f"{url}/events", timeout=None)
        await sending
        return answer, world.now

    answer, now = in_world(scenario)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [(name, number) for name, number, _ in told] == [
        ("progress", "0"),
        ("progress", "2"),
        ("progress", "4"),
        ("progress", "6"),
    ]
    assert told[-1][2]["state"] == "complete"
    assert now == 8


def test_stream_of_what_goes():
    """A terminated upload ends its stream with an event of its own."""

    async def scenario(world, http, storage):
        url = (await create(http, 6)).headers["location"]
        asking = asyncio.create_task(http.get(f"{url}/events", timeout=None))
        await asyncio.sleep(3)
        await http.delete(url, headers=TUS)
        return await asking, await http.get(f"{url}/events")

    answer, after = in_world(scenario)
    assert events(answer.text)[-1][0] == "gone"
    assert after.status_code == 404


def test_empty_file():
    """Nothing of nothing is all of it."""
    assert fu.progress_of(fu.Upload("a", "kim", 0, "", 9.0, 0), 0.0)["percent"] == 100
