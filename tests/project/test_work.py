"""An update, a reset and a hand-in lose nothing of what a learner wrote."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import load, submissions
from tools import handin, reset, work
from tools.failures import Stop

ROOT = Path(__file__).resolve().parents[2]
NAME = "12_rate_limiting.ipynb"
ID = "rate_limiting.retry_after"
STUB, MINE = "raise NotImplementedError", "return max(0, cost - level) / rate"


def notebook(words: str, source: str = STUB, output: str = "") -> bytes:
    """A notebook of one sentence and one exercise."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    tags = {"tags": ["exercise", f"exercise:{ID}"]}
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "words", "metadata": {}, "source": words},
        {"cell_type": "code", "id": "it", "metadata": tags, "source": source, "outputs": outputs},
    ]
    cells[1]["execution_count"] = 1 if output else None
    return work.dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def folder(tmp_path: Path) -> work.Folder:
    """A course of one notebook, of which the learner has a copy."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / NAME).write_bytes(notebook("Version 1."))
    made = work.Folder(tmp_path / "notebooks", tmp_path / "work")
    assert work.renew(made) == []
    return made


def update(folder: work.Folder, words: str = "Version 2.", **more: bool) -> str:
    """Bring a new version of the course; give what is said."""
    (folder.originals / NAME).write_bytes(notebook(words))
    folder.said.clear()
    return "\n".join(work.renew(folder, **more))


def files(folder: work.Folder) -> list[str]:
    """The names of all files in the learner's folder, hidden ones left out."""
    found = (p.relative_to(folder.copies).as_posix() for p in folder.copies.rglob("*"))
    return sorted(name for name in found if name.endswith(".ipynb"))


def test_untouched_is_renewed(folder: work.Folder) -> None:
    """A copy in which nothing was written becomes the new version, and leaves nothing behind."""
    assert "renewed" in update(folder)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 2.")
    assert files(folder) == [NAME]


def test_run_only_is_renewed_and_kept(folder: work.Folder) -> None:
    """A copy that was only run is renewed too; as it was, with its outputs, it is in earlier."""
    ran = notebook("Version 1.", output="the learner's run")
    (folder.copies / NAME).write_bytes(ran)
    assert "renewed" in update(folder)
    assert (folder.copies / "earlier" / "12_rate_limiting.1.ipynb").read_bytes() == ran
    assert update(folder) == ""


def test_run_without_an_update_stays(folder: work.Folder) -> None:
    """A copy of the newest version keeps the learner's outputs."""
    ran = notebook("Version 1.", output="the learner's run")
    (folder.copies / NAME).write_bytes(ran)
    assert work.renew(folder) == []
    assert (folder.copies / NAME).read_bytes() == ran


@pytest.mark.parametrize("mine", [notebook("Mine."), notebook("Version 1.", MINE), b"{", b""])
def test_edited_is_kept(folder: work.Folder, mine: bytes) -> None:
    """What the learner wrote stays byte for byte, damaged or not; the new lies beside it, once."""
    (folder.copies / NAME).write_bytes(mine)
    said = update(folder)
    assert "stays as it is" in said
    assert "12_rate_limiting.new.ipynb" in said
    assert (folder.copies / NAME).read_bytes() == mine
    assert (folder.copies / "12_rate_limiting.new.ipynb").read_bytes() == notebook("Version 2.")
    (folder.copies / "12_rate_limiting.new.ipynb").unlink()
    assert update(folder) == ""
    assert files(folder) == [NAME]


def test_new_one_worked_in_is_kept(folder: work.Folder) -> None:
    """A new version that the learner worked in goes to earlier before the next is laid beside."""
    (folder.copies / NAME).write_bytes(notebook("Mine."))
    update(folder)
    (folder.copies / "12_rate_limiting.new.ipynb").write_bytes(notebook("Mine as well."))
    update(folder, "Version 3.")
    kept = folder.copies / "earlier" / "12_rate_limiting.new.1.ipynb"
    assert kept.read_bytes() == notebook("Mine as well.")
    assert (folder.copies / NAME).read_bytes() == notebook("Mine.")


@pytest.mark.parametrize("at", range(1, 13))
@pytest.mark.parametrize("mine", [None, notebook("Mine."), notebook("Version 1.", output="ran")])
def test_interrupted_anywhere(
    folder: work.Folder, monkeypatch: pytest.MonkeyPatch, at: int, mine: bytes | None
) -> None:
    """Ctrl-C at any write, sync or rename of an update loses nothing, and the next one mends it."""
    if mine is not None:
        (folder.copies / NAME).write_bytes(mine)
    calls = iter(range(1, 100))

    def interrupting(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if next(calls) == at:
                raise KeyboardInterrupt
            return real(*args, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupting(os.fsync))
        patch.setattr(Path, "rename", interrupting(Path.rename))
        patch.setattr(Path, "replace", interrupting(Path.replace))
        patch.setattr(Path, "unlink", interrupting(Path.unlink))
        with suppress(KeyboardInterrupt):
            update(folder)
    update(folder)
    kept = [(folder.copies / name).read_bytes() for name in files(folder)]
    assert notebook("Version 2.") in kept
    assert mine is None or mine in kept
    assert not list(folder.copies.rglob(".*.draft"))
    assert update(folder) == ""


def test_deleted_is_laid_again(folder: work.Folder) -> None:
    """A copy that the learner deleted comes back as new, and that is said."""
    (folder.copies / NAME).unlink()
    assert "was missing and is laid again" in update(folder, "Version 1.")
    assert (folder.copies / NAME).is_file()


def test_the_list_is_lost(folder: work.Folder) -> None:
    """Without the list of what was laid, everything counts as the learner's."""
    (folder.copies / ".laid.json").write_text("[]")
    assert "stays as it is" in update(folder)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 1.")


def test_running(folder: work.Folder) -> None:
    """While JupyterLab runs, a copy that may be open is not replaced; afterwards it is."""
    assert "started next" in update(folder, running=True)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 1.")
    assert "renewed" in update(folder)


def test_links_are_left(folder: work.Folder, tmp_path: Path) -> None:
    """A link in a copy's place is not followed and not replaced; its target stays as it is."""
    other = tmp_path / "other.ipynb"
    other.write_bytes(b"somebody else's")
    (folder.copies / NAME).unlink()
    (folder.copies / NAME).symlink_to(other)
    assert "no plain file" in update(folder)
    assert other.read_bytes() == b"somebody else's"
    with pytest.raises(Stop, match="is a link"):
        work.load(folder.copies / NAME)


def test_a_file_named_work(tmp_path: Path) -> None:
    """A file where the folder should be: one sentence, and the file stays."""
    (tmp_path / "work").write_text("mine")
    with pytest.raises(Stop, match="not a folder"):
        work.renew(work.Folder(tmp_path, tmp_path / "work"))
    assert (tmp_path / "work").read_text() == "mine"


def test_read_only(folder: work.Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be written to: a sentence for each notebook, and nothing is lost."""
    if os.geteuid() == 0:  # root may write everywhere, so the refusal is made by hand

        def refused(*_: Any, **__: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refused)
    else:
        folder.copies.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "cannot be written to" in update_in_place(folder)
    monkeypatch.undo()
    folder.copies.chmod(0o700)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 1.")


def update_in_place(folder: work.Folder) -> str:
    """As update, where `Path.open` may refuse."""
    with open(folder.originals / NAME, "wb") as file:
        file.write(notebook("Version 2."))
    return "\n".join(work.renew(folder))


def test_reset_an_exercise(folder: work.Folder) -> None:
    """One exercise gets its stub back; the rest stays, and the notebook as it was is kept."""
    mine = notebook("Mine.", MINE, "ran")
    (folder.copies / NAME).write_bytes(mine)
    said = reset.reset(folder, ID)
    assert "begins anew in 12_rate_limiting.ipynb" in said
    assert (folder.copies / NAME).read_bytes() == notebook("Mine.")
    assert (folder.copies / "earlier" / "12_rate_limiting.1.ipynb").read_bytes() == mine


@pytest.mark.parametrize("what", ["12", "12_rate_limiting", NAME, "rate_limiting"])
def test_reset_a_notebook(folder: work.Folder, what: str) -> None:
    """A notebook begins anew by number or name; as it was, it is kept; twice keeps it once."""
    (folder.copies / NAME).write_bytes(notebook("Mine.", MINE))
    assert "earlier/12_rate_limiting.1.ipynb" in reset.reset(folder, what)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 1.")
    reset.reset(folder, what)
    assert files(folder) == [NAME, "earlier/12_rate_limiting.1.ipynb"]


def test_newest_with_answers(folder: work.Folder) -> None:
    """The newest version takes over the answers; the new one beside it is gone then."""
    (folder.copies / NAME).write_bytes(notebook("Mine.", MINE, "ran"))
    update(folder)
    assert ID in reset.reset(folder, "12", keep_answers=True)
    assert (folder.copies / NAME).read_bytes() == notebook("Version 2.", MINE)
    assert files(folder) == [NAME, "earlier/12_rate_limiting.1.ipynb"]
    assert update(folder) == ""


def test_reset_says_what_is_wrong(folder: work.Folder) -> None:
    """An unknown name, a damaged notebook and a lost cell get a sentence, and nothing changes."""
    for mine, what, said in [
        (notebook("Mine."), "13", "no notebook and no exercise"),
        (b"{", ID, "damaged"),
        (work.dump({"cells": []}), ID, "holds 0 cells"),
    ]:
        (folder.copies / NAME).write_bytes(mine)
        with pytest.raises(Stop, match=said):
            reset.reset(folder, what)
        assert (folder.copies / NAME).read_bytes() == mine


def test_hand_in_is_what_the_grader_reads(folder: work.Folder, tmp_path: Path) -> None:
    """The file unpacks to what the grader finds, and it reads the learner's answer from it."""
    (folder.copies / NAME).write_bytes(notebook("Mine.", MINE, "a secret"))
    os.utime(folder.copies / NAME, (1_700_000_000, 1_700_000_000))
    said = handin.hand_in(folder, "ada")
    assert said[:2] == [
        "work/handin-ada.zip is ready to send. For ada, it holds",
        f"  {NAME}: 1 of 1 exercises written ({ID})",
    ]
    with zipfile.ZipFile(folder.copies / "handin-ada.zip") as archive:
        assert archive.infolist()[0].date_time[:2] == (2023, 11)
        archive.extractall(tmp_path / "in")
    found, strays, students = submissions.find(tmp_path / "in", {NAME[:-6]})
    assert (strays, students) == ([], ["ada"])
    data = (tmp_path / "in" / "ada" / found[0].file).read_bytes()
    assert load.sources(data, {ID}).found == {ID: MINE}
    assert b"a secret" not in data


def test_names_are_those_of_the_grader() -> None:
    """The names and the size that are refused here are those that the grader refuses."""
    assert handin.STUDENT.pattern == submissions.STUDENT.pattern
    assert handin.LARGEST == load.LARGEST


@pytest.mark.parametrize("name", ["", "a/b", "../ada", "=1+1", "ada\n"])
def test_bad_names(folder: work.Folder, name: str) -> None:
    """A name that the grader would refuse is refused here."""
    with pytest.raises(Stop, match="cannot be the name"):
        handin.hand_in(folder, name)


def test_nothing_to_hand_in(folder: work.Folder) -> None:
    """Stubs alone, or nothing, make no file."""
    with pytest.raises(Stop, match="nothing to hand in"):
        handin.hand_in(folder, "ada")
    assert not list(folder.copies.glob("*.zip"))


def test_hand_in_asks_which(folder: work.Folder) -> None:
    """Work in two versions of one notebook, or an exercise twice: the learner is told."""
    (folder.copies / NAME).write_bytes(notebook("Mine.", MINE))
    update(folder)
    (folder.copies / "12_rate_limiting.new.ipynb").write_bytes(notebook("Version 2.", "return 1"))
    with pytest.raises(Stop, match="both hold something of yours"):
        handin.hand_in(folder, "ada")
    (folder.copies / "12_rate_limiting.new.ipynb").unlink()
    twice = json.loads(notebook("Mine.", MINE))
    twice["cells"].append(twice["cells"][1])
    (folder.copies / NAME).write_bytes(work.dump(twice))
    with pytest.raises(Stop, match="twice"):
        handin.hand_in(folder, "ada")


def test_the_course_itself() -> None:
    """Every exercise of the course can be reset by its name: its stub is in its notebook."""
    listed = reset.choices(work.Folder(copies=ROOT / "none"))
    assert len(listed) == 1 + len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert all(line.partition(": ")[2] for line in listed[1:])


def test_standard_library_only() -> None:
    """The commands run on a bare Python, before anything is installed."""
    names = "tools.work, tools.reset, tools.handin, tools.lab, tools.progress"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); import {names}"],
        cwd=ROOT,
    )
    assert run.returncode == 0
