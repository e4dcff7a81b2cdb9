"""The tus server as a program: a folder, a database in it, a port.

    python -m course_lib.systems.file_uploads /srv/uploads --port 8000

Kill it at any time and start it again: nothing that was acknowledged is lost.
Leaves out: TLS, who is who, and the hourly sweep, which the application schedules.
"""

from __future__ import annotations

import time
from pathlib import Path

import aiosqlite
from fastapi import FastAPI

from course_lib.systems.file_uploads.catalog import Catalog
from course_lib.systems.file_uploads.disk import LocalDisk
from course_lib.systems.file_uploads.storage import Rules, Storage
from course_lib.systems.file_uploads.tus import tus_app

__all__ = ["service", "storage_in"]


def storage_in(folder: Path, rules: Rules | None = None) -> Storage:
    """A storage whose records and bytes lie in `folder`."""
    disk = LocalDisk(folder / "parts")
    catalog = Catalog(lambda: aiosqlite.connect(folder / "uploads.sqlite"))
    return Storage(catalog, disk, time.time, rules=rules or Rules())


def service(folder: Path, rules: Rules | None = None) -> FastAPI:
    """The app for uvicorn.

    >>> uvicorn.run(service(Path("/srv/uploads")), port=8000)
    """
    return tus_app(storage_in(folder, rules))
