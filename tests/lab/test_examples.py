"""The worked examples in the docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import course_lib.lab

NAMES = [module.name for module in pkgutil.iter_modules(course_lib.lab.__path__)]
MODULES = [f"course_lib.lab.{name}" for name in NAMES]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    """Every example in a docstring gives what it says."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    """The public names of the lab have examples that run."""
    found = {
        test.name
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
        if test.examples
    }
    for name in ("clock.run", "clock.VirtualLoop", "world.World", "explore.explore"):
        assert f"course_lib.lab.{name}" in found
