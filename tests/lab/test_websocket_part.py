"""WebSockets in the world: the websockets library's client, on virtual time."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
import websockets
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from course_lib.lab import ProcessDied, World, explore, run


def chat(now: Any = lambda: 0.0) -> FastAPI:
    """An app with one socket for each law."""
    app = FastAPI()
    app.state.left = []

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept(subprotocol=(socket.scope["subprotocols"] or [None])[0])
        await socket.send_json([socket.url.path, socket.headers.get("x-key")])
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message["code"], message.get("reason"))
                text, data = message.get("text"), message.get("bytes")
                await (socket.send_text(text) if data is None else socket.send_bytes(data))
        except WebSocketDisconnect as left:
            app.state.left.append((left.code, left.reason, now()))

    @app.websocket("/ticks")
    async def ticks(socket: WebSocket, count: int = 3, code: int = 1000, pause: float = 1) -> None:
        await socket.accept()
        for number in range(count):
            await socket.send_text(str(number))
            await asyncio.sleep(pause)
        await socket.close(code, "that was all")

    @app.websocket("/refused")
    async def refused(socket: WebSocket) -> None:
        await socket.close()

    @app.websocket("/denied")
    async def denied(socket: WebSocket) -> None:
        answer = JSONResponse({"why": "draining"}, 503, headers={"retry-after": "3"})
        await socket.send_denial_response(answer)

    @app.websocket("/returns")
    async def returns(socket: WebSocket) -> None:
        await socket.accept()

    @app.websocket("/broken")
    async def broken(socket: WebSocket, late: bool = False) -> None:
        if late:
            await socket.accept()
        raise KeyError("broken")

    return app


def in_world(scenario: Any, latency: float = 0.0) -> Any:
    """Run `scenario(world, connect)` beside a chat; connect takes a path."""
    world = World(latency=latency)
    app = chat(lambda: world.now)
    world.serve("chat", app)

    async def main() -> Any:
        def connect(path: str, **options: Any) -> Any:
            return world.websocket("browser", f"ws://chat{path}", **options)

        return await scenario(world, connect)

    return run(main()), world, app


# The same conversation on virtual time and on a real port


async def conversation(connect: Any) -> list[Any]:
    """What a client of the websockets library sees of each kind of socket."""
    seen: list[Any] = []
    options = {"subprotocols": ["a", "b"], "additional_headers": {"x-key": "1"}}
    async with connect("/echo", **options) as socket:
        seen += [socket.subprotocol, await socket.recv()]
        for message in ("text", b"bytes", "ö", ""):
            await socket.send(message)
            seen.append(await socket.recv())
    seen += [socket.close_code, socket.close_reason]
    async with connect("/ticks?pause=0&code=1001") as socket:
        seen += [message async for message in socket]
        seen += [socket.close_code, socket.close_reason]
    async with connect("/ticks?pause=0&code=4000") as socket:
        with pytest.raises(ConnectionClosedError) as closed:
            [message async for message in socket]
        seen += [closed.value.rcvd.code, socket.close_code]
        with pytest.raises(ConnectionClosedError):
            await socket.send("too late")
    for path in ("/refused", "/denied", "/broken", "/nowhere"):
        with pytest.raises(InvalidStatus) as no:
            await connect(path).__aenter__()
        answer = no.value.response
        body = bytes(answer.body) if path == "/denied" else b""
        seen.append((path, answer.status_code, answer.headers.get("retry-after"), body))
    for path in ("/returns", "/broken?late=1"):
        async with connect(path) as socket:
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            seen.append((path, closed.value.rcvd, socket.close_code))
    return seen


def test_like_the_real_thing() -> None:
    """One client sees the same on virtual time as over loopback, under uvicorn, to the byte."""

    async def virtual(world: World, connect: Any) -> list[Any]:
        return await conversation(connect)

    async def real() -> list[Any]:
        config = uvicorn.Config(chat(), port=0, log_level="critical")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            url = f"ws://127.0.0.1:{port}"
            return await conversation(
                lambda path, **options: websockets.connect(url + path, **options)
            )
        finally:
            server.should_exit = True
            await serving

    seen, _, _ = in_world(virtual, latency=0.1)
    assert seen == asyncio.run(real())


# Time


def test_there_and_back() -> None:
    """The handshake takes a round trip and is one effect; each message takes the latency."""

    async def scenario(world: World, connect: Any) -> list[float]:
        times = []
        async with connect("/echo") as socket:
            times.append(world.now)
            await socket.recv()
            await socket.send("hello")
            times += [world.now, await socket.recv() == "hello", world.now]
        return [*times, world.now]

    times, world, app = in_world(scenario, latency=0.5)
    assert times == [1, 1, True, 2, 3]
    assert [str(effect) for effect in world.log] == ["browser: WEBSOCKET /echo -> 101"]
    assert app.state.left == [(1000, "", 2.5)]


def test_messages_keep_their_order() -> None:
    """Jitter delays messages, and never lets one overtake another."""

    async def scenario(world: World, connect: Any) -> list[str]:
        world.link("browser", "chat", latency=0.1, jitter=9)
        async with connect("/ticks?count=20") as socket:
            return [message async for message in socket]

    assert in_world(scenario)[0] == [str(number) for number in range(20)]


# Endings


def test_a_client_that_is_cancelled() -> None:
    """The app is told at once, with 1006: no close was said."""

    async def scenario(world: World, connect: Any) -> None:
        async def read() -> None:
            async with connect("/echo") as socket:
                while True:
                    await socket.recv()

        reading = asyncio.create_task(read())
        await asyncio.sleep(5)
        reading.cancel()
        await asyncio.sleep(5)

    assert in_world(scenario)[2].state.left == [(1006, "", 5)]


def test_a_server_that_dies() -> None:
    """The socket breaks off with 1006, and nothing of the handler goes on."""

    async def scenario(world: World, connect: Any) -> Any:
        asyncio.get_running_loop().call_later(1.5, world.kill, "chat")
        async with connect("/ticks") as socket:
            with pytest.raises(ConnectionClosedError) as closed:
                [message async for message in socket]
        assert closed.value.__notes__ == ["chat died"]
        with pytest.raises(ConnectionRefusedError, match="chat refuses the connection"):
            await connect("/ticks").__aenter__()
        return socket.close_code, world.now

    assert in_world(scenario)[0] == (1006, 1.5)


def test_a_client_that_dies() -> None:
    """It ends with ProcessDied, and the app is told."""

    async def scenario(world: World, connect: Any) -> None:
        async def read() -> None:
            async with connect("/echo") as socket:
                while True:
                    await socket.recv()

        reading = asyncio.create_task(read())
        await asyncio.sleep(1)
        world.kill("browser")
        with pytest.raises(ProcessDied):
            await reading
        await asyncio.sleep(1)

    assert in_world(scenario)[2].state.left == [(1006, "", 1)]


def test_silence() -> None:
    """A lost message breaks the connection, unheard: only a time-out of one's own tells."""

    async def scenario(world: World, connect: Any) -> Any:
        got = []
        async with connect("/ticks") as socket:
            got.append(await socket.recv())
            world.partition("browser", "chat")
            with suppress(TimeoutError):
                async with asyncio.timeout(30):
                    got.append(await socket.recv())
            world.heal("browser", "chat")
            silent = world.now
        return got, silent, world.now, socket.close_code

    assert in_world(scenario)[0] == (["0"], 30, 40, 1006)


def test_nobody_there() -> None:
    """An unknown host refuses, and a host that cannot be reached ends by the open time-out."""

    async def scenario(world: World, connect: Any) -> float:
        with pytest.raises(ConnectionRefusedError, match="no node serves nowhere"):
            await world.websocket("browser", "ws://nowhere/").__aenter__()
        world.partition("browser", "chat")
        with pytest.raises(TimeoutError):
            await connect("/echo", open_timeout=3).__aenter__()
        return world.now

    assert in_world(scenario)[0] == 3


def test_explored() -> None:
    """Handshakes and the app's effects are tried in every order."""

    async def scenario(world: World) -> list[str]:
        app, redis = FastAPI(), world.redis("chat")

        @app.websocket("/number")
        async def number(socket: WebSocket) -> None:
            await socket.accept()
            taken = int(await redis.get("taken") or 0) + 1
            await redis.set("taken", taken)
            await socket.send_text(str(taken))
            await socket.close()

        world.serve("chat", app)

        async def guest(name: str) -> str:
            async with world.websocket(name, "ws://chat/number") as socket:
                return str(await socket.recv())

        return await asyncio.gather(guest("ann"), guest("bob"))

    found = explore(scenario, lambda numbers: sorted(numbers) == ["1", "2"])
    assert found.counterexample is not None
    assert [effect.what for effect in found.counterexample.effects].count("GET taken") == 2
