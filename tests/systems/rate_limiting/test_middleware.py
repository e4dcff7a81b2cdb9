"""The middleware in front of a FastAPI application, seen from its clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse

from course_lib.lab import World, run
from course_lib.systems.rate_limiting import (
    FixedWindow,
    Policy,
    RateLimitMiddleware,
    Route,
    TokenBucket,
    by_address,
    by_user,
)

MINUTE = Policy("minute", FixedWindow(3, 60))
QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
REDUCED = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
Scenario = Callable[[World, httpx.AsyncClient], Awaitable[Any]]


def application() -> FastAPI:
    """An application with a plain answer, a failing one, a stream and a websocket."""
    app = FastAPI()

    @app.get("/")
    @app.get("/search")
    @app.get("/health")
    async def answer() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number}\n"
                await asyncio.sleep(2)

        return StreamingResponse(parts())

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    return app


def play(scenario: Scenario, routes: list[Route] | None = None, **options: Any) -> Any:
    """Run a scenario with one client against the application behind the middleware."""

    async def whole() -> Any:
        world = World()
        app = application()
        app.add_middleware(
            RateLimitMiddleware,
            redis=world.redis("api"),
            routes=routes or [Route("/{path:path}", MINUTE)],
            **options,
        )
        world.serve("api", app)
        async with world.http("client 1", base_url="http://api") as client:
            return await scenario(world, client)

    return run(whole())


def test_admitted() -> None:
    """An admitted request gets its answer, and what is left."""

    async def scenario(world: World, client: httpx.AsyncClient) -> None:
        await asyncio.sleep(12.5)
        response = await client.get("/")
        assert (response.status_code, response.json()) == (200, {"ok": True})
        assert response.headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert response.headers["ratelimit"] == '"minute";r=2;t=48'
        assert "retry-after" not in response.headers
        assert "x-ratelimit-limit" not in response.headers

    play(scenario)


def test_refused() -> None:
    """A refused request gets 429, a problem document, Retry-After and both fields."""

    async def scenario(world: World, client: httpx.AsyncClient) -> None:
        for _ in range(3):
            await client.get("/")
        await asyncio.sleep(12.5)
        response = await client.get("/")
        assert response.status_code == 429
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"] == "48"
        assert response.headers["ratelimit"] == '"minute";r=0;t=48'
        assert response.headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert response.json() == {
            "type": QUOTA,
            "title": "Request cannot be satisfied as assigned quota has been exceeded",
            "status": 429,
            "detail": "The limit is 3; 0 left, and this request costs 1. Try again in 48 s.",
            "violated-policies": ["minute"],
        }
        await asyncio.sleep(int(response.headers["retry-after"]))
        assert (await client.get("/")).status_code == 200

    play(scenario)


def test_never() -> None:
    """A request that costs more than the whole limit gets 429 without Retry-After."""

    async def scenario(world: World, client: httpx.AsyncClient) -> None:
        response = await client.get("/search")
        assert response.status_code == 429
        assert "retry-after" not in response.headers
        assert response.json()["detail"] == (
            "This request costs 4, more than the whole limit of 3."
        )

    play(scenario, [Route("/search", MINUTE, cost=4)])


def test_cost_per_route() -> None:
    """Routes of one policy spend from one limit, each its own cost; a route without one is free."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[int]:
        paths = ["/search", "/search", "/", "/", "/health", "/health"]
        return [(await client.get(path)).status_code for path in paths]

    routes = [
        Route("/health", None),
        Route("/search", MINUTE, cost=2),
        Route("/{path:path}", MINUTE),
    ]
    assert play(scenario, routes) == [200, 429, 200, 429, 200, 200]


def test_tiers() -> None:
    """Who pays more gets more, and an unknown tier the first."""
    policy = Policy("p", {"free": FixedWindow(1, 60), "paid": FixedWindow(3, 60)})

    async def scenario(world: World, client: httpx.AsyncClient) -> list[str]:
        found = []
        for tier in ("free", "paid", "gold"):
            response = await client.get("/", headers={"x-tier": tier})
            found.append(response.headers["ratelimit"])
        return found

    fields = play(
        scenario, [Route("/", policy)], tier=lambda request: request.headers.get("x-tier", "")
    )
    assert fields == ['"p";r=0;t=60', '"p";r=2;t=60', '"p";r=0;t=60']


def test_clients_are_told_apart() -> None:
    """Each address, or each user, has a limit of its own."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[str]:
        other = world.http("client 2", base_url="http://api")
        ask = [client.get("/"), client.get("/"), other.get("/")]
        ask += [
            other.get("/", headers={"x-user": "ann"}),
            client.get("/", headers={"x-user": "ann"}),
        ]
        return [(await answer).headers["ratelimit"][11] for answer in ask]

    key = by_user(lambda request: request.headers.get("x-user"))
    assert play(scenario, key=key) == ["2", "1", "2", "2", "1"]


def test_inventing_addresses_does_not_help() -> None:
    """A client that writes X-Forwarded-For itself stays the same client, behind a proxy or not."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[int]:
        codes = []
        for number in range(4):
            forged = f"10.9.8.{number}, 203.0.113.7"
            response = await client.get("/", headers={"x-forwarded-for": forged})
            codes.append(response.status_code)
        return codes

    assert play(scenario) == [200, 200, 200, 429]
    assert play(scenario, key=by_address(trusted_proxies=1)) == [200, 200, 200, 429]


@pytest.mark.parametrize("fallback", ["open", "closed", "local"])
def test_redis_down(fallback: Any) -> None:
    """Redis down: open admits, closed answers 503 and when to return, local counts its share."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[httpx.Response]:
        world.stop("redis")
        down = [await client.get("/") for _ in range(3)]
        world.start("redis")
        await asyncio.sleep(1.0)
        return [*down, await client.get("/")]

    policy = Policy("p", FixedWindow(4, 60), fallback)
    *down, back = play(scenario, [Route("/", policy)], servers=2)
    codes = {"open": [200] * 3, "closed": [503] * 3, "local": [200, 200, 429]}
    assert [response.status_code for response in down] == codes[fallback]
    assert back.headers["ratelimit"] == '"p";r=3;t=59'
    quotas = {"open": "4", "closed": "4", "local": "2"}
    assert down[0].headers["ratelimit-policy"] == f'"p";q={quotas[fallback]};w=60'
    assert ("ratelimit" in down[0].headers) == (fallback == "local")
    if fallback == "closed":
        assert down[0].headers["retry-after"] == "1"
        assert down[0].headers["content-type"] == "application/problem+json"
        assert (down[0].json()["type"], down[0].json()["status"]) == (REDUCED, 503)


def test_legacy_fields() -> None:
    """The X- fields come when asked for."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[str]:
        headers = (await client.get("/")).headers
        return [headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")]

    assert play(scenario, legacy_headers=True) == ["3", "2", "60"]


def test_errors_carry_the_fields() -> None:
    """A 404 says what is left too: it was counted."""

    async def scenario(world: World, client: httpx.AsyncClient) -> None:
        response = await client.get("/nowhere")
        assert (response.status_code, response.headers["ratelimit"][11]) == (404, "2")

    play(scenario)


def test_streams_stay_streams() -> None:
    """The parts of a stream arrive when they are sent, not when it ends."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[tuple[float, str]]:
        async with client.stream("GET", "/stream") as response:
            assert "ratelimit" in response.headers
            return [(world.now, line) async for line in response.aiter_lines()]

    assert play(scenario) == [(0.0, "0"), (2.0, "1"), (4.0, "2")]


def test_websockets_and_lifespan_pass() -> None:
    """What is no HTTP request goes through untouched, and uncounted."""
    seen = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], receive, send))

    limiter = RateLimitMiddleware(inner, World().redis("api"), [Route("/{path:path}", MINUTE)])

    async def scenario() -> None:
        for kind in ("websocket", "lifespan"):
            await limiter({"type": kind, "path": "/"}, "receive", "send")  # type: ignore[arg-type]

    run(scenario())
    assert seen == [("websocket", "receive", "send"), ("lifespan", "receive", "send")]


@pytest.mark.parametrize(
    ("root", "path", "limited"),
    [("/api", "/api/search", True), ("/api", "/search", True), ("/api", "/apisearch", False)],
)
def test_root_paths(root: str, path: str, limited: bool) -> None:
    """Behind a prefix, a route means the path without it."""
    app = application()
    limiter = RateLimitMiddleware(app, World().redis("api"), [Route("/search", MINUTE)])
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root}
    assert (limiter._route(scope) is not None) == limited


def test_a_prefix_alone_is_the_root() -> None:
    """The prefix without anything behind it is the root."""
    limiter = RateLimitMiddleware(application(), World().redis("api"), [Route("/", MINUTE)])
    assert limiter._route({"path": "/api", "root_path": "/api", "method": "GET"}) is not None


def test_one_name_one_policy() -> None:
    """Two different policies of one name would share their counts: refused with a sentence."""
    other = Policy("minute", TokenBucket(1, 1))
    with pytest.raises(ValueError, match="two different policies are named 'minute'"):
        RateLimitMiddleware(
            application(), World().redis("api"), [Route("/", MINUTE), Route("/search", other)]
        )


def test_without_a_key_all_share() -> None:
    """Whoever the key function does not know shares one limit with all others it does not know."""

    async def scenario(world: World, client: httpx.AsyncClient) -> list[int]:
        other = world.http("client 2", base_url="http://api")
        return [(await c.get("/")).status_code for c in (client, other, client, other)]

    assert play(scenario, key=lambda request: None) == [200, 200, 200, 429]


def test_the_problem_is_json() -> None:
    """The body is one JSON object in UTF-8, with its length."""

    async def scenario(world: World, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/search")

    response = play(scenario, [Route("/search", Policy('a "b"', FixedWindow(1, 1)), cost=2)])
    assert json.loads(response.content)["violated-policies"] == ['a "b"']
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["ratelimit-policy"] == '"a \\"b\\"";q=1;w=1'
