"""Chapter 28's servers, read by a real browser: EventSource and WebSocket in Chromium."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from course_lib.systems.realtime_notifications import HEARTBEAT, EventStreamParser, encode
from tests.systems.realtime_notifications.real import IN_TIME, Servers, needs_redis, servers, stop

LISTEN = """
window.got = []; window.errors = []; window.opened = 0;
window.source = new EventSource(%r);
source.onopen = () => window.opened++;
source.onmessage = (e) => got.push([e.data, e.lastEventId]);
source.onerror = () => errors.push(source.readyState);
"""
SOCKET = """
window.heard = []; window.last = "";
window.connect = () => {
  window.socket = new WebSocket(%r + (last ? "&after=" + last : ""));
  socket.onmessage = (e) => {
    const item = JSON.parse(e.data);
    last = item.id ?? last;
    if (item.type === "notice") heard.push(item.data);
  };
};
connect();
"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page with patience for a machine under load."""
    page = browser.new_page()
    page.set_default_timeout(1000 * IN_TIME)
    yield page
    page.close()


def tell(them: Servers, *texts: str) -> None:
    """Publish for ann, from a thread of its own: the browser's loop runs in this one."""

    async def publish() -> None:
        log = them.log()
        for text in texts:
            await log.publish("ann", text)
        await log.redis.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(publish()))
    thread.start()
    thread.join()


@needs_redis
def test_event_source(page: Any, tmp_path: Path) -> None:
    """Chromium's EventSource gets each notice once, though its server is killed in between."""
    with servers(tmp_path, 1, SPREAD=0.3) as them:
        page.goto(them.url.replace("notifications", "docs"))
        page.evaluate(LISTEN % f"{them.url}/stream?user=ann")
        page.wait_for_function("opened === 1")
        page.wait_for_function(f"fetch({them.url!r} + '?user=ann').then((a) => a.ok)")
        tell(them, "one", "two")
        page.wait_for_function("got.length === 2")
        for text in ("three", "four"):
            them.processes[-1].kill()
            tell(them, text)
            them.start()
            page.wait_for_function(f"got.at(-1)[0] === {text!r}")
        got = page.evaluate("got")
        assert [data for data, _ in got] == ["one", "two", "three", "four"]
        assert len({id for _, id in got}) == 4
        assert page.evaluate("opened") == 3


@needs_redis
def test_cut_before_the_first_notice(page: Any, tmp_path: Path) -> None:
    """The position that comes without data is what Chromium comes back with."""
    with servers(tmp_path, 1, SPREAD=0.3) as them:
        tell(them, "old news")
        page.goto(them.url.replace("notifications", "docs"))
        page.evaluate(LISTEN % f"{them.url}/stream?user=ann")
        page.wait_for_function("opened === 1")
        page.wait_for_timeout(300)  # for the first block; more of it only helps
        them.processes[-1].kill()
        tell(them, "while away")
        them.start()
        page.wait_for_function("got.length === 1")
        assert page.evaluate("got[0][0]") == "while away"


@needs_redis
def test_a_drained_server_is_left_and_found_again(page: Any, tmp_path: Path) -> None:
    """Chromium is sent away by a deploy, comes back after its retry, and misses nothing."""
    with servers(tmp_path, 1, SPREAD=0.3, DRAIN_OVER=0.3) as them:
        page.goto(them.url.replace("notifications", "docs"))
        page.evaluate(LISTEN % f"{them.url}/stream?user=ann")
        page.wait_for_function("opened === 1")
        them.start()
        stop(them.processes[0])
        tell(them, "after the deploy")
        page.wait_for_function("got.length === 1")
        assert page.evaluate("got[0][0]") == "after the deploy"
        assert set(page.evaluate("errors")) == {0}  # connecting again, never closed for good


@needs_redis
def test_web_socket(page: Any, tmp_path: Path) -> None:
    """Chromium's WebSocket gets the same; coming back is the page's own code."""
    with servers(tmp_path, 1, SPREAD=0.3) as them:
        page.goto(them.url.replace("notifications", "docs"))
        address = them.url.replace("http", "ws") + "/socket?user=ann"
        page.evaluate(SOCKET % address)
        page.wait_for_function("last !== ''")
        tell(them, "one")
        page.wait_for_function("heard.length === 1")
        page.evaluate("new Promise((done) => { socket.onclose = done; socket.close(); })")
        tell(them, "two")
        page.evaluate("connect()")
        page.wait_for_function("heard.length === 2")
        assert page.evaluate("heard") == ["one", "two"]


# What a browser makes of bytes and statuses

STREAMS = {
    "/multi": b"data: a\ndata: b\r\ndata: c\rdata:  d\n\n",
    "/bom": b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n",
    "/empty": b"data\n\n: comment\n\ndata:\ndata\n\nevent: x\n\ndata: z\n\n",
    "/ids": b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\nid: 9\n\ndata: d\n\n",
    "/ours": (
        encode(None, id="7-0", retry=1500)
        + encode("x\u2028y\x0b\x85\r\n z\n", id="8-0")
        + HEARTBEAT
        + encode("", id="9-0")
    ).encode(),
}


class Canned(BaseHTTPRequestHandler):
    """Answers with a stream from above, or with the status that the path names."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/status/"):
            self.send_response(int(self.path[8:]))
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(200)
        body = STREAMS.get(self.path)
        self.send_header("content-type", "text/html" if body is None else "text/event-stream")
        self.end_headers()
        self.wfile.write((body or b"a page") + (b"data: the end\n\n" if body else b""))

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def canned() -> Iterator[str]:
    """The address of a server with canned answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", STREAMS)
def test_our_parser_reads_as_chromium_does(page: Any, canned: str, path: str) -> None:
    """Data and last event ids of each stream are the same in Chromium and in our parser."""
    page.goto(canned)
    page.evaluate(LISTEN % f"{canned}{path}")
    page.wait_for_function("got.at(-1)?.[0] === 'the end'")
    page.evaluate("source.close()")
    parser = EventStreamParser()
    ours = list(parser.feed(STREAMS[path] + b"data: the end\n\n"))
    theirs = page.evaluate("got").copy()
    first_round = theirs[: [data for data, _ in theirs].index("the end") + 1]
    assert first_round == [[message.data, message.id] for message in ours]


@pytest.mark.parametrize("status", [204, 404, 500, 503])
def test_any_other_status_is_the_end(page: Any, canned: str, status: int) -> None:
    """After one such answer an EventSource is closed for good: a draining server must give 200."""
    page.goto(canned)
    page.evaluate(LISTEN % f"{canned}/status/{status}")
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    page.wait_for_timeout(100)
    assert page.evaluate("[source.readyState, opened]") == [2, 0]
    assert Canned.asked.count(f"/status/{status}") == 1
