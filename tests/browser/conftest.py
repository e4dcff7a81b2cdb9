"""A headless Chromium for each module; without it the browser tests are skipped, and say so."""

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
