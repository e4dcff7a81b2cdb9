"""All submissions: one after the other in this process, or over Dask on many.

What goes to a worker is a path and what comes back is a path; results are files. So a worker that
is lost costs one submission's time, and a driver that is killed finds what was done before. At
most a few submissions per worker are under way at a time. Left out: time limits, which are the
judge's.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grading import secret
from course_lib.grading.course import Course
from course_lib.grading.errors import CannotStart
from course_lib.grading.grade import Grader
from course_lib.grading.lane import Lane
from course_lib.grading.store import Store
from course_lib.grading.submissions import Submission

__all__ = ["Plan", "grade_all"]

WINDOW = 4  # submissions under way per worker
RETRIES = 3
PATIENCE = 15  # seconds for a scheduler to answer, and to have a worker


@dataclass(frozen=True)
class Plan:
    """One run, as every process understands it; the secret is named, not carried."""

    folder: Path
    out: Path
    notebooks: Path | None
    secret_file: Path | None
    round: int
    execute: bool
    seconds: float
    version: str


Done = Callable[[Submission, str], None]


def grade_all(
    plan: Plan, todo: list[Submission], workers: int, scheduler: str | None, done: Done
) -> None:
    """Grade all; `done(submission, trouble)` is called for each, trouble empty when it went well.

    Raises CannotStart when there is no sandbox or no scheduler.
    """
    if scheduler is None and workers == 1:
        try:
            for submission in todo:
                done(submission, _attempt(plan, submission))
        finally:
            _let_go()
        return
    with _client(workers, scheduler) as client:
        _spread(client, plan, todo, done)


def _attempt(plan: Plan, submission: Submission) -> str:
    """Grade one; return what went wrong, of all that is not the submission's own fault."""
    try:
        with _one_at_a_time:
            _grader(plan).grade(submission)
    except CannotStart:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


_one_at_a_time = threading.Lock()
"""A lane takes one job at a time, also in a Dask worker that was given several threads."""
_held: dict[Plan, Grader] = {}
"""The grader of this process, with its open lane; it belongs to one plan."""


def _grader(plan: Plan) -> Grader:
    if plan not in _held:
        _let_go()
        _held[plan] = _made(plan)
    return _held[plan]


def _let_go() -> None:
    """Close the lane of this process; nothing of a run stays behind in somebody's Dask worker."""
    while _held:
        _held.popitem()[1].lane.close()


def _made(plan: Plan) -> Grader:
    course = Course(plan.notebooks)
    if course.version != plan.version:
        raise CannotStart(
            f"A worker has version {course.version} of the course, not {plan.version}."
        )
    store = Store(plan.out, course.version, plan.round)
    key = secret.load(plan.secret_file)
    lane = Lane(course.modules(plan.execute))
    lane.open()
    return Grader(plan.folder, course, key, store, lane, plan.execute, plan.seconds)


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    """A Dask client with workers behind it, or CannotStart."""
    try:
        import distributed
    except ImportError:
        raise CannotStart(
            "More than one worker needs Dask: pip install 'answers-that-run[grading]'; "
            "or grade with --workers 1."
        ) from None
    with ExitStack() as stack:
        client = _connected(distributed, stack, workers, scheduler)
        yield client
        if scheduler is not None:
            client.run(_let_go)


def _connected(distributed: Any, stack: ExitStack, workers: int, scheduler: str | None) -> Any:
    if scheduler is None:
        return stack.enter_context(_local(distributed, stack, workers))
    try:
        client = stack.enter_context(distributed.Client(scheduler, timeout=PATIENCE))
    except (OSError, ValueError) as error:
        raise CannotStart(f"The scheduler {scheduler} cannot be reached: {error}.") from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise CannotStart(f"The scheduler {scheduler} has no workers: `dask worker`.") from None
    return client


def _local(distributed: Any, stack: ExitStack, workers: int) -> Any:
    cluster = distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=None,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        silence_logs=50,
    )
    return distributed.Client(stack.enter_context(cluster))


def _spread(client: Any, plan: Plan, todo: list[Submission], done: Done) -> None:
    """Keep a bounded window of submissions under way."""
    import distributed

    rest = iter(todo)
    running: dict[Any, Submission] = {}

    def submit(submission: Submission) -> Any:
        future = client.submit(_attempt, plan, submission, pure=False, retries=RETRIES)
        running[future] = submission
        return future

    window = WINDOW * max(1, sum(client.nthreads().values()))
    first = [submit(submission) for _, submission in zip(range(window), rest, strict=False)]
    finished: Any = distributed.as_completed(first)  # type: ignore[no-untyped-call]
    for future in finished:
        submission = running.pop(future)
        done(submission, _trouble(future))
        future.release()
        after = next(rest, None)
        if after is not None:
            finished.add(submit(after))


def _trouble(future: Any) -> str:
    error = future.exception()
    if isinstance(error, CannotStart):
        raise error
    return str(future.result()) if error is None else f"{type(error).__name__}: {error}"
