"""The page of all benchmarks: docs/benchmarks.json keeps the figures, docs/benchmarks.md shows.

A column "times X" holds how many times faster ours was than X in the same run. The summary is made
from these columns alone, so that a new benchmark is in it by itself, and what is slower is named.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FIGURES", "PAGE", "keep", "page", "summary"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES, PAGE = DOCS / "benchmarks.json", DOCS / "benchmarks.md"
TIMES = "times "
Figures = Mapping[str, Sequence[Mapping[str, Any]]]


def keep(new: Figures) -> None:
    """Put new figures in place of the earlier ones of the same benchmarks, and write the page."""
    earlier = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    figures = dict(sorted({**earlier, **new}.items()))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")


def page(figures: Figures) -> str:
    """The whole page, as Markdown."""
    lines = ["# Benchmarks", "", "Made by `make bench`; not edited by hand.", ""]
    lines += [*summary(figures), "", *missed(figures)]
    for name in sorted(figures):
        for table in figures[name]:
            lines += ["", f"## {name.capitalize()}: {table['title']}", "", str(table["on"]), ""]
            lines += markdown(table["rows"])
    return "\n".join(lines) + "\n"


def summary(figures: Figures) -> list[str]:
    """One line for each benchmark and peer: the ratios of one run, and on what they were taken."""
    rows = [
        {
            "What": name,
            "Beside": peer,
            "Times as fast": f"{low:g}" if low == high else f"{low:g} to {high:g}",
            "Slower in": slower(ratios) or "-",
            "Taken on": on,
        }
        for name, peer, ratios, on in compared(figures)
        for low, high in [(min(ratios.values()), max(ratios.values()))]
    ]
    return markdown(rows) if rows else ["No figures yet: `make bench`."]


def compared(figures: Figures) -> Iterator[tuple[str, str, dict[str, float], str]]:
    """Each benchmark with each of its peers: the ratio by row, and the machine."""
    for name in sorted(figures):
        for table in figures[name]:
            for column in table["rows"][0]:
                if column.startswith(TIMES):
                    ratios = dict(numbers(table["rows"], column))
                    if ratios:
                        yield name, column.removeprefix(TIMES), ratios, table["on"]


def numbers(rows: Sequence[Mapping[str, str]], column: str) -> Iterator[tuple[str, float]]:
    """The ratios of a column, each with its row's name; "-" is none."""
    for row in rows:
        if row[column] != "-":
            yield label(row), float(row[column])


def label(row: Mapping[str, str]) -> str:
    """What a row is about, by its first cells: "100 tasks", "memory GCRA", "12_rate_limiting"."""
    (column, first), (_, second) = list(row.items())[:2]
    if is_number(first):
        return f"{first} {column}"
    return first if is_number(second) else f"{first} {second}"


def is_number(text: str) -> bool:
    """Whether a cell holds a number."""
    return text.replace(",", "").replace(".", "").isdigit()


def slower(ratios: Mapping[str, float]) -> str:
    """Where ours is slower than the peer."""
    return ", ".join(label for label, ratio in ratios.items() if ratio < 1)


def missed(figures: Figures) -> list[str]:
    """The targets that were missed."""
    found = [
        f"- {name}: {s}" for name in sorted(figures) for t in figures[name] for s in t["missed"]
    ]
    return ["Targets missed:", "", *found] if found else ["Every target was met."]


def markdown(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows with the same columns as a table."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([row[c] for c in columns] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
