"""The words of the rules: one file a language, all searched for at once."""

import tomllib
from functools import cache
from importlib import resources

from optoutkit.text.phrases import Phrases

__all__ = ["LANGUAGES", "finder", "phrases"]

_FOLDER = resources.files("optoutkit.guidelines") / "words"

LANGUAGES: tuple[str, ...] = tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")))
"""ISO 639-1 codes of the languages whose words are known."""


@cache
def phrases(language: str) -> dict[str, tuple[str, ...]]:
    """The phrases of a language, by what they are a sign of."""
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {label: tuple(texts) for label, texts in data.items()}


@cache
def finder() -> Phrases:
    """What finds the phrases of all languages."""
    labelled: dict[str, list[str]] = {}
    for language in LANGUAGES:
        for label, texts in phrases(language).items():
            labelled.setdefault(label, []).extend(texts)
    return Phrases(labelled)
