"""Cells on one virtual clock, in a real kernel."""

import re
from collections.abc import Iterator

import pytest
from jupyter_client.manager import KernelManager, start_new_kernel

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A kernel, and what the cells that it ran said."""

    def __init__(self) -> None:
        self.manager: KernelManager
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", extra_arguments=["--IPKernelApp.log_level=40"]
        )

    def send(self, code: str) -> str:
        return self.client.execute(code)

    def receive(self, message: str) -> str:
        """Everything the cell wrote, showed and raised, as one text."""
        said = []
        while True:
            reply = self.client.get_iopub_msg(timeout=30)
            if reply["parent_header"].get("msg_id") != message:
                continue
            kind, content = reply["msg_type"], reply["content"]
            if kind == "stream":
                prefix = "" if content["name"] == "stdout" else "stderr: "
                said.append(prefix + content["text"])
            elif kind == "execute_result":
                said.append(content["data"]["text/plain"])
            elif kind == "error":
                said.append(ANSI.sub("", "\n".join(content["traceback"])))
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(said).strip()

    def run(self, code: str) -> str:
        return self.receive(self.send(code))

    def interrupt(self, code: str) -> str:
        """Run a cell and interrupt it once it says that it is busy."""
        message = self.send(code)
        while True:
            reply = self.client.get_iopub_msg(timeout=30)
            if reply["msg_type"] == "stream" and "busy" in reply["content"]["text"]:
                break
        self.manager.interrupt_kernel()
        return self.receive(message)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    assert kernel.run("import asyncio; from course_lib.lab import open_lab, run") == ""
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture(autouse=True)
def lab(kernel: Kernel) -> Iterator[None]:
    """Each test starts at 0 s, and none leaves anything behind that would show later."""
    yield
    assert kernel.run("import gc; lab = open_lab(); _ = gc.collect()") == ""


@pytest.fixture(autouse=True)
def opened(kernel: Kernel, lab: None) -> None:
    assert kernel.run("lab = open_lab(); lab") == "The lab is open. Virtual time: 0 s."


def test_cells_share_one_clock(kernel):
    """A top-level await returns at once, and the next cell goes on where the clock stands."""
    assert kernel.run("await asyncio.sleep(3600, 'slept')") == "'slept'"
    assert kernel.run("await asyncio.sleep(1)\nlab") == "The lab is open. Virtual time: 3601 s."
    assert kernel.run("1 + 1") == "2"


def test_background_tasks_go_on(kernel):
    """A task that a cell left behind goes on while a later cell awaits, and not in between."""
    kernel.run(
        "ticks = []\nasync def tick():\n    while True:\n        await asyncio.sleep(1)\n"
        "        ticks.append(lab.now)\ntask = asyncio.create_task(tick())\nawait asyncio.sleep(0)"
    )
    assert kernel.run("ticks") == "[]"
    assert kernel.run("await asyncio.sleep(2.5)\nticks") == "[1.0, 2.0]"


def test_a_task_from_a_cell_without_await(kernel):
    """Such a task is on the virtual clock too, and not on the kernel's own loop."""
    kernel.run("task = asyncio.create_task(asyncio.sleep(3600, 'slept'))")
    assert kernel.run("await task, lab.now") == "('slept', 3600.0)"


def test_a_slider_callback(kernel):
    """A synchronous function, such as a slider's callback, runs an experiment on a clock apart."""
    assert kernel.run("run(asyncio.sleep(60, 'done')), lab.now") == "('done', 0.0)"
    assert kernel.run("await asyncio.sleep(1)\nrun(asyncio.sleep(60, lab.now))") == "1.0"


@pytest.mark.parametrize("body", ["await asyncio.sleep(1)", "pass", "await asyncio.sleep(0)"])
def test_interrupting_a_cell(kernel, body):
    """An interrupt ends the cell with KeyboardInterrupt, and the next cell has its clock."""
    said = kernel.interrupt(f"print('busy', flush=True)\nwhile True:\n    {body}")
    assert "KeyboardInterrupt" in said
    assert "CancelledError" not in said
    assert kernel.run("before = lab.now; await asyncio.sleep(5); lab.now - before") == "5.0"


def test_an_error_leaves_the_clock_fine(kernel):
    """After an error in a cell the next cell goes on from the same time."""
    assert "ZeroDivisionError" in kernel.run("await asyncio.sleep(7)\n1 / 0")
    assert kernel.run("await asyncio.sleep(1)\nlab.now") == "8.0"


def test_a_deadlock(kernel):
    """It shows its sentences alone, with the cell's own line; earlier tasks live on."""
    kernel.run("async def server():\n    while True:\n        got.append(await inbox.get())")
    kernel.run("inbox, got = asyncio.Queue(), []\ntask = asyncio.create_task(server())")
    kernel.run("await asyncio.sleep(0)")
    said = kernel.run("await asyncio.sleep(2)\nawait asyncio.Event().wait()")
    assert said.splitlines() == [
        "Deadlock: Deadlock at 2 s of virtual time: every task waits, and no timer is set.",
        "  server waits for Queue.get, line 3: got.append(await inbox.get())",
        "  this cell waits for Event.wait, line 2: await asyncio.Event().wait()",
    ]
    assert kernel.run("await inbox.put('hello')\nawait asyncio.sleep(1)\ngot") == "['hello']"


def test_a_cell_that_never_ends(kernel):
    """The step budget stops it with a sentence, and nothing of it runs on in the next cell."""
    kernel.run("lab._loop.step_budget = 10_000\nbeats = []")
    said = kernel.run("while True:\n    beats.append(await asyncio.sleep(1))")
    assert said.startswith("StepBudgetExceeded: 10,")
    assert "Traceback" not in said
    kernel.run("count = len(beats)")
    assert kernel.run("await asyncio.sleep(50)\nlen(beats) == count") == "True"


def test_a_task_that_never_ends(kernel):
    """When the runaway is a task of an earlier cell, it is ended as well."""
    kernel.run(
        "async def beat():\n    while True:\n        await asyncio.sleep(1)\n"
        "lab._loop.step_budget = 10_000\ntask = asyncio.create_task(beat())"
    )
    assert kernel.run("await asyncio.sleep(1e9)").startswith("StepBudgetExceeded")
    assert kernel.run("task.cancelled()") == "True"


def test_a_lost_error(kernel):
    """The error of a task that nobody awaits cuts the cell short in which it happens."""
    kernel.run("async def fail():\n    await asyncio.sleep(3)\n    raise ValueError('lost')")
    kernel.run("asyncio.create_task(fail())\nran = []\nawait asyncio.sleep(1)")
    said = kernel.run("await asyncio.sleep(10)\nran.append('never')")
    assert "ValueError: lost" in said
    assert "CancelledError" not in said
    assert kernel.run("await asyncio.sleep(100)\nran") == "[]"


@pytest.mark.parametrize("body", ["print('a', cache_of_mine)", "await cache_of_mine"])
def test_cells_out_of_order(kernel, body):
    """A cell that names what no cell has made is told to run the ones above, after the error."""
    said = kernel.run(body)
    assert "NameError: name 'cache_of_mine' is not defined" in said
    assert said.endswith(
        "stderr: If a cell further up makes `cache_of_mine`, run that one first: "
        "Run, Run All Above Selected Cell."
    )


def test_a_name_that_a_function_lacks(kernel):
    """Within a function it is a slip in the function, and no cell above would help."""
    said = kernel.run("def slip():\n    return cache_of_mine\nslip()")
    assert "NameError" in said
    assert "further up" not in said


def test_opened_again(kernel):
    """Opening the lab again starts at 0 s, ends the old tasks, and says nothing on stderr."""
    kernel.run(
        "async def work():\n    try:\n        await asyncio.sleep(99)\n    finally:\n"
        "        ended.append(asyncio.get_running_loop().time())\n"
        "ended = []\ntask = asyncio.create_task(work())\nawait asyncio.sleep(5)"
    )
    assert kernel.run("old, lab = lab, open_lab()\nlab.now") == "0.0"
    assert kernel.run("old.now, ended") == "(5.0, [5.0])"
    assert kernel.run("import gc; gc.collect(); await asyncio.sleep(1)\nlab.now") == "1.0"


def test_outside_a_notebook():
    """In a script `open_lab` says what to use instead."""
    from course_lib.lab import open_lab

    with pytest.raises(RuntimeError, match=r"course_lib\.lab\.run"):
        open_lab()
