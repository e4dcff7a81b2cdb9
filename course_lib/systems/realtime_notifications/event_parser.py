"""The text/event-stream format, read: bytes in, messages out, wherever the network cuts them.

A state machine that never waits. It keeps what a reader must know to come back: the last event id
and the reconnection time. Leaves out the connection itself (`clients`).
Source: WHATWG HTML, 9.2.5 Parsing an event stream and 9.2.6 Interpreting an event stream.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["EventStreamParser", "Message"]

DIGITS = re.compile("[0-9]+")


class Message(NamedTuple):
    """One dispatched event: its data, its type, and the last event id at that moment."""

    data: str
    event: str = "message"
    id: str = ""


class EventStreamParser:
    """What stands between the bytes of a stream and `onmessage`.

    >>> parser = EventStreamParser()
    >>> list(parser.feed(b"id: 7\\ndata: a\\r\\ndata: b\\r")), list(parser.feed(b"\\n\\n"))
    ([], [Message(data='a\\nb', event='message', id='7')])
    >>> parser.last_event_id
    '7'
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        """What to send as Last-Event-ID when the connection is lost."""
        self.retry: int | None = None
        """Milliseconds to wait before reconnecting, if the server has said."""
        self._id = last_event_id
        self._data: list[str] = []
        self._event = ""
        self._line = ""
        self._after_cr = False
        # utf-8-sig drops one byte order mark at the start, and only there.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The messages that this chunk completes. A line or an event may go on in the next one."""
        for line in self._lines(self._decoder.decode(chunk)):
            if line:
                self._field(line)
            elif message := self._dispatch():
                yield message

    def _lines(self, text: str) -> Iterator[str]:
        for part in re.findall("[^\r\n]+|\r\n|\r|\n", text):
            if part[0] not in "\r\n":
                self._line += part
            elif not (part == "\n" and self._after_cr and not self._line):
                yield self._take()
            # A CR at the end of one chunk and an LF at the start of the next are one line end.
            self._after_cr = part == "\r"

    def _take(self) -> str:
        line, self._line = self._line, ""
        return line

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if DIGITS.fullmatch(value):
                self.retry = int(value)

    def _dispatch(self) -> Message | None:
        # Even without data: that is how a server moves the resume position and shows nothing.
        self.last_event_id = self._id
        data, event = self._data, self._event
        self._data, self._event = [], ""
        if not data:
            return None
        return Message("\n".join(data), event or "message", self.last_event_id)
