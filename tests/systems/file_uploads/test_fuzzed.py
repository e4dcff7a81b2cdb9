"""The apps against a fuzzer that reads their OpenAPI: no input makes them fail."""

import asyncio

import aiosqlite
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from course_lib.systems import file_uploads as fu


def tus(folder):
    """The tus server on a real folder."""
    storage = fu.storage_in(folder)
    asyncio.run(storage.catalog.prepare())
    return fu.tus_app(storage)


def store(folder):
    """The object store; its grants are never right, so it is the refusals that are tried."""
    objects = fu.Objects(lambda: aiosqlite.connect(folder / "objects.sqlite"))
    asyncio.run(objects.prepare())
    return fu.store_app(fu.Store(objects, fu.LocalDisk(folder / "o"), lambda: 0.0, b"secret"))


def generous(folder, monkeypatch):
    """The object store with every grant taken as right, so that what is behind them is tried."""
    monkeypatch.setattr("course_lib.systems.file_uploads.store_routes.verify", lambda *given: None)
    return store(folder)


def direct(folder):
    """The API's half of direct uploads."""

    async def look(key):
        return None

    made = fu.Direct(lambda: aiosqlite.connect(folder / "api.sqlite"), b"secret", lambda: 0.0, look)
    asyncio.run(made.prepare())
    return fu.direct_app(made)


@pytest.mark.parametrize("make", [tus, store, generous, direct], ids=lambda make: make.__name__)
def test_no_server_error(make, tmp_path, monkeypatch):
    """Whatever the schema allows, and what it does not, no answer is a 5xx."""
    app = make(tmp_path, monkeypatch) if make is generous else make(tmp_path)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith("/events") and operation.method == "get":
            continue  # a stream of its own: a fuzzer that reads to the end never comes to one

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def fuzz(case):
            response = case.call()
            if response.status_code != 507:
                case.validate_response(response, checks=[not_a_server_error])
            tried.append(response.status_code)

        fuzz()
    assert len(tried) > 30
    assert not [status for status in tried if status >= 500 and status != 507]
