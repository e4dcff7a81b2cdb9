"""Source: what is shown is what is in the file."""

import inspect

import pytest

from course_lib.show import Level, source
from course_lib.show.markdown import escaped, fence


def test_shows_the_file_as_it_is() -> None:
    """Every line of the class is shown, and the caption names file and lines."""
    lines, first = inspect.getsourcelines(Level)
    shown = source(Level)
    assert "".join(lines).rstrip() in shown.markdown
    place = f"course_lib/show/tracks.py, lines {first} to {first + len(lines) - 1}"
    assert place.replace("_", r"\_") in shown.markdown
    assert f"# {place}" in repr(shown)


def test_several_and_one_method() -> None:
    """Several objects follow one another; `only` shows one method, not indented."""
    assert source(escaped, fence).markdown.count("def ") == 2
    assert source(Level, only="payload").markdown.startswith("```python\ndef payload")


def test_other_languages() -> None:
    """Text of another language is fenced with its name."""
    assert source.code("\n  return 1\n", "lua").markdown == "```lua\nreturn 1\n```"


def test_backticks_do_not_end_the_block() -> None:
    """A fence is longer than any run of backticks in the code."""
    assert fence("a ```` b", "").startswith("`````\n")


def test_nothing_to_show_is_said() -> None:
    """No object, an object without source, or an unknown method: a sentence."""
    for make, sentence in [
        (lambda: source(), "at least one"),
        (lambda: source(3), "pass a class or function"),
        (lambda: source(Level, only="paylod"), "no part named paylod"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            make()
