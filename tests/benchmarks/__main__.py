"""Runs every benchmark as the program it is: python -m tests.benchmarks [clock] [lab] ...

The figures go to docs/benchmarks.json and docs/benchmarks.md; those of benchmarks that were not run
stay as they are.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import page

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; the exit code is 1 if one of them failed."""
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}.")
        return 2
    figures: dict[str, Any] = {}
    codes = [measure(name, figures) for name in chosen or NAMES]
    page.keep(figures)
    print(f"{page.PAGE.relative_to(FOLDER.parents[1])} shows it; `make readme` takes it over.")
    return int(any(codes))


def measure(name: str, figures: dict[str, Any]) -> int:
    """Run one benchmark, add what it found to the figures and give its exit code."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "figures.json"
        program = [sys.executable, "-m", f"tests.benchmarks.bench_{name}"]
        known = {**os.environ, "COURSE_BENCH_OUT": str(out)}
        code = subprocess.run(program, cwd=FOLDER.parents[1], env=known).returncode
        if out.is_file():
            figures[name] = json.loads(out.read_text(encoding="utf-8"))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
