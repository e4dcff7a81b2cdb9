"""How far an upload has come: once, or as a stream of server-sent events.

Both read the stored offset, so any server can answer for any other, and the truth is what has been
kept, not what has been sent. The stream looks every `interval` seconds and speaks when something
has changed. Leaves out: Last-Event-ID; the newest event says all there is to say.
Source: WHATWG HTML, server-sent events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from course_lib.systems.file_uploads.catalog import Upload
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import Storage

__all__ = ["event_stream", "progress_of"]


def progress_of(upload: Upload, now: float) -> dict[str, Any]:
    """Offset and length in bytes, the share in percent rounded down, and the state.

    >>> progress_of(Upload("a1", "anybody", 200, "", 9.0, offset=99), now=0.0)
    {'offset': 99, 'length': 200, 'percent': 49, 'state': 'open'}
    """
    percent = 100 * upload.offset // upload.length if upload.length else 100
    state = upload.state(now)
    return {"offset": upload.offset, "length": upload.length, "percent": percent, "state": state}


async def event_stream(storage: Storage, name: str, interval: float = 1.0) -> AsyncIterator[str]:
    """An event for each change, until the upload is complete or gone."""
    last: dict[str, Any] = {}
    while last.get("state", "open") == "open":
        try:
            upload = await storage.catalog.find(name, "ask", storage.clock())
        except Refused as refused:
            yield f"event: gone\ndata: {json.dumps({'status': refused.status})}\n\n"
            return
        now = progress_of(upload, storage.clock())
        if now != last:
            yield f"event: progress\nid: {now['offset']}\ndata: {json.dumps(now)}\n\n"
        last = now
        if now["state"] == "open":
            await asyncio.sleep(interval)
