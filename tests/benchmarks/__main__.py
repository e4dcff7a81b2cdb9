"""Runs every benchmark as the program it is: python -m tests.benchmarks [clock] [lab] ..."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; the exit code is 1 if one of them failed."""
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}.")
        return 2
    programs = [
        [sys.executable, "-m", f"tests.benchmarks.bench_{name}"] for name in chosen or NAMES
    ]
    codes = [subprocess.run(program, cwd=FOLDER.parents[1]).returncode for program in programs]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
