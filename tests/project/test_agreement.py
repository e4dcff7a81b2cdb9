"""pyproject.toml, requirements.lock and environment.yml say the same thing."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text().splitlines()
PINS = [Requirement(line) for line in LOCK]
HERE = {canonicalize_name(pin.name): pin for pin in PINS if not pin.marker or pin.marker.evaluate()}


def asked() -> list[Requirement]:
    """Give every requirement in pyproject.toml, extras included."""
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return [Requirement(line) for line in lines]


def test_every_line_is_one_exact_version() -> None:
    """Each line of the lock is one package at one version, for all or for some platforms."""
    for line in LOCK:
        assert re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!-]+( ; [^#]+)?", line), line


def test_lock_names_no_place() -> None:
    """The lock, environment.yml and pyproject.toml name no address to fetch from."""
    for name in ("requirements.lock", "environment.yml", "pyproject.toml"):
        text = (ROOT / name).read_text().replace(f'Source = "{PROJECT["urls"]["Source"]}"', "")
        assert not re.search(r"https?:|file:|index|find-links|@ ", text), name


def test_lock_meets_pyproject() -> None:
    """What pyproject.toml asks for is in the lock, at a version that it accepts."""
    for wanted in asked():
        pins = [
            pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        ]
        assert pins, f"{wanted} is not in requirements.lock: make lock"
        for pin in pins:
            version = str(pin.specifier).removeprefix("==")
            assert wanted.specifier.contains(version, prereleases=True), f"{wanted}, locked {pin}"


def test_lock_is_whole() -> None:
    """What the locked packages need in turn is locked too, so that nothing floats."""
    names, waiting = set(), [(one.name, frozenset(one.extras)) for one in asked()]
    while waiting:
        name, extras = waiting.pop()
        assert canonicalize_name(name) in HERE, f"{name} is needed and not locked: make lock"
        if (name, extras) not in names:
            names.add((name, extras))
            waiting += needs(name, extras)
    assert len(names) > 50


def needs(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Give what an installed package needs here, with the extras that it asks for."""
    found = [Requirement(line) for line in importlib.metadata.requires(name) or []]
    return [
        (one.name, frozenset(one.extras))
        for one in found
        if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def test_installed_is_locked() -> None:
    """The packages that the tests run with have the locked versions."""
    for name, pin in HERE.items():
        installed = importlib.metadata.version(name)
        assert str(pin.specifier) == f"=={installed}", f"{pin}, installed {installed}"


def test_environment_uses_the_lock() -> None:
    """conda gives Python and pip only; the project comes through pip, at the lock's versions."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, through_pip = environment["dependencies"]
    assert pip == "pip"
    assert through_pip == {"pip": ["-c requirements.lock", "-e ."]}
    wanted = PROJECT["requires-python"].removeprefix(">=")
    assert python.removeprefix("python=").split(".") >= wanted.split(".")


def test_learners_need_no_tools() -> None:
    """What tests, grading and the site need is locked, and is not installed with the course."""
    names, waiting = set(), [(one.name, frozenset(one.extras)) for one in of_learners()]
    while waiting:
        name, extras = waiting.pop()
        if (canonicalize_name(name), extras) not in names:
            names.add((canonicalize_name(name), extras))
            waiting += needs(name, extras)
    installed = {name for name, _ in names}
    assert not installed & {"pytest", "mypy", "playwright", "sphinx", "distributed", "papermill"}
    assert 50 < len(installed) < len(HERE) - 50


def of_learners() -> list[Requirement]:
    """Give what the course itself needs, without extras."""
    return [Requirement(line) for line in PROJECT["dependencies"]]
