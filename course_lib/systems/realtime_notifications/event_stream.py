"""The text/event-stream format, written: fields, events, comments.

Pure text in, text out. An event is a few `name: value` lines and a blank line. Leaves out reading
(`event_parser`) and HTTP (`app`).
Source: WHATWG HTML, section 9.2, Server-sent events.
"""

from __future__ import annotations

import re

__all__ = ["HEARTBEAT", "comment", "encode"]

LINE_END = re.compile("\r\n|\r|\n")
"""What ends a line there. Not str.splitlines, which also cuts at U+2028, form feeds and more."""


def encode(
    data: str | None, *, id: str | None = None, event: str = "", retry: int | None = None
) -> str:
    """One event as text; `retry` is in milliseconds.

    With `data` None nothing is dispatched, and a browser still takes over `id` and `retry`. An
    `event` or `id` that would break its line, or an `id` with a NUL, is a ValueError. Data keeps
    its lines; CR and CRLF between them arrive as LF.

    >>> encode("two\\nlines", id="7-0")
    'id: 7-0\\ndata: two\\ndata: lines\\n\\n'
    >>> encode(None, id="7-0", retry=1500)
    'retry: 1500\\nid: 7-0\\n\\n'
    """
    fields = [] if retry is None else [("retry", str(whole(retry)))]
    fields += [] if id is None else [("id", one_line("id", id, "\0"))]
    fields += [("event", one_line("event", event))] if event else []
    # An empty data field still makes an event; no data field makes none.
    fields += [] if data is None else [("data", line) for line in LINE_END.split(data)]
    # The space is there for the reader to drop: data may itself begin with one.
    return "".join(f"{name}: {value}\n" for name, value in fields) + "\n"


def comment(text: str = "") -> str:
    """A line that every reader skips; it keeps an idle connection alive.

    >>> comment("still here")
    ': still here\\n'
    """
    # No blank line: some readers would take it for the end of an empty event.
    return f": {one_line('comment', text)}\n"


def one_line(field: str, value: str, also: str = "") -> str:
    """The value, if it fits into one line and holds none of the characters in `also`."""
    if any(character in value for character in "\r\n" + also):
        raise ValueError(f"the {field} {value!r} would not survive: it breaks its line")
    return value


def whole(retry: int) -> int:
    """The time to wait, if it is made of digits only: readers ignore everything else."""
    if type(retry) is not int or retry < 0:
        raise ValueError(f"retry is a whole number of milliseconds, 0 or more: {retry!r}")
    return retry


HEARTBEAT = comment()
