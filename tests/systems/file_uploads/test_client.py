"""The resuming client: many breaks, a server in trouble, and when to stop."""

import random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments.file_uploads import client, server
from course_lib.lab import World, run
from course_lib.systems import file_uploads as fu

DATA = random.Random(29).randbytes(200)


def upload(world, checksum="sha256", chunk=60, told=lambda sent: None):
    """Upload DATA in a world; gives what the server holds."""

    async def main():
        storage = server(world)
        await storage.catalog.prepare()
        async with world.http("client", base_url="http://server") as http:
            sender = client(world, http, DATA, chunk, checksum)
            sender.told = told
            url = await sender.upload()
        upload = await storage.catalog.find(url.removeprefix("/files/"), "download", world.time())
        return b"".join([block async for block in storage.read(upload)])

    return run(main())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 600), max_size=6, unique=True),
    st.integers(10, 250),
    st.sampled_from([None, "sha1", "sha256"]),
)
def test_any_breaks(places, chunk, checksum):
    """Whatever breaks, and however the file is cut, it arrives."""
    world = World(1)
    world.break_at("client", "server", places)
    assert upload(world, checksum, chunk) == DATA


def test_only_what_is_missing_is_sent_again():
    """Without a checksum nothing that arrived is sent again; with one, the broken chunk is."""
    sent = {}
    for checksum in (None, "sha256"):
        world = World(1)
        world.break_at("client", "server", [50, 130])
        assert upload(world, checksum) == DATA
        sent[checksum] = world.network.flow("client", "server").carried
    assert sent[None] == 200
    assert sent["sha256"] == 200 + 50 + 20


def test_lossy_line():
    """Messages that are lost, requests and answers: time-outs, and the file arrives."""
    world = World(3)
    world.link("client", "server", latency=0.05, loss=0.15)
    outcomes = []
    assert upload(world, chunk=20, told=lambda sent: outcomes.append(sent.outcome)) == DATA
    assert {"204"} < set(outcomes)


@pytest.mark.parametrize("status", [400, 404, 410, 413, 415])
def test_gives_up(status):
    """An answer that will not change ends the upload with a sentence."""

    def answer(request):
        if request.method == "POST":
            return httpx.Response(201, headers={"Location": "/files/a"})
        return httpx.Response(status, text="no")

    async def main():
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
            await client(World(1), http, DATA, 60).upload()

    with pytest.raises(fu.GaveUp, match=str(status)):
        run(main())


def test_patience():
    """A server that never answers is given up after so many failures in a row."""

    async def main():
        def refuse(request):
            raise httpx.ConnectError("refused")

        transport = httpx.MockTransport(refuse)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
            await client(World(1), http, DATA, 60).upload()

    with pytest.raises(fu.GaveUp, match="12 failures in a row"):
        run(main())


@given(st.integers(1, 60), st.floats(0.01, 5), st.floats(5, 60))
def test_backoff(failures, base, longest):
    """A pause lies between nothing and the doubled base, and never above the longest."""
    pause = fu.backoff(failures, random.Random(1), base, longest)
    assert 0 <= pause <= min(longest, base * 2.0 ** (failures - 1))
