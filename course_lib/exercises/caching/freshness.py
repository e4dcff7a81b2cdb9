"""Exercise: may a stored response be used, must it be validated, or fetched anew?

The decision of every browser and every CDN, from one header field, a tag and an age. Left out:
shared caches, Vary, and must-revalidate, which changes nothing here.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed

__all__ = ["FRESHNESS"]

NAMES = ("cache_control", "etag", "age")
TAG = '"7"'


def truth(cache_control: str, etag: str | None, age: int) -> str:
    """Return "use", "validate" or "fetch": `truth("max-age=5", None, 4)` -> `"use"`."""
    said = {}
    for part in cache_control.lower().split(","):
        name, _, value = part.strip().partition("=")
        said[name] = value
    if "no-store" in said:
        return "fetch"
    if "no-cache" not in said and age < int(said.get("max-age", 0)):
        return "use"
    return "fetch" if etag is None else "validate"


def _tag(draw: random.Random) -> str | None:
    return draw.choice([None, f'"{draw.randint(1, 99)}"'])


def young(draw: random.Random) -> Iterator[Case]:
    """Younger than max-age, the last second included."""
    for age in (0, draw.randint(1, 9), None):
        lifetime = draw.randint(10, 90)
        yield f"max-age={lifetime}", _tag(draw), lifetime - 1 if age is None else age


def old(draw: random.Random) -> Iterator[Case]:
    """Exactly max-age old, and older; with a tag and without."""
    for extra in (0, draw.randint(1, 99)):
        lifetime = draw.randint(10, 90)
        yield f"max-age={lifetime}", TAG, lifetime + extra
        yield f"max-age={lifetime}", None, lifetime + extra


def written(draw: random.Random) -> Iterator[Case]:
    """Capitals, spaces, other directives, s-maxage before max-age."""
    lifetime = draw.randint(20, 90)
    age = lifetime - draw.randint(1, 9)
    yield f"private, Max-Age={lifetime}", TAG, age
    yield f"must-revalidate ,  max-age={lifetime}", None, age
    yield f"s-maxage={10 * lifetime}, max-age={lifetime}", TAG, lifetime + 1
    yield f"public, s-maxage={lifetime}", TAG, age


def no_cache(draw: random.Random) -> Iterator[Case]:
    """no-cache: keep it, but ask every time."""
    yield "no-cache", TAG, 0
    yield "no-cache", None, 0
    yield f"no-cache, max-age={draw.randint(50, 90)}", TAG, draw.randint(0, 9)


def no_store(draw: random.Random) -> Iterator[Case]:
    """no-store: what should not be there must not be used, nor asked about."""
    yield "no-store", TAG, 0
    yield f"no-store, max-age={draw.randint(50, 90)}", TAG, draw.randint(0, 9)


def silent(draw: random.Random) -> Iterator[Case]:
    """Nothing said about age: nothing promised."""
    yield "", TAG, draw.randint(0, 9)
    yield "private", None, draw.randint(0, 9)


STUB = '''
def decide(cache_control, etag, age):
    """What a browser does with a stored response: "use", "validate" or "fetch".

    cache_control: the field's text, such as "private, Max-Age=60"; names are in any case.
    etag: its entity tag, or None; age: whole seconds. "use": no request at all. "validate": ask
    with If-None-Match, which needs a tag. "fetch": ask anew. "s-maxage" is for shared caches only.
    """
    raise NotImplementedError
'''

ANSWER = """
def decide(cache_control, etag, age):
    said = {}
    for part in cache_control.lower().split(","):
        name, _, value = part.strip().partition("=")
        said[name] = value
    if "no-store" in said:
        return "fetch"
    if "no-cache" not in said and age < int(said.get("max-age", 0)):
        return "use"
    return "fetch" if etag is None else "validate"
"""

FRESHNESS = Exercise(
    id="caching.freshness",
    place=4,
    title="May it be used?",
    name="decide",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("young", "a response younger than max-age is used.", young, truth, NAMES),
        pure("old", "at max-age it is validated, or fetched if it has no tag.", old, truth, NAMES),
        pure("written", "names are in any case, and s-maxage is not ours.", written, truth, NAMES),
        pure("no-cache", "no-cache asks every time.", no_cache, truth, NAMES),
        pure("no-store", "no-store is never used and never asked about.", no_store, truth, NAMES),
        pure("silent", "without a max-age nothing is promised.", silent, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "one second too long",
            changed(ANSWER, ("age < int", "age <= int")),
            "A response is fresh while its age is *below* max-age. At max-age it is stale.",
        ),
        Mistake(
            "no-cache as no-store",
            changed(
                ANSWER, ('if "no-store" in said:', 'if "no-store" in said or "no-cache" in said:')
            ),
            "no-cache does not mean that it is not cached: it is kept, and validated before each "
            "use. The one that forbids keeping is no-store.",
        ),
        Mistake(
            "no-cache is not heard",
            changed(ANSWER, ('"no-cache" not in said and ', "")),
            "You look only at the age. no-cache asks every time, however young the response is.",
        ),
        Mistake(
            "s-maxage is taken for max-age",
            changed(
                ANSWER,
                ('said.get("max-age", 0)', 'said.get("s-maxage", said.get("max-age", 0))'),
            ),
            "s-maxage speaks to shared caches, such as a CDN. A browser goes by max-age.",
        ),
        Mistake(
            "capitals",
            changed(ANSWER, ("cache_control.lower()", "cache_control")),
            "Directive names are in any case: Max-Age is max-age.",
        ),
        Mistake(
            "validates without a tag",
            changed(
                ANSWER, ('return "fetch" if etag is None else "validate"', 'return "validate"')
            ),
            "Without a tag there is nothing to ask with: If-None-Match needs one, so fetch.",
        ),
        Mistake(
            "uses what must not be kept",
            changed(ANSWER, ('    if "no-store" in said:\n        return "fetch"\n', "")),
            "no-store forbids keeping the response at all. It must not be used, nor asked about.",
        ),
    ),
    hints=(
        "Split at the commas, strip, and split each part at the equals sign; lower case first.",
        "Three questions, in this order: was it to be kept at all? Is it young enough, and may it "
        "be used without asking? Is there a tag to ask with?",
        'Fresh means age < max-age. "no-cache" skips that question, "no-store" skips all of them.',
    ),
)
