"""The 36 chapters in their six parts: number, slug, a short title. The course's table of contents.

Left out: what is inside; whether a notebook is there is looked up when the map is drawn.
"""

from dataclasses import dataclass

__all__ = ["CHAPTERS", "PARTS", "START", "Chapter"]


@dataclass(frozen=True)
class Chapter:
    """One chapter: `Chapter(12, "rate_limiting", ...).notebook` -> `"12_rate_limiting.ipynb"`."""

    number: int
    slug: str
    title: str
    part: str

    @property
    def notebook(self) -> str:
        """The file name of the chapter's notebook."""
        return f"{self.number:02}_{self.slug}.ipynb"


PARTS = (
    "Designing the API",
    "Identity and security",
    "Traffic",
    "Data",
    "Events and long work",
    "Keeping it running",
)

_TITLES: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("rest_vs_graphql", "REST beside GraphQL"),
        ("put_vs_patch", "PUT and PATCH"),
        ("error_handling", "Errors that help"),
        ("pagination", "Page after page"),
        ("api_versioning", "Changing an API in use"),
        ("idempotency", "Once, however often asked"),
        ("api_clients", "Web, mobile and partners"),
        ("graphql_migration", "Moving to GraphQL"),
    ),
    (
        ("authentication_authorization", "Who are you, and may you?"),
        ("stateful_stateless", "Where sessions live"),
        ("api_security", "An API under attack"),
    ),
    (
        ("rate_limiting", "Rate limits over many servers"),
        ("api_gateway", "One door for many services"),
        ("concurrency", "More requests than capacity"),
        ("sync_async", "Wait, or come back later"),
        ("traffic_spikes", "Surviving a spike"),
        ("load_performance", "Faster under load"),
    ),
    (
        ("caching", "Caches and their races"),
        ("slow_queries", "Queries that slow down"),
        ("transactions", "Consistent in one database"),
        ("sagas", "Consistent across services"),
        ("database_bottleneck", "When the database is full"),
        ("inconsistent_data", "Clients that disagree"),
        ("search", "Search over services"),
    ),
    (
        ("service_communication", "How services talk"),
        ("background_jobs", "Work after the answer"),
        ("event_driven", "Events, never lost"),
        ("realtime_notifications", "News as it happens"),
        ("file_uploads", "A gigabyte, uploaded"),
    ),
    (
        ("cascading_failures", "Stopping the domino"),
        ("observability", "Seeing what happens"),
        ("slow_requests", "The slow one in a hundred"),
        ("payments", "Money, exactly once"),
        ("test_driven", "Tests first"),
        ("monolith_microservices", "One service or many"),
        ("million_requests", "A million a minute"),
    ),
)


def _numbered() -> tuple[Chapter, ...]:
    rows = [(part, *row) for part, rows in zip(PARTS, _TITLES, strict=True) for row in rows]
    return tuple(Chapter(n, slug, title, part) for n, (part, slug, title) in enumerate(rows, 1))


CHAPTERS = _numbered()
START = Chapter(0, "start_here", "Start here", "")
"""The notebook before the first chapter; it has a warm-up exercise and no part of its own."""
