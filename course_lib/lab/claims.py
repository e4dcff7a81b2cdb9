"""Claims: what the question page says, item by item, and the verdict a chapter's runs gave.

The list is `data/claims.toml`. A chapter shows its claims from here, so that a verdict is written
once. Left out: the page's own wording; only its terms are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from course_lib.lab import datafiles

__all__ = ["VERDICTS", "Claim", "ClaimError", "ClaimTable", "claims"]

VERDICTS = ("holds", "holds when", "does not hold")


class ClaimError(Exception):
    """A claim that is incomplete, or a chapter without any."""


@dataclass(frozen=True)
class Claim:
    """One claim: its number on the page (None if it has none), its term, verdict and proof."""

    question: str
    heading: str
    chapter: int
    item: int | None = None
    verdict: str = ""
    because: str = ""
    cell: str = ""


@dataclass(frozen=True, repr=False)
class ClaimTable:
    """Claims with their verdicts, one a line."""

    rows: tuple[Claim, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return "\n".join(f"{row.heading}: {row.verdict}. {row.because}" for row in self.rows)

    def _repr_markdown_(self) -> str:
        lines = ["| claim | asked in | verdict | because | shown in |", "|" + " --- |" * 5]
        for row in self.rows:
            cells = (row.heading, row.question, f"**{row.verdict}**", row.because, f"`{row.cell}`")
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join(lines)


def claims(chapter: int | None = None) -> ClaimTable:
    """The claims of one chapter, or of all: numbered items first, then considerations.

    A chapter without any claim is a ClaimError.

    >>> claims(12).rows[0].heading
    'Token bucket'
    """
    rows = tuple(row for row in _all() if chapter in (None, row.chapter))
    if not rows:
        raise ClaimError(f"data/claims.toml has no claim of chapter {chapter}.")
    return ClaimTable(rows)


@cache
def _all() -> Sequence[Claim]:
    contents = datafiles.load(datafiles.find("claims.toml"))
    return [_made(fields) for name in ("claim", "consideration") for fields in contents[name]]


def _made(fields: dict[str, Any]) -> Claim:
    try:
        claim = Claim(**fields)
    except TypeError as error:
        raise ClaimError(f"The claim {fields.get('heading', fields)!r}: {error}.") from error
    if claim.verdict and claim.verdict not in VERDICTS:
        raise ClaimError(f"The claim {claim.heading!r} has the unknown verdict {claim.verdict!r}.")
    return claim
