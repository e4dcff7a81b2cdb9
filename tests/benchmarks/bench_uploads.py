"""A real gigabyte over loopback: memory, rate beside a plain copy, and kill -9 in the middle.

The copy goes through the same stack (httpx, uvicorn, Starlette) and writes the pieces to a file as
they come: what the protocol adds is parts, records and checksums. Both send from a file in pieces
of 256 KiB. One run each, in turn; the rate is by the clock on the wall, as two processes are at
work, and so it is given as a ratio.
"""

import asyncio
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from course_lib.systems import file_uploads as fu
from tests.benchmarks.report import Table, finish
from tests.systems.file_uploads.running import Running, free_port, running

MIB = 1024 * 1024
SIZE = int(os.environ.get("BENCH_UPLOAD_MIB", "1024")) * MIB
PIECE = 256 * 1024
ROUNDS = int(os.environ.get("BENCH_UPLOAD_ROUNDS", "3"))
MOST_MEMORY = 150 * 10**6

COPY = """
import sys
from pathlib import Path
import uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    with Path(sys.argv[1]).open("wb", buffering=1 << 18) as file:
        more = scope["method"] == "PUT"
        while more:
            message = await receive()
            file.write(message.get("body", b""))
            more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def make_file(path: Path) -> str:
    """A file of SIZE bytes, no block like another; gives its SHA-256."""
    digest, block = hashlib.sha256(), os.urandom(MIB)
    with path.open("wb") as file:
        for number in range(SIZE // MIB):
            piece = number.to_bytes(8, "big") + block[8:]
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


class Reader:
    """Reads ranges of a file, and calls `at` once when it comes to a place."""

    def __init__(self, path: Path, place: int = -1, at: object = None) -> None:
        self.file, self.place, self.at = path.open("rb"), place, at

    def __call__(self, start: int, stop: int) -> bytes:
        if 0 <= self.place <= start and callable(self.at):
            self.place = -1
            self.at()
        self.file.seek(start)
        return self.file.read(stop - start)


async def upload(server: Running, read: Reader, checksum: str | None) -> tuple[float, str]:
    """Upload the file in chunks of 64 MiB; gives the seconds and the address."""
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
        client = fu.ResumingClient(
            http, read, SIZE, chunk=64 * MIB, checksum=checksum, piece=PIECE, base=0.05
        )
        begin = time.perf_counter()
        url = await client.upload()
        return time.perf_counter() - begin, url


async def digest_of(server: Running, url: str) -> str:
    """Download, and hash."""
    digest = hashlib.sha256()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=120) as http,
        http.stream("GET", url) as answer,
    ):
        async for piece in answer.aiter_raw():
            digest.update(piece)
        await asyncio.sleep(0)
    return digest.hexdigest()


async def delete(server: Running, url: str) -> None:
    """Make room for the next round."""
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
        await http.delete(url, headers={"Tus-Resumable": "1.0.0"})


def copied(source: Path, folder: Path) -> float:
    """The seconds of a plain copy through the same stack."""
    port, target = free_port(), folder / "copy"
    command = [sys.executable, "-c", COPY, str(target), str(port)]
    with subprocess.Popen(command) as process:
        try:
            return asyncio.run(copy_once(source, f"http://127.0.0.1:{port}/copy"))
        finally:
            process.kill()
            target.unlink(missing_ok=True)


async def copy_once(source: Path, url: str) -> float:
    """Wait for the server, then send the file with one PUT."""

    async def pieces() -> AsyncIterator[bytes]:
        with source.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    async with httpx.AsyncClient(timeout=120) as http:
        for _ in range(200):
            try:
                await http.get(url)
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        begin = time.perf_counter()
        answer = await http.put(url, content=pieces(), headers={"Content-Length": str(SIZE)})
        answer.raise_for_status()
        return time.perf_counter() - begin


def main() -> int:
    """All measurements, as tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "film"
        wanted = make_file(source)
        return finish(rates(source, folder, wanted), killed(source, folder, wanted))


def rates(source: Path, folder: Path, wanted: str) -> Table:
    """The rate of each kind of upload beside a plain copy, and the server's memory."""
    seconds: dict[str, list[float]] = {"plain copy": [], "tus": [], "tus, SHA-256": []}
    peaks: dict[str, int] = {}
    missed = []
    for _ in range(ROUNDS):
        seconds["plain copy"].append(copied(source, folder))
        for kind, checksum in (("tus", None), ("tus, SHA-256", "sha256")):
            with running(folder / "server") as server:
                took, url = asyncio.run(upload(server, Reader(source), checksum))
                seconds[kind].append(took)
                peaks[kind] = max(peaks.get(kind, 0), server.peak_memory())
                if asyncio.run(digest_of(server, url)) != wanted:
                    missed.append(f"{kind}: the hash is another one.")
                asyncio.run(delete(server, url))
    missed += [
        f"{kind}: the server needed {peak / 1e6:.0f} MB, not less than {MOST_MEMORY / 1e6:.0f}."
        for kind, peak in peaks.items()
        if peak >= MOST_MEMORY
    ]
    return Table(
        f"{SIZE // MIB:,} MiB over loopback, median of {ROUNDS}",
        [row(kind, each, seconds["plain copy"], peaks.get(kind)) for kind, each in seconds.items()],
        missed,
    )


def row(kind: str, took: list[float], copy: list[float], peak: int | None) -> dict[str, str]:
    """One line of the table."""
    share = statistics.median(a / b for a, b in zip(copy, took, strict=True))
    return {
        "upload": kind,
        "MB/s": f"{SIZE / 1e6 / statistics.median(took):.0f}",
        "times the copy's rate": f"{share:.2f}",
        "peak memory of the server, MB": "-" if peak is None else f"{peak / 1e6:.0f}",
    }


def killed(source: Path, folder: Path, wanted: str) -> Table:
    """kill -9 of the server in the middle, a restart, and the client goes on."""
    with running(folder / "server") as server:

        def kill() -> None:
            server.kill()
            server.start()

        _, url = asyncio.run(upload(server, Reader(source, SIZE // 2 + 5 * MIB, kill), None))
        same = asyncio.run(digest_of(server, url)) == wanted
    cells = {"killed at": f"{SIZE // 2 // MIB + 5:,} MiB", "same SHA-256": "yes" if same else "no"}
    missed = [] if same else ["After kill -9 the hash is another one."]
    return Table("kill -9 in the middle, restart, resume", [cells], missed)


if __name__ == "__main__":
    sys.exit(main())
