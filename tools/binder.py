"""Makes the JupyterLab of Binder that of `make lab`: same start, same settings, copies in `work/`.

Run by `postBuild` inside the environment that Binder made. Standard library only.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tools import lab, links, work


def main(prefix: Path) -> None:
    """Lay the copies, and write JupyterLab's settings below the environment's `prefix`."""
    for sentence in work.renew(work.Folder()):
        print(sentence)
    settings = prefix / "etc" / "jupyter"
    shutil.copytree(lab.HOME / "labconfig", settings / "labconfig", dirs_exist_ok=True)
    opens = {"LabApp": {"default_url": lab.START}, "ServerApp": {"default_url": lab.START}}
    for name in ("jupyter_lab_config.json", "jupyter_server_config.json"):
        (settings / name).write_text(json.dumps(opens, indent=1) + "\n")
    print(f"JupyterLab opens {links.START}.")


if __name__ == "__main__":
    main(Path(sys.prefix))
