"""What the tests of sagas share: a shop in a world, and a caller on the order service's node."""

from typing import Any

from course_lib.experiments.sagas import Books, Shop, audit, database, open_shop, open_style
from course_lib.lab import World
from course_lib.systems import sagas

__all__ = ["Books", "Shop", "audit", "caller", "database", "opened"]


async def opened(shop: Shop | None = None, style: str = "", **options: Any) -> World:
    """A world with the four services, and with what a style needs."""
    world = World(**options)
    await open_shop(world, shop or Shop())
    await open_style(world, style)
    return world


def caller(world: World, **patience: Any) -> sagas.Caller:
    """Asks as the order service."""
    return sagas.Caller(world.http("orders"), **patience)
