"""repo2docker, which Binder uses, accepts the repository as it stands; no engine is needed."""

import os
from pathlib import Path

import pytest
from repo2docker.app import Repo2Docker
from repo2docker.buildpacks import BuildPack, CondaBuildPack

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
