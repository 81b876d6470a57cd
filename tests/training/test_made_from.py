"""What ships was made from the texts and lexicons that are here; that it is the same to the byte, `nox -s train -- --check` tells."""

import json
from collections.abc import Callable
from importlib.resources import files
from types import ModuleType

SHIPPED = files("optoutkit.classifier")


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
