"""One submission, from file to result: load, freeze, draw, judge, write.

A pure function of the file's bytes, the course's version, the secret and the round: it can run
twice, anywhere, and the second run finds the first one's result. Left out: points, and how many
submissions there are.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.exercises.exercise import Exercise
from course_lib.grading import load
from course_lib.grading.course import Chapter, Course
from course_lib.grading.errors import VIOLATION, Refused
from course_lib.grading.lane import Lane
from course_lib.grading.report.executed import sanitised
from course_lib.grading.sandbox.limits import CELL, NOTEBOOK, longest
from course_lib.grading.secret import Secret
from course_lib.grading.store import Store, write_whole
from course_lib.grading.submissions import Submission

__all__ = ["Grader"]

UNREADABLE = "0" * 64
MISSING = "MISSING"
REFUSED = "REFUSED"
Said = dict[str, Any]


@dataclass
class Grader:
    """What all submissions of one run have in common."""

    folder: Path
    course: Course
    secret: Secret
    store: Store
    lane: Lane
    execute: bool = True
    seconds: float = CELL.wall

    def grade(self, submission: Submission) -> Path:
        """Return the path of the submission's result, which is made unless it is there."""
        chapter = self.course.chapters[submission.notebook]
        try:
            data, changed = self._read(submission)
        except Refused as refused:
            return self._refused(submission, UNREADABLE, 0.0, refused)
        digest = load.digest(data)
        path = self.store.path(submission.student, submission.notebook, digest)
        judged = self.store.has(path) and self.store.read(path)["file"] == submission.file
        if judged and (not self.execute or self._executed(submission).exists()):
            return path
        try:
            cells = load.sources(data, {exercise.id for exercise in chapter.exercises})
        except Refused as refused:
            return path if judged else self._refused(submission, digest, changed, refused)
        if self.execute:
            self._execute(submission, chapter, cells)
        if not judged:
            result = self._head(submission, digest, changed)
            result["exercises"] = [self._one(chapter, e, cells) for e in chapter.exercises]
            self.store.write(path, result)
        return path

    def result(self, submission: Submission) -> Said | None:
        """Return the submission's result as it is on disk, or None."""
        try:
            data, _ = self._read(submission)
            digest = load.digest(data)
        except Refused:
            digest = UNREADABLE
        path = self.store.path(submission.student, submission.notebook, digest)
        return self.store.read(path) if self.store.has(path) else None

    def _read(self, submission: Submission) -> tuple[bytes, float]:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            folder = os.open(self.folder / submission.student, flags)
        except OSError:
            raise Refused("file", "The student's folder is no plain folder.") from None
        try:
            return load.read(folder, submission.file)
        finally:
            os.close(folder)

    def _head(self, submission: Submission, digest: str, changed: float) -> Said:
        return {
            "student": submission.student,
            "notebook": submission.notebook,
            "file": submission.file,
            "sha256": digest,
            "changed": int(changed),
            "version": self.store.version,
            "round": self.store.round,
            "status": "graded",
            "reason": "",
            "exercises": [],
        }

    def _refused(
        self, submission: Submission, digest: str, changed: float, refused: Refused
    ) -> Path:
        path = self.store.path(submission.student, submission.notebook, digest)
        head = self._head(submission, digest, changed)
        self.store.write(path, {**head, "status": "refused", "reason": refused.sentence})
        return path

    # One exercise

    def _one(self, chapter: Chapter, exercise: Exercise, cells: load.Cells) -> Said:
        if exercise.id in cells.wrong:
            return _nothing(exercise, REFUSED, cells.wrong[exercise.id])
        if exercise.id not in cells.found:
            return _nothing(exercise, MISSING, f"No cell is tagged `exercise:{exercise.id}`.")
        task = self._task(chapter, exercise, cells.found[exercise.id])
        said = None
        for _ in range(2):  # a box or a process may have been killed from outside, once
            said = self.lane.ask(task, longest(self.seconds) + 20) or said
            if said is not None and said.get("kind") != "ended":
                return said
        reason = "The judge gave no verdict, twice."
        return said or {**_nothing(exercise, VIOLATION, reason), "kind": "judge"}

    def _task(self, chapter: Chapter, exercise: Exercise, source: str) -> Said:
        """Freeze the source, then draw; nothing that was drawn can be foreseen."""

        def draw(purpose: str) -> int:
            return self.secret.seed(exercise.id, self.store.round, source, purpose)

        return {
            "exercise": exercise.id,
            "source": source,
            "prelude": chapter.preludes.get(exercise.id, []),
            "seeds": [draw(f"graded {n}") for n in range(len(exercise.seeds))],
            "example": draw("example"),
            "seconds": self.seconds,
        }

    def _execute(self, submission: Submission, chapter: Chapter, cells: load.Cells) -> None:
        """Let papermill execute the notebook with a drawn seed; the file is for reading only."""
        spliced = chapter.spliced(cells.found)
        everything = "\0".join(cells.found.values())
        seed = self.secret.seed(chapter.name, self.store.round, everything, "notebook")
        parameters = {"seed": seed % 1_000_000} if chapter.draws_seed else {}
        job = {"notebook": spliced, "parameters": parameters, "cell_seconds": 30}
        answer = self.lane.ask(job, NOTEBOOK.wall + 30)
        text = sanitised(spliced, answer["text"] if answer else "")
        write_whole(self._executed(submission), text)

    def _executed(self, submission: Submission) -> Path:
        return self.store.out / "executed" / submission.student / f"{submission.notebook}.ipynb"


def _nothing(exercise: Exercise, state: str, reason: str) -> Said:
    return {"exercise": exercise.id, "state": state, "cell": reason, "properties": []}
