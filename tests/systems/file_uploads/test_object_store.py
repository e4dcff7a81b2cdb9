"""The object store and the API beside it: grants, parts, completion, call-backs."""

import asyncio
from types import SimpleNamespace

import pytest

from course_lib.experiments.file_uploads import direct_world
from course_lib.lab import World, crash_everywhere, explore, run
from course_lib.systems import file_uploads as fu
from tests.systems.file_uploads.lab import PNG

MP4 = b"\0\0\0\x18ftypisom" + bytes(range(30))


def beside(scenario, **options):
    """Run `scenario(both, http)` beside a store and an API."""

    async def main():
        world = World(29)
        both = await direct_world(world, **options)
        async with world.http("client") as http:
            return await scenario(both, http)

    return run(main())


async def wish(http, name="../cat.png", size=40, kind="image/png"):
    """Ask the API for a link."""
    return await http.post("http://api/uploads", json={"name": name, "size": size, "kind": kind})


async def put(http, url, body, kind="image/png"):
    """Send bytes to the store."""
    return await http.put(f"http://store{url}", content=body, headers={"Content-Type": kind})


def test_direct_upload():
    """A link, the bytes straight to the store, a call-back: the file is ready."""

    async def scenario(both, http):
        made = (await wish(http)).json()
        stored = await put(http, made["url"], PNG)
        await asyncio.sleep(1)
        state = (await http.get(f"http://api/uploads/{made['id']}")).json()
        link = both.direct.link("GET", f"/objects/{made['id']}", 0, "")
        return stored, state, await http.get(f"http://store{link}")

    stored, state, read = beside(scenario)
    assert stored.status_code == 200
    assert (state["name"], state["state"]) == ("cat.png", "ready")
    assert read.content == PNG
    assert read.headers["etag"] == stored.headers["etag"] == fu.etag(PNG)


@pytest.mark.parametrize(
    ("size", "kind", "status"), [(2**40, "image/png", 413), (10, "text/html", 415)]
)
def test_what_is_not_granted(size, kind, status):
    """Too large or of a wrong type: the API gives no link."""

    async def scenario(both, http):
        return await wish(http, size=size, kind=kind)

    assert beside(scenario).status_code == status


def test_a_link_allows_no_more():
    """Longer, another type, another content, another method, another key, later: all refused."""

    async def scenario(both, http):
        url = (await wish(http)).json()["url"]
        answers = [
            await put(http, url, PNG + b"x"),
            await put(http, url, PNG, "text/html"),
            await put(http, url, b"<script>" + bytes(20)),
            await http.get(f"http://store{url}"),
            await put(http, url.replace("/objects/", "/objects/x"), PNG),
            await put(http, url.replace(f"size={len(PNG)}", "size=99999"), PNG + b"x"),
        ]
        await asyncio.sleep(901)
        return [*answers, await put(http, url, PNG)], await both.store.disk.names()

    answers, _ = beside(scenario)
    assert [a.status_code for a in answers] == [413, 415, 415, 403, 403, 403, 403]


def test_a_body_longer_than_it_says():
    """What counts is what comes, not what a header declares; nothing of it stays."""

    async def scenario(both, http):
        url = (await wish(http)).json()["url"]

        async def parts():
            for _ in range(3):
                yield PNG

        answer = await http.put(
            f"http://store{url}", content=parts(), headers={"Content-Type": "image/png"}
        )
        return answer, await both.store.disk.names()

    answer, files = beside(scenario)
    assert (answer.status_code, files) == (413, [])


def test_the_client_is_not_believed():
    """ "Complete" before anything is there is 409; afterwards the API looks for itself."""

    async def scenario(both, http):
        made = (await wish(http)).json()
        url = f"http://api/uploads/{made['id']}/complete"
        early = await http.post(url)
        both.world.partition("store", "api")
        await put(http, made["url"], PNG)
        both.world.heal("store", "api")
        return early, await http.post(url)

    early, late = beside(scenario)
    assert early.status_code == 409
    assert late.json()["state"] == "ready"


def test_call_back_is_repeated():
    """An API that is down when the object comes hears of it when it is back."""

    async def scenario(both, http):
        made = (await wish(http)).json()
        both.world.stop("api")
        stored = await put(http, made["url"], PNG)
        await asyncio.sleep(5)
        both.world.start("api")
        await asyncio.sleep(30)
        return stored, (await http.get(f"http://api/uploads/{made['id']}")).json()

    stored, state = beside(scenario)
    assert stored.status_code == 200
    assert state["state"] == "ready"


@pytest.mark.parametrize("signature", ["", "0" * 64, "é"])
def test_forged_call_back(signature):
    """Only the store can say that a file is there."""

    async def scenario(both, http):
        made = (await wish(http)).json()
        event = f'{{"key": "{made["id"]}", "size": 1, "etag": ""}}'.encode()
        headers = {"X-Signature": signature.encode()}
        forged = await http.post("http://api/events", content=event, headers=headers)
        return forged, (await http.get(f"http://api/uploads/{made['id']}")).json()

    forged, state = beside(scenario)
    assert (forged.status_code, state["state"]) == (403, "allowed")


@pytest.mark.parametrize("kind", ["text/😀", "a\r\nSet-Cookie: x=1", "x" * 999])
def test_a_type_that_is_no_header(kind):
    """A type that could not be sent back is refused, even where somebody has signed it."""

    async def scenario(both, http):
        grant = fu.Grant("PUT", "/objects/a", 2**40, 9, kind.replace("\n", ""))
        return await put(http, fu.presign(both.store.secret, grant), b"x", "text/plain")

    assert beside(scenario).status_code == 422


# Multipart


async def begin(both, http, size=100, kind="video/mp4"):
    """Open a multipart upload for the key "film"; gives a function that makes its links."""
    first = both.direct.link("POST", "/objects/film/uploads", size, kind)
    upload = (await http.post(f"http://store{first}")).json()["upload"]

    def link(method, number="", most=100):
        path = f"/objects/film/uploads/{upload}" + (f"/{number}" if number else "")
        return both.direct.link(method, path, most, kind)

    return link


async def send(http, link, data, part, numbers=None):
    """Send parts, by default all in order; gives the list that closes the upload."""
    pieces = {piece.number: piece for piece in fu.pieces_of(len(data), part)}

    async def one(number):
        piece = pieces[number]
        body = data[piece.start : piece.stop]
        answer = await put(http, link("PUT", number), body, "video/mp4")
        return {"number": number, "etag": answer.headers["etag"]}

    sent = await asyncio.gather(*[one(number) for number in numbers or pieces])
    return sorted(sent, key=lambda each: each["number"])


def test_parts_in_any_order():
    """Parts that come together and backwards are the file, under the ETag of its parts."""

    async def scenario(both, http):
        link = await begin(both, http)
        parts = await send(http, link, MP4, 16, numbers=[3, 1, 2])
        listed = (await http.get(f"http://store{link('GET')}")).json()["parts"]
        closed = await http.post(f"http://store{link('POST')}", json=parts)
        read = await http.get(f"http://store{both.direct.link('GET', '/objects/film', 0, '')}")
        return parts, listed, closed, read, await http.get(f"http://store{link('GET')}")

    parts, listed, closed, read, again = beside(scenario, least_part=16)
    assert [part["size"] for part in listed] == [16, 16, 10]
    assert closed.headers["etag"] == fu.etag_of_parts([part["etag"] for part in parts])
    assert read.content == MP4
    assert again.status_code == 404


def test_a_part_sent_again_replaces():
    """The last body of a number counts, and its file alone is used; the sweep takes the other."""

    async def scenario(both, http):
        link = await begin(both, http)
        wrong = await send(http, link, b"x" * 42, 16)
        right = await send(http, link, MP4, 16)
        refused = await http.post(f"http://store{link('POST')}", json=wrong)
        closed = await http.post(f"http://store{link('POST')}", json=right)
        before = len(await both.store.disk.names())
        await asyncio.sleep(25 * 3600)
        swept = await both.store.sweep()
        read = await http.get(f"http://store{both.direct.link('GET', '/objects/film', 0, '')}")
        return refused, closed, before, swept, read

    refused, closed, before, swept, read = beside(scenario, least_part=16)
    assert (refused.status_code, closed.status_code) == (400, 200)
    assert (before, swept) == (6, (0, 3))
    assert read.content == MP4


def test_limits():
    """Small parts, too much together, bad numbers, another type inside: refused, still open."""

    async def scenario(both, http):
        link = await begin(both, http, size=20)
        parts = await send(http, link, MP4[:30], 10)
        small = await http.post(f"http://store{link('POST')}", json=parts)
        number = await put(http, link("PUT", 10_001), b"x", "video/mp4")
        other = await begin(both, http, size=20)
        parts = await send(http, other, MP4[:40], 20)
        much = await http.post(f"http://store{other('POST')}", json=parts)
        third = await begin(both, http)
        parts = await send(http, third, b"<script>" + bytes(30), 20)
        script = await http.post(f"http://store{third('POST')}", json=parts)
        return small, number, much, script, await http.get(f"http://store{link('GET')}")

    answers = beside(scenario, least_part=16)
    assert [a.status_code for a in answers] == [400, 400, 413, 415, 200]


def test_given_up_and_too_late():
    """An upload that is given up or too late takes its parts with it."""

    async def scenario(both, http):
        given = await begin(both, http)
        await send(http, given, MP4, 16)
        gone = await http.delete(f"http://store{given('DELETE')}")
        late = await begin(both, http)
        await send(http, late, MP4, 16)
        await asyncio.sleep(25 * 3600)
        swept = await both.store.sweep()
        return (
            gone,
            swept,
            await both.store.disk.names(),
            await http.get(f"http://store{late('GET')}"),
        )

    gone, swept, files, after = beside(scenario)
    assert gone.status_code == 204
    assert swept == (1, 6)
    assert files == []
    assert after.status_code == 404


def test_complete_once_in_every_order():
    """Two clients close one upload: in every order one object is made, the other is told 404."""

    async def scenario(world):
        found = fu.Objects(lambda: world.sql("store"))
        await found.prepare()
        await found.begin(fu.Multipart("a", "film", 9, "", 99.0))
        made = fu.Object("film", 1, "", "", ("x",))
        stores = [fu.Objects(lambda who=who: world.sql(who)) for who in ("one", "two")]
        closed = await asyncio.gather(*[store.complete("a", made) for store in stores])
        return SimpleNamespace(closed=sorted(closed), made=await found.get("film"))

    result = explore(scenario, lambda end: end.closed == [False, True] and end.made is not None)
    assert result.holds, result


def test_object_is_whole_after_any_crash():
    """The store dies at any effect of a PUT: a reader sees all of it or nothing."""

    async def scenario(world):
        await direct_world(world)
        async with world.http("client") as http:
            made = (await wish(http)).json()
            await put(http, made["url"], PNG)

    async def recover(world):
        both = await direct_world(world)
        key = await _only_key(both)
        found = await both.store.objects.get(key) if key else None
        if found is None:
            return None
        return b"".join([block async for block in both.store.read(found)])

    report = crash_everywhere(scenario, recover, lambda held: held in (None, PNG))
    assert report.holds, report


async def _only_key(both):
    async with both.direct.connect() as db:
        row = await (await db.execute("SELECT id FROM files")).fetchone()
    return row[0] if row else None
