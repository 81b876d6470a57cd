"""The lexicon: concepts such as *address*, *missing* or *let us know*, and the phrases by which each language expresses them.

A person reads and extends it in the repository's ``training/lexicons``, one file a language; what ships is made from that by
``nox -s train``, ready for use, and each language is loaded when a message first is in it.
"""

import functools
import json
from collections.abc import Collection, Sequence
from importlib.resources import files

from optoutkit.text.phrases import Phrases

__all__ = ["concepts", "expressed"]

_FOLDER = files("optoutkit.classifier") / "lexicons"


def concepts(words: Sequence[str], languages: Collection[str]) -> list[str]:
    """The concepts that phrases of these languages express, each once, in their order."""
    if len(languages) == 1:
        return _lexicon(*languages).labels(words)
    return list(dict.fromkeys([label for language in languages for label in _lexicon(language).labels(words)]))


def expressed(words: Sequence[str], languages: Collection[str]) -> list[tuple[str, range]]:
    """For each phrase its concept, and which of the words it is in, by their number."""
    return [place for language in languages for place in _lexicon(language).places(words)]


@functools.cache
def _lexicon(language: str) -> Phrases:
    file = _FOLDER / f"{language}.json"
    return Phrases.restore(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else Phrases({})
