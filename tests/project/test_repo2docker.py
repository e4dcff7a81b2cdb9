"""repo2docker, which Binder uses, accepts the repository as it stands; no engine is needed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from repo2docker.app import Repo2Docker
from repo2docker.buildpacks import BuildPack, CondaBuildPack

from tools import binder, lab, links, work

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pack(monkeypatch: pytest.MonkeyPatch) -> BuildPack:
    """Give the first build pack that detects the repository, as repo2docker picks it."""
    monkeypatch.chdir(ROOT)
    app = Repo2Docker()
    packs = (kind(base_image=app.base_image) for kind in app.buildpacks)
    found = next((one for one in packs if one.detect()), None)
    assert found is not None
    found.platform = "linux/amd64"
    return found


def test_it_is_a_conda_repository(pack: BuildPack) -> None:
    """environment.yml decides, and nothing else in the folder takes its place."""
    assert type(pack) is CondaBuildPack
    assert os.path.samefile(pack.binder_path("environment.yml"), ROOT / "environment.yml")


def test_it_gives_a_recipe(pack: BuildPack) -> None:
    """The recipe can be written, copies the repository first and installs environment.yml."""
    recipe = pack.render({"NB_USER": "jovyan", "NB_UID": "1000"})
    assert "environment.yml" in recipe
    assert recipe.index("COPY --chown=1000:1000 src/") < recipe.index('--file "environment.yml"')


def test_post_build_is_run(pack: BuildPack) -> None:
    """The recipe runs postBuild, which can be executed and is a shell script."""
    assert os.access(ROOT / "postBuild", os.X_OK)
    subprocess.run(["sh", "-n", ROOT / "postBuild"], check=True)
    assert pack.get_post_build_scripts() == ["postBuild"]


def test_it_opens_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """postBuild lays the copies, keeps the settings and lets JupyterLab open the start."""
    folder = work.Folder(copies=tmp_path / "work")
    monkeypatch.setattr(work, "Folder", lambda: folder)
    binder.main(tmp_path / "prefix")
    settings = tmp_path / "prefix" / "etc" / "jupyter"
    for name in ("jupyter_lab_config.json", "jupyter_server_config.json"):
        opens = json.loads((settings / name).read_text())["LabApp"]["default_url"]
        assert opens == lab.START == f"/lab/tree/{links.START}"
    assert (settings / "labconfig" / "default_setting_overrides.json").is_file()
    assert (tmp_path / links.START).is_file()


def test_every_link_is_made_from_one_setting() -> None:
    """README and tools name no address of Binder but the one made from pyproject.toml."""
    readme = (ROOT / "README.md").read_text()
    found = re.findall(r"https://mybinder.org/v2[^\s)\"]*", readme)
    assert found
    assert {address.partition("?")[0] for address in found} == {links.binder().partition("?")[0]}
    for path in ROOT.glob("tools/**/*.py"):
        assert path.name == "links.py" or "mybinder" not in path.read_text(), path
