"""How soon a page of the static site is there, beside nbconvert's page of the same notebook.

From the disk, in headless Chromium, without a network: nbconvert's page asks a CDN for its scripts,
and is refused at once, which is to its advantage. Median of interleaved loads, to the load event;
for ours also until the first player is drawn.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.report import Table, finish
from tools import site
from tools.compared import notebooks
from tools.pictures import chromium

LOADS = 7
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
DRAWN = """() => new Promise((done) => {
  const place = document.querySelector(".atr-live");
  if (!place) return done(null);
  place.scrollIntoView();
  const began = performance.now();
  const look = () => place.querySelector(".atr-picture")
    ? requestAnimationFrame(() => done(performance.now() - began)) : requestAnimationFrame(look);
  look();
})"""


def by_nbconvert(path: Path, out: Path) -> Path:
    """The page that nbconvert makes."""
    words = ["--to", "html", "--output-dir", str(out), str(path)]
    subprocess.run([sys.executable, "-m", "nbconvert", "--log-level=ERROR", *words], check=True)
    return out / f"{path.stem}.html"


def load(browser: Any, path: Path) -> tuple[float, float | None]:
    """Milliseconds to the load event, and from there to the first player."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.route("http*://**", lambda route: route.abort())
    page.goto(path.as_uri())
    took = page.evaluate(LOADED), page.evaluate(DRAWN)
    page.context.close()
    return took


def rows() -> Table:
    """Every notebook's page, beside nbconvert's."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        ours, theirs = Path(place) / "ours", Path(place) / "theirs"
        site.build(ours)
        made = [row(browser, path, ours, theirs) for path in notebooks()]
        files = [path for path in ours.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
    return Table(f"load of a page; the whole site is {size:.1f} MB in {len(files)} files", made)


def row(browser: Any, path: Path, ours: Path, theirs: Path) -> dict[str, str]:
    """One notebook's row."""
    pages = ours / f"{path.stem}.html", by_nbconvert(path, theirs)
    turns = [[load(browser, page) for page in pages] for _ in range(LOADS)]
    our_ms, their_ms = (statistics.median(turn[n][0] for turn in turns) for n in (0, 1))
    drawn = [turn[0][1] for turn in turns if turn[0][1] is not None]
    sizes = [page.stat().st_size / 1e3 for page in pages]
    return {
        "notebook": path.stem,
        "kB": f"{sizes[0]:,.0f}",
        "nbconvert, kB": f"{sizes[1]:,.0f}",
        "load, ms": f"{our_ms:.0f}",
        "nbconvert, ms": f"{their_ms:.0f}",
        "first player, ms": f"{statistics.median(drawn):.0f}" if drawn else "-",
        "times nbconvert's page": f"{their_ms / our_ms:.2f}",
    }


def main() -> int:
    """Measure, or say what is missing."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        print("Chromium is not installed; the site's benchmark is left out.")
        return 0
    return finish(rows())


if __name__ == "__main__":
    sys.exit(main())
