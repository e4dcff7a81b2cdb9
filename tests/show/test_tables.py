"""Tables: every cell is shown as it is, in Markdown and in plain text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.show import table

CELLS = st.text(st.sampled_from("ab|\\`<>&*_$#~[]\n\r\u2028 "), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_no_cell_breaks_the_table(rows: list[list[str]]) -> None:
    """Whatever a cell holds, each row stays one line of two cells, without markup."""
    shown = table(rows, columns=["a", "b"]).markdown
    lines = shown.splitlines()
    assert len(lines) == len(rows) + 2
    for line in lines:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3
        assert "<" not in line.replace("<br>", "")


def test_numbers_for_readers() -> None:
    """Thousands with commas, four figures, yes and no, nothing for None; numbers on the right."""
    rows = [["x", 1680, 0.123456, True, None], ["y", 2, 1234.5, False, 1]]
    shown = table(rows, columns=["name", "orders", "share", "held", "kept"])
    assert "| x | 1,680 | 0.1235 | yes |  |" in shown.markdown
    assert "| --- | ---: | ---: | --- | ---: |" in shown.markdown
    assert repr(shown).splitlines()[1] == "x      1,680  0.1235  yes"


def test_rows_by_name() -> None:
    """A mapping fills the columns it names; a name without a column is refused."""
    assert "| 1 |  |" in table([{"a": 1}], columns=["a", "b"]).markdown
    with pytest.raises(ValueError, match="does not have: c"):
        table([{"c": 1}], columns=["a"])


def test_uneven_rows_are_said() -> None:
    """A row with too few cells is refused with both numbers."""
    with pytest.raises(ValueError, match="1 cells, but the table has 2"):
        table([["a"]], columns=["a", "b"])
