"""papermill inside the jail, with a kernel forked from the same warm process.

All of it is beside the learner's code, and all that comes out is data. A kernel that is forked
saves its start and its imports, which are half of the time. Left out: judging.
"""

import asyncio
import contextlib
import io
import json
import logging
import math
import os
import queue
import signal
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill  # type: ignore[import-untyped]
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

__all__ = ["main"]

FOLDER = Path("/tmp/notebook")
nbformat.validate(nbformat.v4.new_notebook())  # type: ignore[no-untyped-call]  # compiles its rules


def main(reader: int, writer: int) -> None:
    """Read one job, execute its notebook, write what papermill wrote."""
    job = json.loads(_read(reader))
    FOLDER.mkdir()
    os.chdir(FOLDER)
    _Forked.pid, _Forked.wire = _fork_kernel()
    logging.disable(logging.CRITICAL)
    source, target = FOLDER / "in.ipynb", FOLDER / "out.ipynb"
    source.write_text(json.dumps(job["notebook"]))
    try:
        _execute(source, target, job)
    except Exception as error:
        if not target.exists():
            target.write_text(json.dumps({"failed": f"{type(error).__name__}: {error}"[:2000]}))
    _write(writer, target.read_bytes())
    os._exit(0)


def _execute(source: Path, target: Path, job: dict[str, Any]) -> None:
    papermill.execute_notebook(
        str(source),
        str(target),
        parameters=job["parameters"],
        kernel_name="python3",
        language="python",
        progress_bar=False,
        log_output=False,
        kernel_manager_class=_Manager,
        shutdown_kernel="immediate",
        execution_timeout=job["cell_seconds"],
        start_timeout=20,
        autosave_cell_every=0,
        request_save_on_cell_execute=False,
        stdout_file=io.StringIO(),
        stderr_file=io.StringIO(),
    )


def _fork_kernel() -> tuple[int, int]:
    """Fork the kernel before anything has started threads; it waits for its connection file."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(ours)
        return pid, theirs
    os.close(theirs)
    name = os.read(ours, 4096).decode()
    os.setsid()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(["-f", name, "--HistoryManager.enabled=False"])
    os._exit(0)


class _Forked(KernelProvisionerBase):
    """Looks after the forked kernel as if it had been started."""

    pid = wire = 0
    status: int | None = None

    @property
    def has_process(self) -> bool:
        return self.status is None

    async def poll(self) -> int | None:
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    async def wait(self) -> int | None:
        while await self.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return self.status

    async def send_signal(self, signum: int) -> None:
        if self.status is None:
            os.kill(self.pid, signum)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **options: Any) -> dict[str, Any]:
        manager: Any = self.parent
        manager.transport, manager.ip, manager.cache_ports = "ipc", "/tmp/kernel", False
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return dict(await super().pre_launch(cmd=["forked"], **options))

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        manager: Any = self.parent
        os.write(self.wire, manager.connection_file.encode())
        sockets = [Path(f"{manager.ip}-{port}") for port in manager.ports]
        # A client that comes before its kernel tries again only after a tenth of a second.
        while self.has_process and not all(socket.exists() for socket in sockets):
            await asyncio.sleep(0.005)
            await self.poll()
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None: ...


class _Client(AsyncKernelClient):
    """A client that begins when the kernel has answered on both channels.

    jupyter_client then waits for a fifth of a second of silence, at each notebook.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        end = time.monotonic() + (timeout or math.inf)
        while time.monotonic() < end and await self.is_alive():
            self.kernel_info()
            with contextlib.suppress(queue.Empty):
                await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=1)
                return
        raise RuntimeError("The kernel did not answer.")


class _Manager(AsyncKernelManager):
    """A kernel manager whose kernel is the forked one."""

    client_factory = _Client

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=["forked"], language="python", display_name="python3")

    async def _async_pre_start_kernel(self, **options: Any) -> tuple[list[str], dict[str, Any]]:
        self.shutting_down, self.kernel_id = False, "forked"
        spec = self.kernel_spec
        self.provisioner = _Forked(kernel_id="forked", kernel_spec=spec, parent=self)
        options = await self.provisioner.pre_launch(**options)
        return options.pop("cmd"), options

    pre_start_kernel = _async_pre_start_kernel


def _read(fd: int) -> bytes:
    """Read a length of eight bytes, and that many."""
    data, wanted = b"", 8
    while len(data) < wanted:
        part = os.read(fd, 1 << 20)
        if not part:
            os._exit(3)
        data += part
        if len(data) >= 8:
            wanted = 8 + int.from_bytes(data[:8], "big")
    return data[8:wanted]


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
