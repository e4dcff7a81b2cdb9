"""A Chromium and a JupyterLab for each module; without Chromium its tests are skipped."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; while it is open, asyncio.run fails in this process, so not for long."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        pytest.skip("playwright is not installed; the browser tests are left out.")
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("Chromium is not installed; the browser tests are left out.")
    from tools.pictures import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def lab(browser: Any) -> Iterator[Any]:
    """A running JupyterLab."""
    from tests.browser.jupyterlab import lab_server

    with lab_server(browser) as running:
        yield running


@pytest.fixture
def chapter(visit: Any) -> Iterator[Any]:
    """The chapter of a module's `visit`, run; after each test no console error, and no request to
    elsewhere.
    """
    yield visit.chapter
    assert visit.chapter.errors == []
    assert visit.chapter.lab.asked() == []
