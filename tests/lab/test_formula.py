from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab.formula import FormulaError, evaluate, exact


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 99))
def test_agrees_with_python(a, b, c):
    """A formula has the value that the same text has in exact arithmetic."""
    names = {"a": a, "b": b, "c": c}
    text = (
        "-a + b * 2 - (a - b) / c + c ** 2 - min(a, b, 3) + floor(a / c) + ceil(b / c) + max(a, c)"
    )
    value = -a + b * 2 - Fraction(a - b, c) + c**2 - min(a, b, 3) + a // c - (-b // c) + max(a, c)
    assert evaluate(text, names) == float(value)
    assert isinstance(evaluate(text, names), int) == (value.denominator == 1)


def test_rates_are_meant_exactly():
    """100 a minute, given as a float per second, is 100 a minute."""
    assert evaluate("ceil(b + r * W) - 1", {"b": 100, "r": 100 / 60, "W": 60}) == 199
    assert exact(0.1) == Fraction(1, 10)
    assert exact("5/3") == exact(5 / 3) == Fraction(5, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("L * x", "needs a value for 'x'; given: L"),
        ("L /", "cannot be evaluated"),
        ("L / 0", "cannot be evaluated"),
        ("__import__('os')", "may not hold"),
        ("L.real", "may not hold"),
        ("[L]", "may not hold"),
        ("'text'", "may not hold"),
        ("L if L else 1", "may not hold"),
        ("min(L, key=L)", "may not hold"),
    ],
)
def test_refused(text, sentence):
    """A formula holds arithmetic and nothing else."""
    with pytest.raises(FormulaError, match=sentence.replace("(", r"\(")):
        evaluate(text, {"L": 5})
