"""Finding exercises."""

import pytest

from course_lib.exercises.chapters import CHAPTERS, START
from course_lib.exercises.registry import discover, find, of_chapter


def test_order() -> None:
    """A chapter's exercises come in the order of their places, each place once."""
    places = [exercise.place for exercise in of_chapter("rate_limiting")]
    assert places == list(range(1, len(places) + 1))


def test_frame_is_no_chapter() -> None:
    """Modules of the frame hold no exercises, and no chapter is invented."""
    chapters = {chapter.slug for chapter in (START, *CHAPTERS)}
    assert {"rate_limiting"} <= {exercise.chapter for exercise in discover()} <= chapters
    assert of_chapter("registry") == of_chapter("no_such_chapter") == ()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "rate_limiting", "rate_limiting.", "a.b.c", "os.path", "x" * 999]
)
def test_unknown(name: str) -> None:
    """Whatever the name, an unknown one is a LookupError with a sentence."""
    with pytest.raises(LookupError, match="There is no exercise"):
        find(name)
