"""What all tests share: a skip is a failure where everything is required, and the compared share.

Notebooks and tests run with an empty progress file, so that nobody's own progress is touched.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.compared import summary

# Tests that may be skipped even where everything is required: node id -> reason.
PAGE = "the question page is not part of the repository"
MAY_SKIP = {
    "tests/project/test_claims.py::test_as_many_as_on_the_page": PAGE,
    "tests/project/test_claims.py::test_nothing_copied": PAGE,
    "tests/project/test_claims.py::test_copies_are_found": PAGE,
}


def pytest_configure(config: pytest.Config) -> None:
    """Keep progress and Jupyter's own files of the tests in a folder that goes away."""
    if "COURSE_TESTS_HOME" not in os.environ:
        home = tempfile.TemporaryDirectory(prefix="course-tests-")
        config.add_cleanup(home.cleanup)
        os.environ["COURSE_TESTS_HOME"] = home.name
    home_path = Path(os.environ["COURSE_TESTS_HOME"])
    os.environ.setdefault("COURSE_PROGRESS", str(home_path / "progress.json"))
    os.environ.setdefault("IPYTHONDIR", str(home_path / "ipython"))
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget the folder, for a second pytest run in the same process."""
    if not hasattr(config, "workerinput"):
        os.environ.pop("COURSE_TESTS_HOME", None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skipped test into a failed one where everything is required."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Turn a skipped module into a failed one where everything is required."""
    report = yield
    refuse_skip(report)
    return report


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skip a failure with the skip's own reason, unless it is on the list."""
    required = os.environ.get("COURSE_REQUIRE_ALL") == "1"
    if required and report.outcome == "skipped" and report.nodeid not in MAY_SKIP:
        if hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Skipped where everything is required: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the share of compared cells when the notebooks were part of the run."""
    if terminalreporter.config.getoption("nbval", False):
        terminalreporter.section("compared cells")
        for line in summary():
            terminalreporter.write_line(line)
