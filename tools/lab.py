"""Opens the course in JupyterLab, in a browser if there is a screen, else by printing the address.

JupyterLab's settings for the course are in `.jupyter`, and so is all that it stores: a learner's
own Jupyter settings are neither read nor changed. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path

from tools import install, links, work
from tools.failures import Stop

HOME = install.ROOT / ".jupyter"
RUNTIME = HOME / "runtime"
LOG = HOME / "lab.log"
START = f"/lab/tree/{links.START}"
PATIENCE = 120.0  # seconds: a first start from a cold disk


def main(arguments: list[str]) -> int:
    """Set up, start the server, show the start notebook, and stay until Ctrl-C."""
    python = install.ensure("lab")
    RUNTIME.mkdir(parents=True, exist_ok=True)
    lay_copies(work.Folder())
    old = set(RUNTIME.glob("jpserver-*.json"))
    with LOG.open("w") as log:
        server = subprocess.Popen(
            [str(python), *command(arguments[1:])], cwd=install.ROOT, env=environment(), stderr=log
        )
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    show(wait_until_ready(server, old))
    return stay(server)


def lay_copies(folder: work.Folder) -> None:
    """Bring the learner's copies up to date and say what was done; Stop if there is no start."""
    running = any(map(answering, RUNTIME.glob("jpserver-*.json")))
    said = work.renew(folder, running)
    if not (links.ROOT / links.START).is_file():
        raise Stop(said[0])
    print("\n".join(said), end="\n" if said else "", flush=True)


def command(arguments: list[str]) -> list[str]:
    """Give JupyterLab's arguments; those of the learner come last and win."""
    options = ["--no-browser", "--ServerApp.answer_yes=True", "--log-level=WARN"]
    options += ["--LabApp.extension_manager=readonly"]
    options += [f"--ServerApp.root_dir={install.ROOT}", f"--LabApp.default_url={START}"]
    if port := os.environ.get("PORT"):
        options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.append("--allow-root")
    return ["-m", "jupyterlab", *options, *arguments]


def environment() -> dict[str, str]:
    """Give the variables that keep all of Jupyter's files inside the project's folder."""
    variables = install.environment()
    variables.update(
        JUPYTER_CONFIG_DIR=str(HOME),
        JUPYTER_DATA_DIR=str(HOME / "data"),
        JUPYTER_RUNTIME_DIR=str(RUNTIME),
        IPYTHONDIR=str(HOME / "ipython"),
        JUPYTER_PREFER_ENV_PATH="1",
    )
    return variables


def wait_until_ready(server: subprocess.Popen[bytes], old: set[Path]) -> str:
    """Wait until the server answers; give the address of the start notebook."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise Stop(why_not(LOG.read_text()))
        for file in set(RUNTIME.glob("jpserver-*.json")) - old:
            if address := answering(file):
                return address
        time.sleep(0.05)
    server.terminate()
    raise Stop(f"JupyterLab did not answer within {PATIENCE:.0f} s: its log is {LOG}.")


def answering(file: Path) -> str | None:
    """Give the start notebook's address when the server described in `file` answers."""
    try:
        server = json.loads(file.read_text())
        status = f"{server['url']}api/status?token={server['token']}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(status, timeout=5).close()
    except (OSError, ValueError):
        return None
    return f"{server['url'].rstrip('/')}{START}?token={server['token']}"


def why_not(log: str) -> str:
    """Say why the server ended before it was ready."""
    if re.search(r"port \d+ is (not available|already in use)|no available port", log):
        return (
            "That port is taken by another program: type `make lab PORT=9123`, or another number."
        )
    lines = [line for line in log.splitlines() if line.strip()] or ["it said nothing"]
    return f"JupyterLab ended at once ({lines[-1].strip()}): its log is {LOG}."


def show(address: str) -> None:
    """Open the address in a browser if there is a screen; print it in any case."""
    opened = has_screen() and webbrowser.open(address)
    print("JupyterLab is ready." if opened else "JupyterLab is ready. Open this address:")
    print(f"  {address}\nCtrl-C ends it.", flush=True)


def has_screen() -> bool:
    """Say whether a browser on this machine would be seen by whoever types here."""
    if sys.platform in {"win32", "darwin"}:
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def stay(server: subprocess.Popen[bytes]) -> int:
    """Wait for the server's end; Ctrl-C reaches it too, and it stops by itself."""
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            continue
