"""The app: four transports over one hub, in the lab's HTTP and WebSockets."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError

from course_lib.experiments.realtime_notifications import Stack, account, through_a_tunnel
from course_lib.lab import World, run
from course_lib.systems.realtime_notifications import Comeback, EventStreamParser

TRANSPORTS = ("polling", "long polling", "SSE", "WebSocket")


def in_stack(scenario: Any, servers: int = 2, latency: float = 0.01, **options: Any) -> Any:
    """Run `scenario(world, stack)` beside a whole stack."""

    async def main() -> Any:
        world = World(latency=latency)
        stack = Stack(world, servers, **options)
        await asyncio.sleep(1)
        try:
            return await scenario(world, stack)
        finally:
            stack.close()

    return run(main())


# Every transport


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_tunnel(transport: str) -> None:
    """Away for three seconds: nothing is missed, nothing comes twice."""

    async def scenario(world: World, stack: Stack) -> Any:
        state = Comeback(random.Random(1))

        async def listen() -> Any:
            async for message in stack.client(transport, state=state):
                yield message.data

        return await through_a_tunnel(listen, stack.tell)

    told = in_stack(scenario, spread=1)
    assert told.sent == 15
    assert (told.missed, told.repeated) == ([], [])


@settings(max_examples=12, deadline=None)
@given(
    transport=st.sampled_from(TRANSPORTS),
    cuts=st.lists(st.floats(0.01, 4), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_any_cuts(transport: str, cuts: list[float], seed: int) -> None:
    """Whenever the client is cut off, and whichever server it comes back to, it gets each once."""

    async def scenario(world: World, stack: Stack) -> Any:
        state, heard = Comeback(random.Random(seed), base=0.2), list[tuple[float, str]]()
        dice, sent = random.Random(seed), [f"notice {number}" for number in range(20)]
        first = asyncio.ensure_future(stack.hear(stack.client(transport, state=state), heard))
        await asyncio.sleep(1)  # before its first answer a client has no position
        assert state.position
        first.cancel()

        async def tell() -> None:
            for text in sent:
                await stack.tell(text)
                await asyncio.sleep(dice.expovariate(2))

        telling = asyncio.ensure_future(tell())
        for cut in [*cuts, 60]:
            server = dice.choice(["server-1", "server-2"])
            client = stack.client(transport, server, state, every=1)
            hearing = asyncio.ensure_future(stack.hear(client, heard))
            await asyncio.wait([hearing], timeout=cut)
            hearing.cancel()
            await asyncio.wait([hearing])
        await telling
        return account(sent, [text for _, text in heard])

    told = in_stack(scenario, spread=0.5)
    assert (told.missed, told.repeated) == ([], [])


def test_a_server_that_dies() -> None:
    """Its clients are cut off, come back to another server, and miss nothing."""

    async def scenario(world: World, stack: Stack) -> Any:
        heard: dict[str, list[tuple[float, str]]] = {}
        states = {t: Comeback(random.Random(1)) for t in ("SSE", "WebSocket")}
        clients = {
            t: asyncio.ensure_future(stack.hear(stack.client(t, state=s), heard.setdefault(t, [])))
            for t, s in states.items()
        }
        await asyncio.sleep(1)
        await stack.tell("before")
        await asyncio.sleep(1)
        world.kill("server-1")
        await stack.tell("meanwhile")
        await asyncio.sleep(1)
        for transport, state in states.items():  # a balancer would send them to the other one
            clients[transport].cancel()
            client = stack.client(transport, "server-2", state)
            stack.hear_on(client, heard[transport])
        await asyncio.sleep(5)
        await stack.tell("after")
        await asyncio.sleep(1)
        return {t: [text for _, text in each] for t, each in heard.items()}

    all_three = ["before", "meanwhile", "after"]
    assert in_stack(scenario, spread=0.5) == {"SSE": all_three, "WebSocket": all_three}


def test_a_silent_network_is_noticed() -> None:
    """Heartbeats let a client hear that it hears nothing: it comes back, and misses nothing."""

    async def scenario(world: World, stack: Stack) -> Any:
        heard = list[tuple[float, str]]()
        client = stack.client("SSE", silence=12)
        stack.hear_on(client, heard)
        await asyncio.sleep(20)
        world.partition("SSE", "server-1")
        await stack.tell("lost on its way")
        await asyncio.sleep(5)
        world.heal("SSE", "server-1")
        await asyncio.sleep(20)
        return [text for _, text in heard], sum("stream" in e.what for e in world.log)

    assert in_stack(scenario, heartbeat=5, spread=1) == (["lost on its way"], 2)


# One by one


def test_event_stream() -> None:
    """The answer is an event stream that nobody keeps, begins with a position, and has a retry."""

    async def scenario(world: World, stack: Stack) -> Any:
        parser = EventStreamParser()
        async with (
            world.http("browser") as http,
            http.stream("GET", "http://server-1/notifications/stream?user=ann") as answer,
        ):
            async for chunk in answer.aiter_bytes():
                assert list(parser.feed(chunk)) == []
                break
        await asyncio.sleep(1)
        return answer.headers, parser, len(stack.hubs["server-1"])

    headers, parser, left = in_stack(scenario, spread=4)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert parser.last_event_id == "0-0"
    assert 0 <= (parser.retry or -1) <= 4000
    assert left == 0


def test_the_header_goes_before_the_query() -> None:
    """A browser comes back to the same address, with the header: that is newer."""

    async def scenario(world: World, stack: Stack) -> Any:
        ids = []
        for number in range(3):
            await stack.tell(str(number))
            await asyncio.sleep(0.1)
        for notice in (await stack.hubs["server-1"].log.since("ann", "0-0")).notices:
            ids.append(notice.id)
        url = f"http://server-1/notifications/stream?user=ann&after={ids[0]}"
        parser = EventStreamParser()
        async with (
            world.http("browser") as http,
            http.stream("GET", url, headers={"last-event-id": ids[1]}) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                if got := list(parser.feed(chunk)):
                    return [message.data for message in got]

    assert in_stack(scenario) == ["2"]


def test_draining() -> None:
    """Polls get 503 and a time; streams 200, a retry and a goodbye; sockets a close of 1012."""

    async def scenario(world: World, stack: Stack) -> Any:
        base, seen = "http://server-1", []
        sitting = world.websocket("old", "ws://server-1/notifications/socket?user=ann")
        async with sitting as socket, world.http("browser") as http:
            await socket.recv()
            await stack.hubs["server-1"].drain()
            seen.append((await http.get(f"{base}/health")).status_code)
            poll = await http.get(f"{base}/notifications?user=ann")
            seen += [poll.status_code, 0 <= int(poll.headers["retry-after"]) <= 10]
            stream = await http.get(f"{base}/notifications/stream?user=ann")
            seen += [stream.status_code, stream.text.split("\n")[1:]]
            with pytest.raises(ConnectionClosedError):
                [message async for message in socket]
            seen += [socket.close_code, socket.close_reason]
        return seen

    goodbye = ["event: bye", "data: draining", "", ""]
    assert in_stack(scenario) == [503, 503, True, 200, goodbye, 1012, "draining"]


def test_presence_goes_with_the_connection() -> None:
    """A user is present from the first connection to the end of the last."""

    async def scenario(world: World, stack: Stack) -> Any:
        presence = world.apps["server-1"].state.presence
        heard = list[tuple[float, str]]()
        seen = [await presence.where("ann")]
        for transport, server in (("SSE", "server-1"), ("WebSocket", "server-2")):
            client = stack.client(transport, server)
            stack.hear_on(client, heard)
        await asyncio.sleep(100)
        seen.append(await presence.where("ann"))
        for task in stack.tasks[-2:]:
            task.cancel()
        await asyncio.sleep(1)
        return [*seen, await presence.where("ann")]

    assert in_stack(scenario) == [[], ["server-1:1", "server-2:1"], []]


@pytest.mark.parametrize(
    "query",
    [
        *("", "user=", "user=A B", "user=ann&wait=31", "user=ann&wait=-1"),
        *(f"user=ann&after={bad}" for bad in ("x", "1", "9999999999999999-0", "1-1%0A", "-1-0")),
    ],
)
def test_what_is_refused(query: str) -> None:
    """A user, position or wait that cannot be is a 422, and no error of the server."""

    async def scenario(world: World, stack: Stack) -> int:
        async with world.http("browser") as http:
            return (await http.get(f"http://server-1/notifications?{query}")).status_code

    assert in_stack(scenario, servers=1) == 422


def test_whole_stack_is_deterministic() -> None:
    """The same seed gives the same log of effects, to the byte, ten times."""

    async def scenario(world: World, stack: Stack) -> str:
        heard = list[tuple[float, str]]()
        for transport in TRANSPORTS:
            client = stack.client(transport, every=2)
            stack.hear_on(client, heard)
        for number in range(3):
            await asyncio.sleep(1)
            await stack.tell(f"notice {number}")
        await asyncio.sleep(3)
        return "\n".join(f"{effect.time} {effect}" for effect in world.log) + str(heard)

    assert len({in_stack(scenario) for _ in range(10)}) == 1
