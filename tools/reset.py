"""Begins a notebook or one exercise anew: make reset ARGS=12, or ARGS=sagas.undo.

The notebook as it was goes to `work/earlier`. Standard library only.
"""

from __future__ import annotations

import argparse

from tools import work
from tools.failures import Stop

RELOAD = "If it is open in JupyterLab: File, Reload Notebook from Disk."


def main(arguments: list[str]) -> int:
    """Reset what is named and say what was done."""
    parser = argparse.ArgumentParser(prog="make reset", description=__doc__)
    parser.add_argument("what", nargs="?", help="a notebook (12) or an exercise")
    parser.add_argument("--keep-answers", action="store_true", help="the newest text, your answers")
    options = parser.parse_args(arguments[1:])
    folder = work.Folder().ready()
    if options.what is None:
        print("\n".join(choices(folder)))
        return 0
    print(reset(folder, options.what, options.keep_answers))
    return 0


def choices(folder: work.Folder) -> list[str]:
    """Give what can be reset, one notebook a line."""
    lines = ["Name a notebook or an exercise: make reset ARGS=..."]
    for name in folder.names():
        ids = [one for one, _ in work.exercises(work.load(folder.originals / name))]
        lines.append(f"  {name.removesuffix('.ipynb')}: {', '.join(ids)}")
    return lines


def reset(folder: work.Folder, what: str, keep_answers: bool = False) -> str:
    """Reset a notebook or an exercise; give the sentence that says what was done."""
    word = what.removesuffix(".ipynb")
    for name in folder.names():
        if word in {name.removesuffix(".ipynb"), name[:2], name[3:].removesuffix(".ipynb")}:
            return renewed(folder, name) if keep_answers else begun_anew(folder, name)
        if word in dict(work.exercises(work.load(folder.originals / name))):
            return exercise_anew(folder, name, word)
    raise Stop(f"There is no notebook and no exercise {what}: `make reset` lists them.")


def begun_anew(folder: work.Folder, name: str) -> str:
    """Lay the newest version in a notebook's place."""
    original = (folder.originals / name).read_bytes()
    before = {*folder.copies.glob("earlier/*")}
    folder.lay(name, original, folder.copies / name)
    kept = {*folder.copies.glob("earlier/*")} - before
    said = f" As it was, it is kept as earlier/{kept.pop().name}." if kept else ""
    return f"{name} begins anew.{said} {RELOAD}"


def renewed(folder: work.Folder, name: str) -> str:
    """Lay the newest version in a notebook's place, with the learner's answers in it."""
    answers = written(folder, name)
    beside = folder.copies / name.replace(".ipynb", ".new.ipynb")
    begun_anew(folder, name)
    notebook = work.with_answers(work.load(folder.originals / name), answers)
    if answers:
        work.write(folder.copies / name, work.dump(notebook))
    if beside.is_file() and work.marks(beside.read_bytes())[0] in folder.laid()[name]:
        beside.unlink()
    held = [one for one, _ in work.exercises(notebook) if one in answers]
    gone = sorted(set(answers) - set(held))
    lost = f" No longer in it: {', '.join(gone)}." if gone else ""
    which = ", ".join(held) or "there were none"
    return (
        f"{name} is the newest version, with your answers ({which}).{lost} As it was, it is in "
        f"`earlier`. {RELOAD}"
    )


def written(folder: work.Folder, name: str) -> dict[str, str]:
    """Give the learner's answers: the exercises' cells that are not as they came."""
    stubs = {one: work.text(c) for one, c in work.exercises(work.load(folder.originals / name))}
    copy = work.exercises(work.load(folder.copies / name))
    return {one: work.text(cell) for one, cell in copy if work.text(cell) != stubs.get(one)}


def exercise_anew(folder: work.Folder, name: str, exercise: str) -> str:
    """Put the stub back into one exercise's cell."""
    notebook = work.load(folder.copies / name)
    stub = work.text(dict(work.exercises(work.load(folder.originals / name)))[exercise])
    cells = [cell for one, cell in work.exercises(notebook) if one == exercise]
    if len(cells) != 1:
        stem = name.removesuffix(".ipynb")
        raise Stop(
            f"{name} holds {len(cells)} cells tagged exercise:{exercise} and should hold one: "
            f'make reset ARGS="{stem} --keep-answers" puts the cells in order.'
        )
    aside = folder.put_aside(folder.copies / name)
    work.write(folder.copies / name, work.dump(work.with_answers(notebook, {exercise: stub})))
    kept = f" As it was, the notebook is kept as earlier/{aside.name}." if aside else ""
    return (
        f"{exercise} begins anew in {name}.{kept} "
        f'Its progress stays until you call reset("{exercise}") there. {RELOAD}'
    )
