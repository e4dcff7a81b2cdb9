"""The server on a real port under uvicorn, with a client that nobody here wrote, and kill -9."""

import asyncio
import hashlib
import random
import sys
from pathlib import Path

import httpx
import pytest
from tusclient import client as tuspy

from course_lib.systems import file_uploads as fu
from tests.systems.file_uploads.running import Running, running

MIB = 1024 * 1024


@pytest.fixture
def server(tmp_path):
    """A server of its own process."""
    with running(tmp_path / "server") as started:
        yield started


@pytest.fixture
def film(tmp_path):
    """A file of 6 MiB and 1 byte."""
    path = tmp_path / "film.bin"
    path.write_bytes(random.Random(29).randbytes(6 * MIB + 1))
    return path


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_tuspy(server: Running, film: Path) -> None:
    """tuspy uploads in chunks with checksums, and the server gives back the same bytes."""
    uploader = tuspy.TusClient(f"{server.url}/files").uploader(
        str(film), chunk_size=MIB, metadata={"filename": "naïve film.bin"}, upload_checksum=True
    )
    uploader.upload()
    answer = httpx.get(uploader.url)
    assert digest(answer.content) == digest(film.read_bytes())
    assert answer.headers["content-disposition"].endswith("na%C3%AFve%20film.bin")


def test_tuspy_resumes(server: Running, film: Path) -> None:
    """tuspy stops in the middle; another tuspy that knows the address sends the rest."""
    client = tuspy.TusClient(f"{server.url}/files")
    first = client.uploader(str(film), chunk_size=MIB)
    first.upload(stop_at=2 * MIB)
    second = client.uploader(str(film), url=first.url, chunk_size=2 * MIB)
    assert second.offset == 2 * MIB
    second.upload()
    assert digest(httpx.get(first.url).content) == digest(film.read_bytes())


def test_tuspy_in_one_request(server: Running, film: Path) -> None:
    """tuspy's default is one PATCH for all; it is kept part by part."""
    uploader = tuspy.TusClient(f"{server.url}/files").uploader(str(film))
    uploader.upload()
    assert digest(httpx.get(uploader.url).content) == digest(film.read_bytes())
    assert len(list((server.folder / "parts").iterdir())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="SIGKILL is needed")
@pytest.mark.parametrize("checksum", [None, "sha256"])
def test_killed_in_the_middle(server: Running, film: Path, checksum: str | None) -> None:
    """kill -9 in the middle of a request, start again: the client goes on, the hash is the same."""
    data, killed = film.read_bytes(), []

    def read(start: int, stop: int) -> bytes:
        if start >= 5 * MIB and not killed and stop - start < MIB:
            killed.append(start)
            server.kill()
            server.start()
        return data[start:stop]

    async def upload() -> bytes:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            client = fu.ResumingClient(
                http, read, len(data), chunk=3 * MIB, checksum=checksum, base=0.01
            )
            url = await client.upload()
            return (await http.get(url)).content

    assert digest(asyncio.run(upload())) == digest(data)
    assert killed
