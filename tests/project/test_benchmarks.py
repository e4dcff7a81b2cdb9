"""The benchmarks' page is made from the figures, names what is slower, and README shows it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import page

ROOT = Path(__file__).resolve().parents[2]
MADE: dict[str, list[dict[str, Any]]] = {
    "clock": [
        {
            "title": "Sleeps",
            "on": "a machine",
            "missed": ["with 1 task 1.5, not 2."],
            "rows": [
                {"tasks": "1", "ours": "9", "times SimPy": "2.50", "times trio": "0.80"},
                {"tasks": "1,000", "ours": "9", "times SimPy": "3.00", "times trio": "-"},
            ],
        }
    ]
}


def test_summary() -> None:
    """Each peer has its line, with the range of ratios and the rows in which ours is slower."""
    lines = page.summary(MADE)
    assert lines[2] == "| clock | SimPy | 2.5 to 3 | - | a machine |"
    assert lines[3] == "| clock | trio | 0.8 | 1 tasks | a machine |"
    assert "with 1 task" in page.page(MADE)


def test_a_part_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of benchmarks that were not run again stay."""
    monkeypatch.setattr(page, "FIGURES", tmp_path / "figures.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.keep(MADE)
    page.keep({"site": MADE["clock"]})
    kept = json.loads(page.FIGURES.read_text())
    assert kept == {"clock": MADE["clock"], "site": MADE["clock"]}
    assert list(kept["clock"][0]["rows"][0]) == list(MADE["clock"][0]["rows"][0])
    assert "## Site: Sleeps" in page.PAGE.read_text()


def test_every_benchmark_is_a_program() -> None:
    """Each benchmark can be run by itself and hands its tables on."""
    for name in command.NAMES:
        text = (ROOT / "tests" / "benchmarks" / f"bench_{name}.py").read_text()
        assert 'if __name__ == "__main__":' in text
        assert "finish(" in text


def test_the_page_is_that_of_the_figures() -> None:
    """docs/benchmarks.md is what the figures beside it give."""
    figures = json.loads(page.FIGURES.read_text())
    assert page.PAGE.read_text() == page.page(figures)
