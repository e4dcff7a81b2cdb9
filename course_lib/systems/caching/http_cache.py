"""The client's half of HTTP caching: a transport that answers from memory, or asks if it still may.

`is_fresh` and `may_store` are the decisions, from header fields and times; the transport is what
httpx sends requests through. Ages are counted on the injected clock.
Leaves out: Expires and Last-Modified, heuristic freshness, ranges, stale-if-error, and a bound on
memory. A cache with a standards committee behind it is the package hishel; it reads the clock of
the computer, so it does not run on a virtual one.
Source: RFC 9111, sections 3 to 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

__all__ = ["CachingTransport", "directives", "is_fresh", "may_store"]

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def directives(cache_control: str | None) -> dict[str, str]:
    """The directives of a Cache-Control field, names in lower case.

    >>> directives("private, Max-Age=60")
    {'private': '', 'max-age': '60'}
    """
    parts = [part.partition("=") for part in (cache_control or "").split(",") if part.strip()]
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in parts}


def may_store(headers: Mapping[str, str], shared: bool = False) -> bool:
    """Whether a response to GET may be kept; a shared cache must not keep what is private.

    >>> may_store({"cache-control": "no-store"}), may_store({"cache-control": "max-age=5"})
    (False, True)
    """
    said = directives(headers.get("cache-control"))
    if "no-store" in said or headers.get("vary") == "*" or (shared and "private" in said):
        return False
    return "max-age" in said or (shared and "s-maxage" in said) or "etag" in headers


def is_fresh(headers: Mapping[str, str], age: float, shared: bool = False) -> bool:
    """Whether a stored response, `age` seconds old, may be used without asking.

    >>> is_fresh({"cache-control": "max-age=60"}, age=59), is_fresh({"etag": '"7"'}, age=0)
    (True, False)
    """
    said = directives(headers.get("cache-control"))
    if "no-cache" in said:
        return False
    lifetime = said.get("s-maxage") if shared and "s-maxage" in said else said.get("max-age")
    return lifetime is not None and lifetime.isdigit() and age < int(lifetime)


@dataclass
class Stored:
    """One response, when it was last known to be right, and the fields that chose it."""

    status: int
    headers: httpx.Headers
    body: bytes
    at: float
    chosen_by: dict[str, str | None]

    def suits(self, request: httpx.Request) -> bool:
        """Whether the request names the same language, encoding, ...: all that Vary lists."""
        return all(request.headers.get(name) == value for name, value in self.chosen_by.items())

    def response(self, request: httpx.Request, now: float) -> httpx.Response:
        """What the client gets, with its age."""
        headers = httpx.Headers(self.headers)
        headers["age"] = str(int(now - self.at))
        return httpx.Response(self.status, headers=headers, content=self.body, request=request)


class CachingTransport(httpx.AsyncBaseTransport):
    """A private cache (or a shared one) in front of another transport; `clock` gives seconds.

    >>> client = httpx.AsyncClient(transport=CachingTransport(inner, clock=time.time))
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, clock: Callable[[], float], shared: bool = False
    ) -> None:
        self.inner, self.clock, self.shared = inner, clock, shared
        self._stored: dict[str, Stored] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """From memory while it is fresh; otherwise ask, with the tag if there is one."""
        url = str(request.url)
        if request.method != "GET":
            return await self._pass_on(request, url)
        stored = self._stored.get(url)
        if stored is not None and not stored.suits(request):
            stored = None
        asks = "no-cache" in directives(request.headers.get("cache-control"))
        if stored is not None and not asks and self._fresh(stored):
            return stored.response(request, self.clock())
        return await self._ask(request, url, stored)

    def _fresh(self, stored: Stored) -> bool:
        return is_fresh(stored.headers, self.clock() - stored.at, self.shared)

    async def _pass_on(self, request: httpx.Request, url: str) -> httpx.Response:
        """A successful write makes what was stored for its address old."""
        response = await self.inner.handle_async_request(request)
        if request.method not in SAFE and response.status_code < 400:
            self._stored.pop(url, None)
        return response

    async def _ask(self, request: httpx.Request, url: str, stored: Stored | None) -> httpx.Response:
        if stored is not None and "etag" in stored.headers:
            request.headers["if-none-match"] = stored.headers["etag"]
        response = await self.inner.handle_async_request(request)
        if response.status_code == 304 and stored is not None:
            await response.aclose()
            stored.headers.update(response.headers)
            stored.at = self.clock()
            return stored.response(request, stored.at)
        if response.status_code == 200 and may_store(response.headers, self.shared):
            await self._keep(request, url, response)
        return response

    async def _keep(self, request: httpx.Request, url: str, response: httpx.Response) -> None:
        body = await response.aread()
        vary = [name.strip() for name in response.headers.get("vary", "").split(",") if name]
        chosen_by = {name: request.headers.get(name) for name in vary}
        headers = httpx.Headers(response.headers)
        self._stored[url] = Stored(200, headers, body, self.clock(), chosen_by)

    async def aclose(self) -> None:
        """Close the transport behind it."""
        await self.inner.aclose()
