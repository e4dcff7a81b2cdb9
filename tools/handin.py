"""Makes the file that a learner hands in: `make handin ARGS=--name=ada` -> work/handin-ada.zip.

It unpacks to `ada/12_rate_limiting.ipynb` and so on, which is what the grader reads. A notebook is
in it when an exercise of it was written. Outputs are left out. Standard library only.
"""

from __future__ import annotations

import argparse
import io
import re
import time
import zipfile
from pathlib import Path

from tools import work
from tools.failures import Stop

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # what the grader takes as a folder's name
LARGEST = 2_000_000  # bytes of a notebook that the grader reads


def main(arguments: list[str]) -> int:
    """Make the file and say what it holds."""
    parser = argparse.ArgumentParser(prog="make handin", description=__doc__)
    parser.add_argument("--name", required=True, help="your name or number in the course")
    options = parser.parse_args(arguments[1:])
    print("\n".join(hand_in(work.Folder().ready(), options.name)))
    return 0


def hand_in(folder: work.Folder, student: str) -> list[str]:
    """Write the file for `student`; give the lines that say what it holds."""
    if not STUDENT.fullmatch(student):
        raise Stop(
            f'"{student}" cannot be the name: use the one that your instructor gave you, of '
            "letters, digits, dots, dashes and underscores."
        )
    held, empty, wrong = [], [], []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in folder.names():
            try:
                said = pack(archive, folder, name, student)
            except Stop as stop:
                wrong.append(f"  {stop}")
                continue
            (held if said else empty).append(f"  {name}: {said}" if said else name[:-6])
    return report(folder, student, packed.getvalue(), held, empty, wrong)


def report(
    folder: work.Folder,
    student: str,
    packed: bytes,
    held: list[str],
    empty: list[str],
    wrong: list[str],
) -> list[str]:
    """Write the file, unless it would be empty, and say what it holds and what it does not."""
    if not held:
        nothing = f"There is nothing to hand in yet: no exercise in {folder.copies.name} is written"
        raise Stop("\n".join([f"{nothing}. Save the notebook first (Ctrl+S).", *wrong]))
    path = folder.copies / f"handin-{student}.zip"
    work.write(path, packed)
    lines = [f"{folder.copies.name}/{path.name} is ready to send. For {student}, it holds", *held]
    if empty:
        lines.append(f"Left out, as nothing is written in them: {', '.join(empty)}.")
    if wrong:
        lines += ["Left out, and perhaps you want them in:", *wrong]
    return [*lines, "Only the cells of the exercises are graded; outputs are not in the file."]


def pack(archive: zipfile.ZipFile, folder: work.Folder, name: str, student: str) -> str:
    """Put one notebook into the file; say what is written in it, or nothing if nothing is."""
    path = folder.copies / name
    warn_of_second(folder, name)
    if not path.exists() and not path.is_symlink():
        return ""
    stubs = {one: work.text(c) for one, c in work.exercises(work.load(folder.originals / name))}
    notebook = work.load(path)
    answers = [(one, work.text(cell)) for one, cell in work.exercises(notebook) if one in stubs]
    written = [one for one, source in answers if source.strip() != stubs[one].strip()]
    if not written:
        return ""
    if twice := sorted({one for one in written if [a for a, _ in answers].count(one) > 1}):
        raise Stop(f"{name} holds {twice[0]} twice, and then neither counts: delete one cell.")
    data = work.dump(bare(notebook))
    if len(data) > LARGEST:
        raise Stop(f"{name} is larger than 2 MB even without outputs: take pictures out of it.")
    archive.writestr(stamped(f"{student}/{name}", path), data)
    return f"{len(written)} of {len(stubs)} exercises written ({', '.join(written)})"


def warn_of_second(folder: work.Folder, name: str) -> None:
    """Stop when the new version beside a notebook was worked in: which one is meant?"""
    beside = folder.copies / name.replace(".ipynb", ".new.ipynb")
    known = folder.laid().get(name, [])
    if beside.is_file() and work.marks(beside.read_bytes())[1] not in known:
        raise Stop(
            f"{name} and {beside.name} both hold something of yours: keep the one that counts as "
            f"{name}, and move the other out of the folder."
        )


def bare(notebook: work.Notebook) -> work.Notebook:
    """Take the outputs out of a notebook."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def stamped(name: str, path: Path) -> zipfile.ZipInfo:
    """Give a file's entry, with the time at which the learner last changed it."""
    entry = zipfile.ZipInfo(name, time.localtime(path.stat().st_mtime)[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry
