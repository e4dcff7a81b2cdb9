import json
import re
from pathlib import Path

import pytest

from course_lib.lab import claims as module
from course_lib.lab import datafiles
from course_lib.lab.claims import VERDICTS, ClaimError, claims

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT.parent / "shared" / "000_135950a5ec82ad31.txt"
WORDS = 8
ITEMS = [claim for claim in claims().rows if claim.item is not None]
NOTEBOOKS = {
    12: ROOT / "notebooks" / "12_rate_limiting.ipynb",
    21: ROOT / "notebooks" / "21_sagas.ipynb",
}


def page():
    if not PAGE.exists():
        pytest.skip(f"The question page is not beside this checkout ({PAGE}).")
    return PAGE.read_text(encoding="utf-8")


def shingles(text):
    words = re.findall(r"[a-z0-9']+", text.lower())
    return {" ".join(words[start : start + WORDS]) for start in range(len(words) - WORDS + 1)}


def answers(text):
    """The page without its questions, which a chapter states as asked."""
    asked = re.compile(r"^(<expand title=|\*\*Question:\*\*).*$", re.MULTILINE)
    return [part for part in re.split(r"\n\s*\n", asked.sub("", text)) if part.strip()]


def prose(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def texts():
    found = [*ROOT.glob("*.md"), *ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("data/*")]
    return sorted([*found, *ROOT.glob("course_lib/**/*.py")])


def test_all_items():
    """There are 178 numbered items, numbered in order, none twice and none left out."""
    assert [claim.item for claim in ITEMS] == list(range(1, 179))


def test_as_many_as_on_the_page():
    """Question by question, the list has as many items as the page."""
    counts = [len(re.findall(r"(?m)^[0-9]+\. ", part)) for part in page().split("<expand ")]
    listed = {}
    for claim in ITEMS:
        listed[claim.question] = listed.get(claim.question, 0) + 1
    assert list(listed.values()) == [count for count in counts if count]


def test_chapters():
    """Every item belongs to one of the 36 chapters; a question to one, consistency to two."""
    assert all(1 <= claim.chapter <= 36 for claim in ITEMS)
    chapters = {}
    for claim in ITEMS:
        chapters.setdefault(claim.question, set()).add(claim.chapter)
    several = {question: found for question, found in chapters.items() if len(found) > 1}
    assert several == {"Consistency and reliability": {20, 21}}


@pytest.mark.parametrize("chapter", NOTEBOOKS)
def test_chapter_is_judged(chapter):
    """Every claim of a chapter that exists has a verdict, a sentence and a cell."""
    for claim in claims(chapter).rows:
        assert claim.verdict in VERDICTS, claim
        assert claim.because.endswith("."), claim
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", claim.cell), claim


@pytest.mark.parametrize("chapter", NOTEBOOKS)
def test_cells_exist(chapter):
    """The cell named as the proof of a verdict is in the chapter's notebook, as code."""
    assert NOTEBOOKS[chapter].exists(), f"{NOTEBOOKS[chapter]} does not exist yet"
    cells = json.loads(NOTEBOOKS[chapter].read_text(encoding="utf-8"))["cells"]
    code = {cell["id"] for cell in cells if cell["cell_type"] == "code"}
    assert {claim.cell for claim in claims(chapter).rows} - code == set()


def test_judged_chapters_exist():
    """Only chapters with a notebook have verdicts."""
    assert {claim.chapter for claim in claims().rows if claim.verdict} == set(NOTEBOOKS)


def test_terms_only():
    """A heading is a bare term, not a sentence of the page."""
    for claim in claims().rows:
        assert 1 <= len(claim.heading.split()) <= 5, claim
        assert len(claim.question.split()) <= 6, claim


def test_nothing_copied():
    """No eight words in a row of the page's answers stand in a text of this project."""
    copied = {}
    known = set().union(*map(shingles, answers(page())))
    for path in texts():
        if found := known & shingles(prose(path)):
            copied[path.name] = sorted(found)
    assert copied == {}


def test_copies_are_found():
    """The guard finds a copied sentence: it is not blind to the page's own text."""
    known = set().union(*map(shingles, answers(page())))
    longest = max(answers(page()), key=lambda part: len(part.split()))
    assert len(known) > 1000
    assert known & shingles(f"As they say: {longest}")


def test_table_shows_all():
    """The table of a chapter has a row for each claim, with verdict and cell."""
    table = claims(12)
    lines = table._repr_markdown_().splitlines()
    assert len(lines) == 2 + len(table) == 2 + 7 + 9
    assert repr(table).count("\n") == len(table) - 1
    assert "**does not hold**" in lines[2]
    assert "`break-incr-expire`" in lines[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "heading = 'x'\nchapter = 1\nquestion = 'q'\nverdict = 'maybe'",
            "unknown verdict 'maybe'",
        ),
        ("heading = 'x'\nquestion = 'q'", "chapter"),
        ("heading = 'x'\nchapter = 1\nquestion = 'q'\nproof = 1", "proof"),
    ],
)
def test_bad_claim(tmp_path, monkeypatch, text, sentence):
    """A claim with a made-up verdict, or with a part missing or unknown, is an error."""
    path = tmp_path / "claims.toml"
    path.write_text(f"consideration = []\n[[claim]]\n{text}\n")
    monkeypatch.setattr(datafiles, "find", lambda name: path)
    with pytest.raises(ClaimError, match=sentence):
        module._all.__wrapped__()


def test_no_claims():
    """A chapter without claims is an error, not an empty table."""
    with pytest.raises(ClaimError, match="no claim of chapter 99"):
        claims(99)
