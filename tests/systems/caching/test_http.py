"""HTTP caching on both sides: what may be kept, used and asked, and that the two agree."""

import asyncio
from functools import partial

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st

from course_lib.experiments import caching_scenes as scenes
from course_lib.lab import run
from course_lib.systems import caching
from tests.systems.caching.cases import in_world


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        ('"7"', True),
        ('W/"7"', True),
        ('"6", "7"', True),
        ("*", True),
        ('"6"', False),
        ("7", False),
        (None, False),
    ],
)
def test_if_none_match(if_none_match, matches):
    """Weak comparison of a list, as RFC 9110 has it (section 13.1.2)."""
    assert caching.matches(if_none_match, caching.entity_tag(7)) is matches


@given(st.integers(0, 100), st.integers(0, 200))
def test_fresh_below_max_age(lifetime, age):
    """A response is fresh while its age is below max-age (RFC 9111, section 4.2)."""
    assert caching.is_fresh({"cache-control": f"max-age={lifetime}"}, age) == (age < lifetime)


@pytest.mark.parametrize(
    ("cache_control", "private", "shared"),
    [
        ("max-age=5", True, True),
        ("private, max-age=5", True, False),
        ("no-store, max-age=5", False, False),
        ("s-maxage=5", False, True),
        ("Max-Age=5", True, True),
        ("", False, False),
    ],
)
def test_may_store(cache_control, private, shared):
    """What a private and a shared cache may keep (RFC 9111, sections 3 and 5.2.2)."""
    headers = {"cache-control": cache_control}
    assert caching.may_store(headers) is private
    assert caching.may_store(headers, shared=True) is shared


@pytest.mark.parametrize("cache_control", ["no-cache", "no-cache, max-age=9", "max-age=x", ""])
def test_must_ask(cache_control):
    """With no-cache, or without a lifetime, a stored response is never used unasked."""
    assert not caching.is_fresh({"cache-control": cache_control}, 0)


def test_shared_lifetime():
    """For a shared cache, s-maxage goes before max-age; a private one does not hear it."""
    headers = {"cache-control": "max-age=5, s-maxage=50"}
    assert [caching.is_fresh(headers, 20, shared=shared) for shared in (True, False)] == [
        True,
        False,
    ]


def test_five_requests():
    """Fresh: nothing is sent. Old: a 304 without a body. Changed: seen once max-age is over."""
    rows = run(scenes.one_page_five_times(1))
    assert [row[1:] for row in rows] == [
        ["7 EUR", "", 1, 1],
        ["7 EUR", "5", 0, 0],
        ["7 EUR", "0", 1, 0],
        ["7 EUR", "5", 0, 0],
        ["8 EUR", "", 1, 1],
    ]


def api(world, log):
    """An app that greets by language, counts, and takes a POST."""
    app = FastAPI()

    @app.get("/hello")
    async def hello(request: Request):
        log.append(request.headers.get("if-none-match", "-"))
        language = request.headers.get("accept-language", "en")
        headers = {"cache-control": "max-age=60", "vary": "accept-language", "etag": '"1"'}
        return Response(f"hello in {language}", headers=headers)

    @app.post("/hello")
    async def change():
        return {}

    @app.get("/broken")
    async def broken():
        log.append("broken")
        return Response("no", status_code=500, headers={"cache-control": "max-age=60"})

    world.serve("api", app)


def with_client(story):
    """Run a story with a caching client, and what the server saw."""

    async def scenario(world):
        log = []
        api(world, log)
        through = partial(caching.CachingTransport, clock=world.time)
        async with world.http("laptop", through=through, base_url="http://api") as client:
            await story(client)
        return log

    return in_world(scenario)


def test_vary():
    """An answer for one language is not given for another."""

    async def story(client):
        for language in ("de", "de", "fr"):
            answer = await client.get("/hello", headers={"accept-language": language})
            assert answer.text == f"hello in {language}"

    assert with_client(story) == ["-", "-"]


def test_client_insists():
    """A request with no-cache is sent, with the tag of what is stored."""

    async def story(client):
        await client.get("/hello")
        await client.get("/hello", headers={"cache-control": "no-cache"})

    assert with_client(story) == ["-", '"1"']


def test_write_invalidates():
    """After a successful POST to an address, what was stored for it is not used."""

    async def story(client):
        await client.get("/hello")
        await client.post("/hello")
        await client.get("/hello")

    assert with_client(story) == ["-", "-"]


def test_errors_are_not_kept():
    """An error is not stored, even if the server says how long."""

    async def story(client):
        for _ in range(2):
            assert (await client.get("/broken")).status_code == 500

    assert with_client(story) == ["broken", "broken"]


def test_304_without_a_store():
    """A 304 that nobody asked for is handed on as it is."""

    async def story():
        inner = httpx.MockTransport(lambda request: httpx.Response(304))
        cached = caching.CachingTransport(inner, clock=lambda: 0.0)
        async with httpx.AsyncClient(transport=cached, base_url="http://api") as client:
            return (await client.get("/")).status_code

    assert asyncio.run(story()) == 304
