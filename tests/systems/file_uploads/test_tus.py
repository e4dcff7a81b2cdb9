"""The tus protocol, request by request, in a world."""

import asyncio

import httpx
import pytest

from course_lib.systems import file_uploads as fu
from tests.systems.file_uploads.lab import OFFSET, PNG, TUS, create, in_world, patch

SMALL = fu.Rules(max_size=100, quota=150, lifetime=60, part_size=8, block_size=4)


def statuses(*answers):
    return [answer.status_code for answer in answers]


def test_options():
    """OPTIONS tells version, extensions, largest size and algorithms, without being asked how."""

    async def scenario(world, http, storage):
        return await http.options("/files")

    answer = in_world(scenario, SMALL)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"
    extensions = "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["tus-extension"] == extensions
    assert answer.headers["tus-max-size"] == "100"
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")


def test_from_creation_to_download():
    """Created, asked, appended twice, complete, read: each answer says where the upload is."""

    async def scenario(world, http, storage):
        made = await create(http, len(PNG), **{"Upload-Metadata": "filename Y2F0LnBuZw==,draft"})
        url = made.headers["location"]
        start = await http.head(url, headers=TUS)
        first = await patch(http, url, 0, PNG[:11])
        last = await patch(http, url, 11, PNG[11:])
        end = await http.head(url, headers=TUS)
        return made, start, first, last, end, await http.get(url)

    made, start, first, last, end, read = in_world(scenario, SMALL)
    assert statuses(made, start, first, last, end, read) == [201, 200, 204, 204, 200, 200]
    offsets = [each.headers["upload-offset"] for each in (start, first, last, end)]
    assert offsets == ["0", "11", "40", "40"]
    assert start.headers["upload-length"] == "40"
    assert start.headers["cache-control"] == "no-store"
    assert start.headers["upload-metadata"] == "filename Y2F0LnBuZw==,draft"
    assert all(each.headers["tus-resumable"] == "1.0.0" for each in (made, start, first, last))
    assert "upload-expires" in first.headers
    assert "upload-expires" not in last.headers
    assert read.content == PNG
    assert read.headers["content-type"] == "image/png"
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''cat.png"
    assert read.headers["x-content-type-options"] == "nosniff"


def test_version():
    """Another version, or none, is 412 and says which are spoken; nothing is done."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]
        answers = []
        for version in ({}, {"Tus-Resumable": "0.2.2"}):
            headers = {**version, "Upload-Offset": "0", "Content-Type": OFFSET}
            answers += [
                await http.head(url, headers=version),
                await http.post("/files", headers={**version, "Upload-Length": "5"}),
                await http.patch(url, content=b"hello", headers=headers),
                await http.delete(url, headers=version),
            ]
        return answers, await http.head(url, headers=TUS), await storage.catalog.offsets()

    answers, after, offsets = in_world(scenario)
    assert set(statuses(*answers)) == {412}
    assert all(each.headers["tus-version"] == "1.0.0" for each in answers)
    assert after.headers["upload-offset"] == "0"
    assert len(offsets) == 1


def test_conflict():
    """An offset that is not the upload's is 409, behind it and beyond, and changes nothing."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]
        await patch(http, url, 0, b"hello")
        wrong = [await patch(http, url, offset, b"hello") for offset in (0, 4, 6)]
        return wrong, await http.head(url, headers=TUS)

    wrong, after = in_world(scenario)
    assert statuses(*wrong) == [409, 409, 409]
    assert wrong[0].headers["upload-offset"] == after.headers["upload-offset"] == "5"


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "image/png"])
def test_media_type(kind):
    """A body that is not declared as bytes at an offset is 415."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]
        return await http.patch(
            url, content=b"hello", headers={**TUS, "Upload-Offset": "0", "Content-Type": kind}
        )

    assert in_world(scenario).status_code == 415


def test_too_much():
    """More than the length is 413, whether it is declared or only comes; nothing of it is kept."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]

        async def parts():
            for _ in range(3):
                yield b"hello"

        headers = {**TUS, "Upload-Offset": "0", "Content-Type": OFFSET}
        declared = await patch(http, url, 0, b"hello world")
        streamed = await http.patch(url, content=parts(), headers=headers)
        after = await http.head(url, headers=TUS)
        return declared, streamed, after, await http.post("/files", headers={**TUS})

    declared, streamed, after, unknown = in_world(scenario)
    assert statuses(declared, streamed, unknown) == [413, 413, 400]
    assert after.headers["upload-offset"] == "0"


def test_size_limit_and_quota():
    """A file above the largest size is 413; one that does not fit into the quota is 507."""

    async def scenario(world, http, storage):
        answers = [await create(http, length) for length in (101, 100, 51, 50, 0, 1)]
        await asyncio.sleep(61)  # the unfinished ones are too late, and count no more
        return [*answers, await create(http, 100)]

    assert statuses(*in_world(scenario, SMALL)) == [413, 201, 507, 201, 201, 507, 201]


def test_quota_is_each_owners():
    """What one has stored takes nothing from another."""

    async def scenario(world, http, storage):
        return [await create(http, 100, **{"X-User": user}) for user in ("kim", "kim", "lee")]

    owner = lambda request: request.headers["x-user"]  # noqa: E731
    assert statuses(*in_world(scenario, SMALL, owner)) == [201, 507, 201]


def test_creation_with_upload():
    """POST may bring the first bytes, or all."""

    async def scenario(world, http, storage):
        headers = {**TUS, "Upload-Length": "10", "Content-Type": OFFSET}
        part = await http.post("/files", content=b"hello", headers=headers)
        whole = await http.post("/files", content=b"helloworld", headers=headers)
        return part, whole, await http.get(whole.headers["location"])

    part, whole, read = in_world(scenario)
    assert [each.headers["upload-offset"] for each in (part, whole)] == ["5", "10"]
    assert "upload-expires" in part.headers
    assert "upload-expires" not in whole.headers
    assert read.content == b"helloworld"


def test_checksum():
    """A chunk with its checksum is kept, one with another is 460 and leaves nothing."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]
        good = fu.Checksum.of("sha1", b"hello").header
        answers = [
            await patch(http, url, 0, b"hellp", Upload_Checksum=good),
            await patch(http, url, 0, b"hello", Upload_Checksum="crc32 AAAA"),
            await patch(http, url, 0, b"hello", Upload_Checksum=good),
        ]
        return answers, await storage.disk.names()

    answers, files = in_world(scenario, SMALL)
    assert statuses(*answers) == [460, 400, 204]
    assert len(files) == 1


def test_expiration():
    """An unfinished upload answers 410 from its time on, a finished one for ever."""

    async def scenario(world, http, storage):
        open_, done = [(await create(http, 5)).headers["location"] for _ in range(2)]
        await patch(http, done, 0, b"hello")
        await asyncio.sleep(59)
        before = await http.head(open_, headers=TUS)
        await asyncio.sleep(1)
        late = await http.head(open_, headers=TUS), await patch(http, open_, 0, b"hello")
        return before, late, await http.head(done, headers=TUS)

    before, late, done = in_world(scenario, SMALL)
    assert statuses(before, *late, done) == [200, 410, 410, 200]
    assert before.headers["upload-expires"] == "Thu, 01 Jan 2026 00:01:00 GMT"


def test_termination():
    """DELETE takes the upload and its files away; then it is 404."""

    async def scenario(world, http, storage):
        url = (await create(http, 10)).headers["location"]
        await patch(http, url, 0, b"hello")
        gone = await http.delete(url, headers=TUS)
        after = [
            await http.head(url, headers=TUS),
            await patch(http, url, 5, b"world"),
            await http.delete(url, headers=TUS),
            await http.get(url),
        ]
        return gone, after, await storage.disk.names()

    gone, after, files = in_world(scenario)
    assert gone.status_code == 204
    assert statuses(*after) == [404, 404, 404, 404]
    assert files == []


def test_method_override():
    """X-HTTP-Method-Override is the method, for clients that cannot send PATCH and DELETE."""

    async def scenario(world, http, storage):
        url = (await create(http, 5)).headers["location"]
        override = {**TUS, "X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
        put = await http.post(url, content=b"hello", headers={**override, "Content-Type": OFFSET})
        delete = {**TUS, "X-HTTP-Method-Override": "DELETE"}
        return put, await http.post(url, headers=delete), await http.head(url, headers=TUS)

    assert statuses(*in_world(scenario)) == [204, 204, 404]


def test_unfinished_download():
    """An upload that is not complete cannot be read."""

    async def scenario(world, http, storage):
        return await http.get((await create(http, 5)).headers["location"])

    assert in_world(scenario).status_code == 409


@pytest.mark.parametrize("cut", [1, 3, 8, 15, 16, 17, 39, 40])
def test_type_by_content(cut):
    """A file of another type never becomes complete, wherever it is cut; the name does not help."""
    rules = fu.Rules(types=frozenset({"image/png", "image/webp"}), part_size=8, block_size=4)
    webp, script = b"RIFF\x20\0\0\0WEBP" + bytes(28), b"<script>" + bytes(32)

    async def send(http, data):
        made = await create(http, len(data), **{"Upload-Metadata": "filename Y2F0LnBuZw=="})
        url = made.headers["location"]
        first = await patch(http, url, 0, data[:cut])
        offset = int((await http.head(url, headers=TUS)).headers["upload-offset"])
        rest = fu.popular.pieces(data[offset:], 3)
        last = await patch(http, url, offset, rest) if offset < len(data) else first
        return last.status_code, (await http.get(url)).status_code

    async def scenario(world, http, storage):
        return [await send(http, data) for data in (PNG, webp, script)]

    assert in_world(scenario, rules) == [(204, 200), (204, 200), (415, 409)]


def test_break_keeps_what_came():
    """Without a checksum the bytes before a break are kept; with one, none of the chunk."""

    async def scenario(world, http, storage):
        kept = []
        for checksum in ({}, {"Upload_Checksum": fu.Checksum.of("sha1", PNG).header}):
            url = (await create(http, len(PNG))).headers["location"]
            world.break_at(
                "client", "server", [world.network.flow("client", "server").carried + 21]
            )
            with pytest.raises(httpx.WriteError, match="broke"):
                await patch(http, url, 0, PNG, **checksum)
            await asyncio.sleep(1)  # until then the server may still be writing
            kept.append((await http.head(url, headers=TUS)).headers["upload-offset"])
        return kept, await storage.disk.names()

    assert in_world(scenario)[0] == ["21", "0"]


def test_concurrent_chunks():
    """A retry that overtakes its own first attempt: one of the two is stored, the other is 409."""

    async def scenario(world, http, storage):
        url = (await create(http, 5)).headers["location"]
        both = [patch(http, url, 0, body) for body in (b"hello", b"HELLO")]
        answers = await asyncio.gather(*both)
        return answers, (await http.get(url)).content

    answers, content = in_world(scenario)
    assert sorted(statuses(*answers)) == [204, 409]
    won = [each.status_code for each in answers].index(204)
    assert content == (b"hello", b"HELLO")[won]
