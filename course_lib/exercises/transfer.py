"""Carries progress from one machine to another: `python -m course_lib.exercises.transfer FILE`.

Export writes a copy of the progress file. Taking merges: what was passed on either machine is
passed. Left out: the learner's code, which is in the notebooks.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from course_lib.exercises.map import progress_map
from course_lib.exercises.progress import Progress

__all__ = ["export", "main", "take"]


def export(path: Path, progress: Progress | None = None) -> str:
    """Write the progress to `path`; return a sentence that says what it holds."""
    document, sentence = (progress or Progress()).read()
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    passed = sum(entry.get("passed") is True for entry in document["exercises"].values())
    return f"{path} holds your progress (exercises passed: {passed}). {sentence}".strip()


def take(path: Path, progress: Progress | None = None) -> str:
    """Merge the progress in `path` into this machine's; return a sentence."""
    if not path.is_file():
        return f"There is no file {path}; nothing was changed."
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        passed = sorted(name for name, entry in entries.items() if entry.get("passed") is True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{path} holds no progress; nothing was changed."
    kept = progress or Progress()
    for name in passed:
        if sentence := kept.change(name, _passed):
            return sentence
    return f"Taken over from {path} (exercises passed: {len(passed)})."


def _passed(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "state": "PASS", "passed": True}


def main(arguments: list[str]) -> int:
    """Show the map, then export or take."""
    parser = argparse.ArgumentParser(prog="make progress", description="Export or take progress.")
    parser.add_argument("--out", type=Path, default=Path("work/progress.json"))
    parser.add_argument("--take", type=Path, help="a file that another machine exported")
    options = parser.parse_args(arguments)
    said = take(options.take) if options.take else ""
    print(progress_map())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    print(said or export(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
