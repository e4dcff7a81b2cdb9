"""An object store and an API in a world, for direct uploads. Leaves out the client."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from course_lib.experiments.file_uploads.worlds import tokens
from course_lib.lab import World
from course_lib.systems import file_uploads as fu

__all__ = ["Direct", "direct_world"]


class Direct(NamedTuple):
    """An object store at http://store and the API at http://api, over one world."""

    world: World
    store: fu.Store
    direct: fu.Direct


async def direct_world(world: World, least_part: int = fu.LEAST_PART) -> Direct:
    """Let nodes "store" and "api" share the work of direct uploads; again over a world: a restart.

    The store calls the API back over the world's network, where a partition can keep it from that.
    """
    secret, token = b"shared by API and store", tokens(world)

    async def notify(event: bytes, signature: str) -> bool:
        try:
            async with world.http("store", timeout=5) as http:
                headers = {"X-Signature": signature}
                answer = await http.post("http://api/events", content=event, headers=headers)
        except httpx.TransportError:
            return False
        return answer.status_code == 204

    async def look(key: str) -> int | None:
        found = await objects.get(key)
        return found.size if found else None

    objects = fu.Objects(lambda: world.sql("store", "objects"))
    store = fu.Store(objects, world.disk("store"), world.time, secret, token, notify, least_part)
    direct = fu.Direct(lambda: world.sql("api", "api"), secret, world.time, look, token)
    world.serve("store", fu.store_app(store))
    world.serve("api", fu.direct_app(direct))
    await objects.prepare()
    await direct.prepare()
    return Direct(world, store, direct)
