"""The event-stream format: written and read back, by our parser and by httpx-sse."""

import re

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems.realtime_notifications import (
    HEARTBEAT,
    EventStreamParser,
    Message,
    comment,
    encode,
)

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
TRICKY = st.text(alphabet="ab :\r\n\0\u2028\x0b\x85\ufeff")
IDS = st.text(alphabet="0123456789-é ", min_size=0, max_size=12)


def read(*chunks: bytes, last: str = "") -> list[Message]:
    """What a parser dispatches for these chunks."""
    parser = EventStreamParser(last)
    return [message for chunk in chunks for message in parser.feed(chunk)]


def lf(text: str) -> str:
    """Text with its line ends as a reader gets them."""
    return re.sub("\r\n?", "\n", text)


@given(TEXT | TRICKY, IDS, st.sampled_from(["", "gap", "bye é"]))
def test_round_trip(data: str, id: str, event: str) -> None:
    """What was written is read back: data with LF for each line end, type and id as they were."""
    assert read(encode(data, id=id, event=event).encode()) == [
        Message(lf(data), event or "message", id)
    ]


@given(st.lists(TEXT | TRICKY, max_size=4), st.data())
def test_cuts_change_nothing(texts: list[str], data: st.DataObject) -> None:
    """However the network cuts the bytes, inside a character or a line end, the same is read."""
    stream = "".join(encode(text, id=str(n)) for n, text in enumerate(texts))
    stream = stream.replace("\n", data.draw(st.sampled_from(["\n", "\r", "\r\n"])))
    whole = ("\ufeff" + stream).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(*chunks) == read(whole) == read(*[bytes([byte]) for byte in whole])
    assert [message.data for message in read(whole)] == [lf(text) for text in texts]


@given(st.binary(max_size=200) | st.text(alphabet="data:id\n\r \0 retry7").map(str.encode))
def test_any_bytes(stream: bytes) -> None:
    """No bytes make the parser fail, and cutting them changes nothing."""
    assert read(stream) == read(*[bytes([byte]) for byte in stream])


@given(st.lists(st.tuples(st.text(alphabet="ab \n:é", min_size=1), IDS), max_size=4))
def test_as_httpx_sse_reads_it(events: list[tuple[str, str]]) -> None:
    """A reader that nobody here wrote gets the same data and ids."""
    stream = "".join(encode(data, id=id) + HEARTBEAT for data, id in events).encode()
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    theirs = [(event.data, event.id) for event in EventSource(answer).iter_sse()]
    assert theirs == [(message.data, message.id) for message in read(stream)]


# The rules, one by one (WHATWG HTML, 9.2.6)


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data: a\r\rdata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", ["a"]),
        (b": comment\n:data: no\n\n", []),
        (b"data\n\ndata:\n\ndata: \n\n", ["", "", ""]),
        (b"data:  two spaces\n\n", [" two spaces"]),
        (b"data : no such field\n\nDATA: nor this\n\n", []),
        (b"data: a: b\n\n", ["a: b"]),
        (b"data: unfinished\n", []),
        (b"event: x\n\ndata: the type is forgotten\n\n", ["the type is forgotten"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        ("data: a\u2028b\x0bc\x85d\n\n".encode(), ["a\u2028b\x0bc\x85d"]),
    ],
)
def test_data(stream: bytes, data: list[str]) -> None:
    """Line ends, byte order mark, comments, empty data, spaces and unknown fields."""
    messages = read(stream)
    assert [message.data for message in messages] == data
    assert {message.event for message in messages} <= {"message"}


def test_ids() -> None:
    """An id stays until another comes; with a NUL it is ignored, and an empty one forgets it."""
    stream = b"id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid\ndata: d\n\n"
    assert [message.id for message in read(stream)] == ["1", "1", "1", ""]


def test_a_position_without_data() -> None:
    """A block with an id and no data dispatches nothing; once whole, it moves the position."""
    parser = EventStreamParser()
    assert list(parser.feed(encode(None, id="7-0", retry=1500).encode()[:-1])) == []
    assert parser.last_event_id == ""
    assert list(parser.feed(b"\n")) == []
    assert (parser.last_event_id, parser.retry) == ("7-0", 1500)


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        *(("10", 10), (" 5", 5), ("010", 10), ("9" * 30, int("9" * 30))),
        *((bad, None) for bad in ("", "1.5", "-1", "+1", "1 ", "1e3", "٣")),
    ],
)
def test_retry_takes_digits_only(value: str, retry: int | None) -> None:
    """Anything but ASCII digits leaves the reconnection time as it was."""
    parser = EventStreamParser()
    assert list(parser.feed(f"retry:{value}\n\n".encode())) == []
    assert parser.retry == retry


# What cannot be written


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b"])
def test_an_id_that_would_break_its_line(bad: str) -> None:
    """It is refused, and so are such types and comments; nothing is written half."""
    with pytest.raises(ValueError, match="would not survive"):
        encode("x", id=bad)
    if "\0" not in bad:
        with pytest.raises(ValueError, match="would not survive"):
            encode("x", event=bad)
        with pytest.raises(ValueError, match="would not survive"):
            comment(bad)


@pytest.mark.parametrize("bad", [-1, 1.5, True, "5"])
def test_a_retry_that_readers_would_ignore(bad: object) -> None:
    """It is refused here already."""
    with pytest.raises(ValueError, match="whole number of milliseconds"):
        encode("x", retry=bad)  # type: ignore[arg-type]
