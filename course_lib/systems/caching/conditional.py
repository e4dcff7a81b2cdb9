"""The server's half of HTTP caching: an entity tag, and 304 for whoever has that version already.

A tag made from the row's version spares the work as well as the bytes; one made by hashing the body
spares the bytes only, since the body had to be made first.
Leaves out: If-Modified-Since (whole seconds are too coarse), and If-Match for writes (chapter 2).
Source: RFC 9110, sections 8.8.3, 13.1.2 and 15.4.5.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["entity_tag", "matches", "respond"]


def entity_tag(version: object) -> str:
    """A strong entity tag: the version in quotation marks.

    >>> entity_tag(7)
    '"7"'
    """
    return f'"{version}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has this version: its list holds the tag, weak or strong, or is "*".

    >>> matches('"6", W/"7"', '"7"'), matches(None, '"7"')
    (True, False)
    """
    if if_none_match is None:
        return False
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in known or tag.removeprefix("W/") in known


async def respond(
    request: Request, tag: str, cache_control: str, body: Callable[[], Awaitable[str]]
) -> Response:
    """200 with the body, or 304 without: then the body is not even made.

    >>> (await respond(request, entity_tag(7), "max-age=10", page)).status_code
    304
    """
    headers = {"etag": tag, "cache-control": cache_control}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(await body(), headers=headers, media_type="application/json")
