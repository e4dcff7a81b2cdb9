import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import published
from course_lib.lab.published import PublishedError, against, comparison_table

ENTRY = """
[demo.{name}]
what = "Requests"
value = {value}
unit = "requests"
kind = "published"
source = "A paper | with a bar"
where = "section 1"
year = 2017
tolerance = {tolerance}
checked = true
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A data file with one entry of each sort; the text can be changed by the test."""
    values = {"number": "100", "real": "0.5", "list": "[1, 2.5]", "text": "'a'", "flag": "true"}
    text = "".join(
        ENTRY.format(name=name, value=value, tolerance="'exact'") for name, value in values.items()
    )
    text += ENTRY.format(name="near", value="100", tolerance="{ absolute = 2 }")
    text += ENTRY.format(name="relative", value="-200", tolerance="{ relative = 0.01 }")

    def write(change=lambda text: text):
        path = tmp_path / "published.toml"
        path.write_text(change(text))
        monkeypatch.setattr(published, "entries", lambda: published.read(path))
        return path

    write()
    return write


def test_file_is_sound():
    """Every entry on file is complete, and its formula gives its value."""
    assert len(published.entries()) >= 10
    assert all(re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", key) for key in published.entries())


def test_derived_is_labelled():
    """A derived number says how it was derived, and no published one does."""
    for entry in published.entries().values():
        assert bool(entry.derivation) == (entry.kind == "derived"), entry.key


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("number", 100, 101),
        ("number", 100.0, 100.0001),
        ("real", 0.5, 0.6),
        ("list", [1, 2.5], [1, 2.4]),
        ("list", (1, 2.5), (2.5, 1)),
        ("text", "a", "b"),
        ("flag", True, False),
        ("near", 102, 102.5),
        ("near", 98, 97.9),
        ("relative", -198, -197.9),
        ("relative", -202, -203),
    ],
)
def test_within(file, name, right, wrong):
    """Within means: equal where exact, else not further off than the tolerance, on both sides."""
    assert against(f"demo.{name}", right).within
    assert not against(f"demo.{name}", wrong).within


@pytest.mark.parametrize(
    ("name", "measured", "sentence"),
    [
        ("number", math.nan, "no number to compare"),
        ("number", math.inf, "no number to compare"),
        ("number", True, "is a number, but the measured True is a truth value"),
        ("number", "100", "is a number, but the measured '100' is a text"),
        ("number", None, "the measured None is a NoneType"),
        ("number", [100], "is a list"),
        ("list", [1], "holds 2 values, but 1 were measured"),
        ("list", [1, math.nan], "no number to compare"),
        ("flag", 1, "is a truth value, but the measured 1 is a number"),
    ],
)
def test_not_comparable(file, name, measured, sentence):
    """A measurement of the wrong type, or none at all, is an error and never a comparison."""
    with pytest.raises(PublishedError, match=re.escape(sentence)):
        against(f"demo.{name}", measured)


def test_unknown_key():
    """An unknown key is an error that names near ones."""
    with pytest.raises(
        PublishedError, match=r"cloudflare_exampel.*rate_limiting\.cloudflare_example"
    ):
        against("rate_limiting.cloudflare_exampel", 49.5)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('source = "A paper | with a bar"\n', "", "misses: source"),
        ('"A paper | with a bar"', '" "', "leaves empty: source"),
        ('unit = "requests"', 'units = "requests"', "misses: unit"),
        ("year = 2017", "year = 2017\nauthor = 'me'", "has the unknown: author"),
        ('"published"', '"guessed"', "must be 'published' or 'derived'"),
        ('"published"', '"derived"', "says not how"),
        ("'exact'", "'roughly'", "must be 'exact'"),
        ("'exact'", "{ absolute = 0 }", "must be 'exact'"),
        ("'exact'", "{ absolute = 1, relative = 1 }", "must be 'exact'"),
        (
            "year = 2017",
            "year = 2017\nformula = '2 * L'\nparameters = { L = 1 }",
            "formula gives 2",
        ),
    ],
)
def test_bad_entry(file, old, new, sentence):
    """An entry that misses its source, or any other part, is an error of the file."""
    path = file(lambda text: text.replace(old, new, 1))
    with pytest.raises(PublishedError, match=re.escape(sentence)):
        published.read(path)


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_other_parameters(limit, window):
    """With other parameters, the entry's formula gives the value to compare with."""
    assert against("rate_limiting.fixed_window_worst", 2 * limit, L=limit).within
    worst = limit + limit // 2
    assert against(
        "rate_limiting.sliding_counter_worst", worst, L=limit, W=window, x=window / 2
    ).within


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 600))
def test_bucket_below_its_bound(burst, per_minute, window):
    """The token bucket's worst window is the largest whole number below b + r W."""
    worst = published.entry("rate_limiting.token_bucket_worst").expected(
        b=burst, r=per_minute / 60, W=window
    )
    assert worst < burst + per_minute * window / 60 <= worst + 1


def test_unknown_parameter():
    """A parameter that the formula does not have is an error."""
    with pytest.raises(PublishedError, match="has no parameter limit; its parameters: L, W"):
        against("rate_limiting.fixed_window_worst", 10, limit=5)
    with pytest.raises(PublishedError, match="its parameters: none"):
        against("rate_limiting.status", 429, L=5)


def test_says_it(file):
    """A comparison is one line: measured, published or derived, the tolerance, and the source."""
    assert repr(against("demo.near", 103)) == (
        "Requests: measured 103 requests, published 100 requests, NOT within the tolerance "
        "(within 2 requests). Source: A paper | with a bar, section 1 (2017)."
    )


def test_derived_says_how():
    """A derived value shows its formula, with the numbers used."""
    line = repr(against("rate_limiting.sliding_counter_worst", 15, L=10, x=30))
    assert "derived 15 requests by `floor(L * (1 + x / W))` with L = 10, W = 60, x = 30" in line


def test_small_difference_is_seen(file):
    """Two numbers that are not within the tolerance never look the same."""
    line = repr(against("demo.number", 100.0000001))
    assert "measured 100.0000001" in line


def test_unchecked_source_is_marked(file):
    """A source that nobody opened says so wherever it is cited."""
    file(lambda text: text.replace("checked = true", "checked = false"))
    assert "source not checked" in repr(against("demo.number", 100))


def test_table(file):
    """A table has a row for each comparison, escapes its cells, and is within if all rows are."""
    table = comparison_table([against("demo.number", 100), against("demo.text", "b")])
    lines = table._repr_markdown_().splitlines()
    assert len(lines) == 4
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "| yes | A paper \\| with a bar" in lines[2]
    assert "| **no** |" in lines[3]
    assert repr(table).count("\n") == 1
    assert not table.within


def test_empty_table():
    """A table of no comparisons is an error: it would look like success."""
    with pytest.raises(PublishedError, match="compares nothing"):
        comparison_table([])
