"""The exercises: what a notebook calls to check an answer, to get a hint, to see a solution, to
start again.

`check("rate_limiting.retry_after", retry_after)` says NOT STARTED, PASS, FAIL with the shortest
counterexample, or UNKNOWN, and keeps the progress. A chapter's exercises stand in the module with
its slug and are found by themselves. Left out: grades.
"""

from course_lib.exercises.map import progress_map
from course_lib.exercises.notebook import check, hint, reset, solution

__all__ = ["check", "hint", "progress_map", "reset", "solution"]
