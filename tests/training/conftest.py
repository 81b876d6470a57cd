"""The modules by which the weights are made."""

import importlib
import pathlib
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "training"


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Give the modules of the training folder by name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for file in FOLDER.glob("*.py"):  # afterwards, none of them is left
        monkeypatch.setitem(sys.modules, file.stem, None)
        monkeypatch.delitem(sys.modules, file.stem)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load
