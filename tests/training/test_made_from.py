"""What ships was made from the texts and lexicons that are here; that it is the same to the byte, `nox -s train -- --check` tells."""

import importlib
import json
import pathlib
import sys
from collections.abc import Callable
from importlib.resources import files
from types import ModuleType

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "training"
SHIPPED = files("optoutkit.classifier")


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


def test_lexicons_are_those_that_people_write(training: Callable[[str], ModuleType]) -> None:
    """Each language's phrases are ready for use, to the byte."""
    compiled = training("lexicons").compiled()
    assert compiled.keys() == {file.name.removesuffix(".json") for file in SHIPPED.joinpath("lexicons").iterdir()}
    for language, content in compiled.items():
        assert SHIPPED.joinpath("lexicons", f"{language}.json").read_bytes() == content, f"run nox -s train: {language}"


def test_concepts_are_the_same_in_every_language(training: Callable[[str], ModuleType]) -> None:
    """What is learnt of a concept in one language holds in all."""
    lexicons = training("lexicons")
    concepts = {file.stem: list(lexicons.concepts(file)) for file in sorted(lexicons.FOLDER.glob("*.toml"))}
    assert len(concepts) == 14
    for language, names in concepts.items():
        assert names == concepts["en"], language


def test_weights_are_of_these_texts(training: Callable[[str], ModuleType]) -> None:
    """Who changes a text or a lexicon trains anew."""
    about = json.loads(SHIPPED.joinpath("model.json").read_text(encoding="utf-8"))
    assert about["made_from"] == training("texts").fingerprint(), "run nox -s train"
