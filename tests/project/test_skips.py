"""A skip is a failure where everything is required, and a skip elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "test_skip.py": "import pytest\ndef test_it():\n    pytest.skip('no such program')\n",
    "test_module.py": "import pytest\npytest.importorskip('no_such_module')\n",
    "test_xfail.py": "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n",
    "test_pass.py": "def test_it():\n    pass\n",
}


@pytest.mark.parametrize(
    ("required", "line"),
    [("1", "1 failed, 1 passed, 1 xfailed, 1 error"), ("", "1 passed, 2 skipped, 1 xfailed")],
)
def test_skip(tmp_path: Path, required: str, line: str) -> None:
    """A skipped test and a skipped module fail the run if everything is required, else not."""
    for name, source in FILES.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-p", "tests.conftest", "--continue-on-collection-errors"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    variables = {**os.environ, "COURSE_REQUIRE_ALL": required}
    run = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1].startswith(line)
    assert run.returncode == (1 if required else 0)
