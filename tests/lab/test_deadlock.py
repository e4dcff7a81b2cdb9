"""A deadlock says what each task waits for, and in which line."""

import asyncio
import linecache

import pytest

from course_lib.lab.clock import Deadlock, run


def report(coro):
    """The lines that a deadlock says of each task."""
    with pytest.raises(Deadlock) as caught:
        run(coro)
    head, *lines = str(caught.value).splitlines()
    assert head.endswith("every task waits, and no timer is set.")
    return [line.strip() for line in lines]


async def on_lock():
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def on_queue():
    await asyncio.Queue().get()


async def on_event():
    await asyncio.Event().wait()


async def on_semaphore():
    async with asyncio.Semaphore(0):
        pass


async def on_condition():
    condition = asyncio.Condition()
    async with condition:
        await condition.wait()


async def on_future():
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("coro", "waits_for", "code"),
    [
        (on_lock, "Lock.acquire", "await lock.acquire()"),
        (on_queue, "Queue.get", "await asyncio.Queue().get()"),
        (on_event, "Event.wait", "await asyncio.Event().wait()"),
        (on_semaphore, "Semaphore.acquire", "async with asyncio.Semaphore(0):"),
        (on_condition, "Condition.wait", "await condition.wait()"),
        (
            on_future,
            "a future that nobody completes",
            "await asyncio.get_running_loop().create_future()",
        ),
    ],
)
def test_what_is_awaited(coro, waits_for, code):
    """The primitive is named, and the program's own line is quoted, not the library's."""
    (line,) = report(coro())
    assert line.startswith(f"{coro.__name__} waits for {waits_for}, line ")
    assert line.endswith(f": {code}")


async def wait_for_gather():
    await asyncio.gather(on_event(), on_event())


async def wait_for_task():
    await asyncio.create_task(on_queue(), name="the worker")


async def wait_for_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(on_lock())


def waits(coro):
    """Who waits for what, without the lines."""
    return [line.partition(", line")[0] for line in report(coro)]


def test_who_waits_for_whom():
    """A task that waits for others names them; those that share a name are numbered."""
    assert waits(wait_for_gather()) == [
        "wait_for_gather waits for a gather of on_event (1), on_event (2)",
        "on_event (1) waits for Event.wait",
        "on_event (2) waits for Event.wait",
    ]
    assert waits(wait_for_task()) == [
        "wait_for_task waits for the task the worker",
        "the worker waits for Queue.get",
    ]
    assert waits(wait_for_group()) == [
        "wait_for_group waits for the tasks of its TaskGroup",
        "on_lock waits for Lock.acquire",
    ]


def test_same_words_every_time():
    """The report does not depend on how many tasks the process made before."""
    assert report(wait_for_gather()) == report(wait_for_gather())


def test_through_helpers_and_generators():
    """The innermost line of the program's own is quoted, through helpers and generators."""

    async def numbers():
        await on_event()
        yield 1

    async def outer():
        return [number async for number in numbers()]

    (line,) = report(outer())
    assert "in numbers()" in line or "await asyncio.Event().wait()" in line


def test_code_of_a_notebook_cell():
    """Source that lives only in linecache, as that of a cell does, is quoted as well."""
    source = "import asyncio\nasync def stuck():\n    await asyncio.Event().wait()\n"
    linecache.cache["<cell 1>"] = (len(source), None, source.splitlines(True), "<cell 1>")
    namespace = {}
    exec(compile(source, "<cell 1>", "exec"), namespace)
    (line,) = report(namespace["stuck"]())
    assert line == "stuck waits for Event.wait, line 3: await asyncio.Event().wait()"


def test_a_circle():
    """Two tasks that wait for each other are reported, and the loop gets rid of them."""

    async def main():
        async def wait_for(index):
            await asyncio.sleep(1)
            await tasks[index]

        tasks = [asyncio.create_task(wait_for(1)), asyncio.create_task(wait_for(0))]
        await asyncio.Event().wait()

    assert waits(main()) == [
        "main waits for Event.wait",
        "wait_for (1) waits for the task wait_for (2)",
        "wait_for (2) waits for the task wait_for (1)",
    ]
