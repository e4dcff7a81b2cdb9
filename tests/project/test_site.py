"""The static site: every notebook is in it, every link leads somewhere, and the players play."""

import json
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from tools import links, site
from tools.compared import notebooks
from tools.pictures import chromium
from tools.stored import PNG

NAMES = [path.name for path in notebooks()]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all notebooks."""
    out = tmp_path_factory.mktemp("site") / "out"
    site.build(out)
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all pages."""
    with chromium() as found:
        yield found


class Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag names and what it points to."""
        found = {key: value or "" for key, value in attrs}
        self.anchors |= {found[key] for key in ("id", "name") if key in found}
        loads = tag != "a" and found.get("rel") not in {"canonical", "author"}
        for key in ("href", "src"):
            if key in found:
                (self.loaded if loads else self.links).append(found[key])


def dead(folder: Path) -> list[str]:
    """Give the links of a site that lead nowhere, and what a page loads from elsewhere."""
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    found = []
    for name, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                found += [f"{name} loads {link}"] if link in page.loaded else []
                continue
            target, anchor = unquote(parts.path) or name, unquote(parts.fragment)
            there = (folder / target).exists()
            if not there or (anchor and anchor not in pages[target].anchors):
                found.append(f"{name}: {link}")
    return found


def test_every_notebook_has_its_page(built: Path) -> None:
    """Each notebook is a page, is in the navigation, and links to itself in Binder."""
    first = (built / "index.html").read_text()
    for name in NAMES:
        page = (built / name.replace(".ipynb", ".html")).read_text()
        assert links.binder(name) in page
        assert f'href="{name.replace(".ipynb", ".html")}"' in first


def test_no_dead_link(built: Path) -> None:
    """Every link within the site leads to a page and an anchor, and nothing is loaded from afar."""
    assert dead(built) == []


def test_dead_links_are_seen(tmp_path: Path) -> None:
    """The checker finds a missing page, a missing anchor and a script from elsewhere."""
    wrong = ["<a href='none.html'>", "<a href='#none'>", "<script src='https://x.test/a.js'>"]
    (tmp_path / "a.html").write_text("<a href='a.html#here' id='here'>" + "".join(wrong))
    assert len(dead(tmp_path)) == 3


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_its_trace(name: str) -> None:
    """`make notebooks` stored the trace beside each picture, and it is the picture's own."""
    from tools.stored import fingerprint

    for cell in nbformat.read(site.links.ROOT / "notebooks" / name, as_version=4).cells:
        for output in cell.get("outputs", []):
            if PNG in output.get("data", {}) and "trace" in output.metadata.get(PNG, {}):
                about = output.metadata[PNG]
                assert "state" in about, f"{name}, {cell.id}: make notebooks ARGS=notebooks/{name}"
                assert fingerprint(json.loads(about["state"])) == about["trace"]


def test_search_knows_the_chapters(built: Path) -> None:
    """The search index holds the words of each notebook."""
    text = (built / "searchindex.js").read_text()
    for name in NAMES:
        assert name.removesuffix(".ipynb") in text


def test_something_else_is_not_replaced(tmp_path: Path) -> None:
    """A folder that holds anything but a site is left as it is."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="something else than a site"):
        site.replace(tmp_path, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@needs_chromium
@pytest.mark.parametrize("name", ["index", "search", *(name[:-6] for name in NAMES)])
def test_page(built: Path, browser: Any, name: str) -> None:
    """From the disk, without a network: no request leaves, no error, every player is drawn.

    On a phone, no page is wider than the screen.
    """
    page = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((built / f"{name}.html").as_uri())
    places = page.locator(".atr-live")
    for number in range(places.count()):
        places.nth(number).scroll_into_view_if_needed()
        places.nth(number).locator(".atr-picture").wait_for()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


@needs_chromium
def test_player_plays(built: Path, browser: Any) -> None:
    """Play, Step and scrubbing move the picture; the theme's button darkens the player too."""
    page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    page.goto((built / "00_start_here.html").as_uri())
    place = page.locator(".atr-live").first
    place.scroll_into_view_if_needed()
    place.locator("button", has_text="Start").click()
    root = place.locator(".atr-root")
    assert root.get_attribute("data-at") == "0"
    place.locator("button", has_text="Step").click()
    stepped = float(root.get_attribute("data-at"))
    place.locator(".atr-scrub").press("ArrowRight")
    scrubbed = float(root.get_attribute("data-at"))
    assert stepped < scrubbed
    place.locator(".atr-play").click()
    page.wait_for_function(
        "before => Number(document.querySelector('.atr-root').dataset.at) > before", arg=scrubbed
    )
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    page.context.close()


@needs_chromium
def test_search_finds(built: Path, browser: Any) -> None:
    """The search page finds a chapter by a word of its text, from the disk."""
    page = browser.new_page()
    page.goto((built / "search.html").as_uri() + "?q=schedule")
    page.locator("#search-results li").first.wait_for()
    page.close()
