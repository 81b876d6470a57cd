"""The lexicons: telling phrases, language by language, data a person can read."""

import functools
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files

from optoutkit.text.phrases import Phrase, Phrases
from optoutkit.text.tokens import Token

__all__ = ["Lexicon", "load_lexicon"]


class Lexicon:
    """Phrases of any number of languages, ready to be searched for together.

    Args:
        phrases: For each language (``""``: all) a mapping from label to phrases.
    """

    def __init__(self, phrases: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._languages = {language: Phrases(labels) for language, labels in phrases.items()}

    def find(self, text: str, tokens: Sequence[Token], languages: Collection[str]) -> Iterator[Phrase]:
        """Yield the phrases of these languages, and of all, that stand in a folded text."""
        for language, phrases in self._languages.items():
            if not language or language in languages:
                yield from phrases.find(text, tokens)


@functools.cache
def load_lexicon() -> Lexicon:
    """The phrases that ship with the package, of every language."""
    phrases: dict[str, Mapping[str, Iterable[str]]] = {}
    folder = files("optoutkit.classifier").joinpath("lexicons")
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        phrases[data["language"]] = data["cues"]
    return Lexicon(phrases)
