"""Tables as Markdown, with the same table as plain text."""

from collections.abc import Mapping, Sequence

from course_lib.show.markdown import Markdown, escaped

__all__ = ["table"]

Row = Sequence[object] | Mapping[str, object]


def _text(value: object) -> str:
    """A value for a reader: yes and no, thousands with commas, about four figures."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def _cells(row: Row, columns: Sequence[str]) -> list[object]:
    if isinstance(row, Mapping):
        unknown = ", ".join(sorted(set(row) - set(columns)))
        if unknown:
            raise ValueError(f"A row names columns that the table does not have: {unknown}.")
        return [row.get(name) for name in columns]
    if len(row) != len(columns):
        raise ValueError(f"A row has {len(row)} cells, but the table has {len(columns)} columns.")
    return list(row)


def _numeric(values: Sequence[object]) -> bool:
    return any(values) and all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(rows: Sequence[Row], columns: Sequence[str]) -> Markdown:
    """A table of `rows` (sequences, or mappings by column name); numbers stand on the right.

    >>> table([["token bucket", 1680]], columns=["algorithm", "orders"])
    algorithm     orders
    token bucket   1,680
    """
    cells = [_cells(row, columns) for row in rows]
    right = [_numeric([row[i] for row in cells]) for i in range(len(columns))]
    texts = [[_text(value) for value in row] for row in cells]
    rule = _line(["---:" if numbers else "---" for numbers in right])
    body = [_line([escaped(text) for text in row]) for row in [list(columns), *texts]]
    return Markdown("\n".join([body[0], rule, *body[1:]]), _plain([list(columns), *texts], right))


def _plain(rows: list[list[str]], right: list[bool]) -> str:
    flat = [[text.replace("\n", " ") for text in row] for row in rows]
    widths = [max(len(row[i]) for row in flat) for i in range(len(right))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if numbers else text.ljust(width)
            for text, width, numbers in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in flat
    )
