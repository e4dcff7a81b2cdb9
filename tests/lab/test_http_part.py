"""HTTP in the world: httpx onto ASGI apps, streaming both ways on virtual time."""

import asyncio
import threading

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from course_lib.lab import ProcessDied, World, explore, run


def shop(world):
    """An app with one route for each law."""
    app = FastAPI()
    app.state.left = []

    @app.get("/hello")
    async def hello(request: Request):
        return {"from": request.client.host, "key": request.headers["x-key"]}

    @app.post("/echo")
    async def echo(request: Request):
        return JSONResponse(await request.json(), status_code=201, headers={"x-part": "1"})

    @app.post("/upload")
    async def upload(request: Request):
        return [[len(chunk), world.now] async for chunk in request.stream() if chunk]

    @app.get("/events")
    async def events(seconds: float = 1, count: int = 3):
        async def numbers():
            try:
                for number in range(count):
                    yield f"data: {number}\n\n"
                    await asyncio.sleep(seconds)
            finally:
                app.state.left.append(world.now)

        return StreamingResponse(numbers(), media_type="text/event-stream")

    @app.get("/slow")
    async def slow(seconds: float = 10):
        await asyncio.sleep(seconds)
        app.state.left.append(world.now)
        await world.redis("shop").incr("answered")
        return "done"

    @app.get("/broken")
    async def broken():
        raise KeyError("broken")

    def thread():
        return threading.get_ident()

    @app.get("/sync")
    def sync(dependency: int = Depends(thread)):
        return [dependency, threading.get_ident()]

    world.serve("shop", app)
    return app


def in_world(scenario, latency=0.0, **options):
    """Run `scenario(world, client)` beside a shop."""
    world = World(latency=latency)
    app = shop(world)

    async def main():
        async with world.http("browser", base_url="http://shop", **options) as client:
            return await scenario(world, client)

    return run(main()), world, app


# Requests and answers


def test_there_and_back():
    """A request takes the latency both ways, and brings headers, address and status along."""

    async def scenario(world, client):
        answer = await client.get("/hello", headers={"X-Key": "secret"})
        return answer.json(), world.now

    (answer, now), world, _ = in_world(scenario, latency=0.5)
    assert answer == {"from": world.address("browser"), "key": "secret"}
    assert now == 1
    assert str(world.log[0]) == "browser: GET /hello -> 200"


def test_body():
    """A body arrives as it was sent, and so does the answer with its headers."""

    async def scenario(world, client):
        answer = await client.post("/echo", json={"a": [1, "ö"]})
        return answer.status_code, answer.headers["x-part"], answer.json()

    assert in_world(scenario)[0] == (201, "1", {"a": [1, "ö"]})


def test_uploads_stream():
    """The parts of a request's body arrive one by one, in the time in which they are made."""

    async def scenario(world, client):
        async def parts():
            for size in (1, 2, 3):
                yield b"x" * size
                await asyncio.sleep(10)

        return (await client.post("/upload", content=parts())).json()

    assert in_world(scenario, latency=1)[0] == [[1, 3.0], [2, 13.0], [3, 23.0]]


def test_answers_stream():
    """The parts of an event stream arrive one by one, each after the latency."""

    async def scenario(world, client):
        async with client.stream("GET", "/events") as answer:
            return [(line, world.now) async for line in answer.aiter_lines() if line]

    expected = [("data: 0", 1.0), ("data: 1", 2.0), ("data: 2", 3.0)]
    assert in_world(scenario, latency=0.5)[0] == expected


def test_parts_keep_their_order():
    """Jitter delays parts, and never lets one overtake another."""

    async def scenario(world, client):
        world.link("browser", "shop", latency=0.1, jitter=2)
        async with client.stream("GET", "/events?seconds=0.1&count=20") as answer:
            return [line async for line in answer.aiter_lines() if line]

    assert in_world(scenario)[0] == [f"data: {number}" for number in range(20)]


def test_plain_functions_run_inline():
    """Endpoints and dependencies that FastAPI would give to threads run in the loop's own."""

    async def scenario(world, client):
        return (await client.get("/sync")).json()

    assert in_world(scenario)[0] == [threading.get_ident()] * 2


# Leaving


@pytest.mark.parametrize("how", ["close", "cancel"])
def test_the_app_learns_that_the_client_left(how):
    """An app that streams is told when its client closes the answer, or is cancelled."""

    async def scenario(world, client):
        async def read():
            async with client.stream("GET", "/events?count=100") as answer:
                async for line in answer.aiter_lines():
                    if line == "data: 3" and how == "close":
                        return

        reading = asyncio.create_task(read())
        await asyncio.sleep(3.5)
        if how == "cancel":
            reading.cancel()
        await asyncio.sleep(20)

    _, _, app = in_world(scenario, latency=0)
    assert app.state.left == [3.5 if how == "cancel" else 3.0]


def test_leaving_before_the_answer():
    """A client that is cancelled while it waits for the answer counts as left, too."""
    seen = []

    async def app(scope, receive, send):
        await receive()
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    async def scenario(world, client):
        world.serve("quiet", app)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await client.get("http://quiet/", timeout=None)
        await asyncio.sleep(5)

    in_world(scenario, latency=1)
    assert seen == ["http.disconnect", "http.disconnect"]


# Failures


def test_read_timeout():
    """A read time-out counts from part to part; the app goes on."""

    async def scenario(world, client):
        with pytest.raises(httpx.ReadTimeout, match="shop sent nothing for 5 s"):
            await client.get("/slow", timeout=5)
        gave_up = world.now
        await asyncio.sleep(60)
        async with client.stream("GET", "/events?seconds=4", timeout=5) as answer:
            lines = [line async for line in answer.aiter_lines() if line]
        return gave_up, len(lines)

    assert in_world(scenario)[0] == (5, 3)


def test_connect_timeout():
    """A request that never arrives ends by the connect time-out."""

    async def scenario(world, client):
        world.partition("browser", "shop")
        with pytest.raises(httpx.ConnectTimeout, match="shop did not answer"):
            await client.get("/hello", timeout=3)
        return world.now

    (now, world, _) = in_world(scenario)
    assert now == 3
    assert world.log == []


def test_a_lost_part_breaks_the_stream():
    """After a partition no later part arrives, even when the network is healed."""

    async def scenario(world, client):
        asyncio.get_running_loop().call_later(0.5, world.partition, "browser", "shop")
        asyncio.get_running_loop().call_later(1.5, world.heal, "browser", "shop")
        got = []

        async def read():
            async with client.stream("GET", "/events", timeout=20) as answer:
                async for line in answer.aiter_lines():
                    got.append(line)

        with pytest.raises(httpx.ReadTimeout):
            await read()
        return got

    assert in_world(scenario)[0] == ["data: 0", ""]


def test_refusals():
    """A stopped host and an unknown one are connection errors with a sentence."""

    async def scenario(world, client):
        world.stop("shop")
        with pytest.raises(httpx.ConnectError, match="shop refuses the connection"):
            await client.get("/hello")
        with pytest.raises(httpx.ConnectError, match="no node serves nowhere"):
            await client.get("http://nowhere/")
        world.start("shop")
        return (await client.get("/hello", headers={"x-key": ""})).status_code

    assert in_world(scenario)[0] == 200


def test_server_error():
    """An app that raises answers 500, as on a real server, and the log keeps the reason."""

    async def scenario(world, client):
        return (await client.get("/broken")).status_code

    status, world, _ = in_world(scenario)
    assert status == 500
    assert str(world.log[0]) == "browser: GET /broken -> KeyError: 'broken'"


def test_a_plain_app_that_raises():
    """Without a framework too: 500 before the answer has begun, a broken stream after."""

    async def fail_late(scope, receive, send):
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        raise ValueError("no")

    async def scenario(world, client):
        world.serve("plain", fail_late)
        first = await client.get("http://plain/")
        with pytest.raises(httpx.RemoteProtocolError, match="plain failed: ValueError"):
            await client.get("http://plain/late")
        return first.status_code

    assert in_world(scenario)[0] == 500


def test_a_server_that_dies():
    """Its requests break off, whatever they wait for, and nothing of them goes on."""

    async def scenario(world, client):
        asyncio.get_running_loop().call_later(5, world.kill, "shop")
        with pytest.raises(httpx.RemoteProtocolError, match="shop died"):
            await client.get("/slow", timeout=None)
        died = world.now
        await asyncio.sleep(60)
        answered = await world.redis("other").get("answered")
        world.start("shop")
        await client.get("/slow", timeout=None)
        return died, answered, await world.redis("other").get("answered")

    result, _, app = in_world(scenario)
    assert result == (5, None, "1")
    assert app.state.left == [75.0]


def test_a_client_that_dies():
    """It ends with ProcessDied; the app is told, and what it had begun goes on."""

    async def scenario(world, client):
        asking = asyncio.create_task(client.get("/slow", timeout=None))
        await asyncio.sleep(1)
        world.kill("browser")
        with pytest.raises(ProcessDied):
            await asking
        await asyncio.sleep(60)
        return await world.redis("other").get("answered")

    assert in_world(scenario)[0] == "1"


def test_nothing_of_the_client_reaches_the_app():
    """Context variables of a client are not those of the server's process."""
    from contextvars import ContextVar

    user = ContextVar("user", default="nobody")

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": user.get().encode()})

    async def scenario(world, client):
        world.serve("plain", app)
        user.set("ann")
        return (await client.get("http://plain/")).text

    assert in_world(scenario)[0] == "nobody"


def test_explored():
    """Requests of two clients to one app over Redis are tried in every order."""

    async def scenario(world):
        app = FastAPI()
        redis = world.redis("shop")

        @app.post("/buy")
        async def buy():
            left = int(await redis.get("left") or 1)
            await redis.set("left", left - 1)
            return left

        world.serve("shop", app)

        async def customer(name):
            async with world.http(name) as client:
                return (await client.post("http://shop/buy")).json()

        return await asyncio.gather(customer("ann"), customer("bob"))

    found = explore(scenario, lambda got: sorted(got) == [0, 1])
    assert not found.holds
    assert [effect.what for effect in found.counterexample.effects].count("GET left") == 2
