"""An object store and an API in a world, for direct uploads. Leaves out the client."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import httpx

from course_lib.experiments.file_uploads.worlds import tokens
from course_lib.lab import World
from course_lib.systems import file_uploads as fu

__all__ = ["Direct", "Uploaded", "attacks", "direct_upload", "direct_world", "in_parts"]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Direct(NamedTuple):
    """An object store at http://store and the API at http://api, over one world."""

    world: World
    store: fu.Store
    direct: fu.Direct


async def direct_world(world: World, least_part: int = fu.LEAST_PART) -> Direct:
    """Let nodes "store" and "api" share the work of direct uploads; again over a world: a restart.

    The store calls the API back over the world's network, where a partition can keep it from that.
    """
    secret, token = b"shared by API and store", tokens(world)

    async def notify(event: bytes, signature: str) -> bool:
        try:
            async with world.http("store", timeout=5) as http:
                headers = {"X-Signature": signature}
                answer = await http.post("http://api/events", content=event, headers=headers)
        except httpx.TransportError:
            return False
        return answer.status_code == 204

    async def look(key: str) -> int | None:
        found = await objects.get(key)
        return found.size if found else None

    objects = fu.Objects(lambda: world.sql("store", "objects"))
    store = fu.Store(objects, world.disk("store"), world.time, secret, token, notify, least_part)
    direct = fu.Direct(lambda: world.sql("api", "api"), secret, world.time, look, token)
    world.serve("store", fu.store_app(store))
    world.serve("api", fu.direct_app(direct))
    await objects.prepare()
    await direct.prepare()
    return Direct(world, store, direct)


class Uploaded(NamedTuple):
    """A direct upload: its signed link, and the state that the API tells afterwards."""

    link: str
    state: str


async def direct_upload(world: World) -> Uploaded:
    """Ask the API for a link, send a small picture to the store, wait for the call-back, ask."""
    await direct_world(world)
    async with world.http("client") as http:
        wish = {"name": "cat.png", "size": len(PNG), "kind": "image/png"}
        made = (await http.post("http://api/uploads", json=wish)).json()
        await put(http, made["url"], PNG, "image/png")
        await asyncio.sleep(1)
        state = (await http.get(f"http://api/uploads/{made['id']}")).json()["state"]
    return Uploaded(made["url"], state)


async def put(http: httpx.AsyncClient, link: str, body: bytes, kind: str) -> httpx.Response:
    """Send a body of some type to a link of the store."""
    return await http.put(f"http://store{link}", content=body, headers={"Content-Type": kind})


async def attacks(world: World) -> list[list[object]]:
    """What the holder of a link tries: rows of the attempt, the status, and the store's reason."""
    link = (await direct_upload(world)).link
    page, longer = b"<script>alert(1)</script>", PNG + b"more"
    raised = link.replace(f"size={len(PNG)}", "size=999")
    tries = {
        "the same again": (link, PNG, "image/png"),
        "a longer body": (link, longer, "image/png"),
        "the size in the link raised": (raised, longer, "image/png"),
        "another key": (link.replace("/objects/", "/objects/x"), PNG, "image/png"),
        "a page, called a page": (link, page, "text/html"),
        "a page, called a picture": (link, page, "image/png"),
    }
    rows: list[list[object]] = []
    async with world.http("client") as http:
        for name, (target, body, kind) in tries.items():
            answer = await put(http, target, body, kind)
            rows.append([name, answer.status_code, answer.json().get("detail", "")])
        await asyncio.sleep(15 * 60)
        late = await put(http, link, PNG, "image/png")
    return [*rows, ["a quarter of an hour later", late.status_code, late.json()["detail"]]]


async def in_parts(world: World) -> list[list[object]]:
    """A film in parts of 16 bytes, sent backwards over a line that breaks, then closed.

    Gives rows of the request, its status, and the ETag or the reason.
    """
    both = await direct_world(world, least_part=16)
    film = b"\0\0\0\x18ftypisom" + bytes(range(30))
    pieces = {piece.number: piece for piece in fu.pieces_of(len(film), 16)}
    rows: list[list[object]] = []

    async def ask(name: str, method: str, path: str, **more: Any) -> httpx.Response | None:
        link = both.direct.link(method, f"/objects/film/uploads{path}", len(film), "video/mp4")
        try:
            answer = await http.request(method, f"http://store{link}", **more)
        except httpx.WriteError:
            rows.append([name, "broke", ""])
            return None
        told = answer.headers.get("etag") or answer.json().get("detail", "")
        rows.append([name, answer.status_code, told])
        return answer

    async def part(number: int) -> dict[str, object]:
        piece = pieces[number]
        body, kind = film[piece.start : piece.stop], {"Content-Type": "video/mp4"}
        path, answer = f"/{upload}/{number}", None
        while answer is None:
            answer = await ask(f"part {number}", "PUT", path, content=body, headers=kind)
        return {"number": number, "etag": answer.headers["etag"]}

    world.break_at("client", "store", [25])
    async with world.http("client") as http:
        begun = await ask("begin", "POST", "")
        assert begun is not None
        upload = begun.json()["upload"]
        sent = [await part(number) for number in (3, 2, 1)]
        await ask("close, in this order", "POST", f"/{upload}", json=sent)
        wrong = [{**each, "etag": sent[0]["etag"]} for each in sent[::-1]]
        await ask("close, with another ETag", "POST", f"/{upload}", json=wrong)
        await ask("close", "POST", f"/{upload}", json=sent[::-1])
    return rows
