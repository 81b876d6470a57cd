"""Telling phrases, language by language: data a person can read, found in a text in one pass over its words.

A phrase is matched on whole words; a trailing ``*`` stands for any ending. In Japanese and Chinese, which write without
spaces, it is matched anywhere.
"""

import functools
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files

import attrs

from optoutkit.classifier.tokens import CJK_START, Token, tokenize
from optoutkit.text.folding import fold

__all__ = ["Cue", "Lexicon", "load_lexicon"]


@attrs.frozen
class Cue:
    """A phrase found.

    Attributes:
        label: What it is a sign of, such as ``"need.shipping_address"``, ``"waiting"`` or ``"marketing"``.
        start: Offset of its first code point in the text searched.
        end: Offset behind its last one.
        language: The language whose lexicon has it; ``""`` for a user's own phrase, which holds in all.
    """

    label: str
    start: int
    end: int
    language: str


class Lexicon:
    """Phrases of any number of languages, ready to be searched for together.

    Args:
        phrases: For each language (``""``: all) a mapping from label to phrases.
    """

    def __init__(self, phrases: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._languages = {language: _Phrases(labels, language) for language, labels in phrases.items()}

    def find(self, text: str, tokens: Sequence[Token], languages: Collection[str]) -> Iterator[Cue]:
        """Yield the phrases of these languages, and of all, that stand in a folded text."""
        for language, phrases in self._languages.items():
            if not language or language in languages:
                yield from phrases.find(text, tokens)


class _Phrases:
    """The phrases of one language, found by their first word, by its stem, or by their first two characters."""

    def __init__(self, labels: Mapping[str, Iterable[str]], language: str) -> None:
        self._language = language
        self._by_word: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._by_pair: dict[str, list[tuple[str, str]]] = {}
        for label, texts in labels.items():
            for text in texts:
                self._add(text, label)
        self._stem_lengths = sorted({len(stem) for stem in self._by_stem})

    def _add(self, phrase: str, label: str) -> None:
        folded = fold(phrase.strip()).text
        if any(character >= CJK_START for character in folded):
            pieces = folded.rstrip("*")
            self._by_pair.setdefault(pieces[:2], []).append((pieces, label))
            return
        words = [token.text + ("*" if folded[token.end : token.end + 1] == "*" else "") for token in tokenize(folded)]
        if not words:
            return
        first, rest = words[0], tuple(words[1:])
        if first.endswith("*"):
            self._by_stem.setdefault(first[:-1], []).append((rest, label))
        else:
            self._by_word.setdefault(first, []).append((rest, label))

    def find(self, text: str, tokens: Sequence[Token]) -> Iterator[Cue]:
        """Yield the phrases that stand in a folded text, in the order of their first word."""
        for index, token in enumerate(tokens):
            if token.cjk:
                yield from self._find_in_run(text, token)
                continue
            word = token.text
            candidates = list(self._by_word.get(word, ()))
            for length in self._stem_lengths:
                if length > len(word):
                    break
                candidates += self._by_stem.get(word[:length], ())
            for rest, label in candidates:
                if not rest or _follows(rest, tokens, index + 1):
                    yield Cue(label, token.start, tokens[index + len(rest)].end, self._language)

    def _find_in_run(self, text: str, run: Token) -> Iterator[Cue]:
        for start in range(run.start, run.end):
            for phrase, label in self._by_pair.get(text[start : start + 2], ()):
                if text.startswith(phrase, start):
                    yield Cue(label, start, start + len(phrase), self._language)


def _follows(rest: tuple[str, ...], tokens: Sequence[Token], index: int) -> bool:
    if index + len(rest) > len(tokens):
        return False
    for wanted, token in zip(rest, tokens[index : index + len(rest)], strict=True):
        if wanted != token.text and not (wanted.endswith("*") and token.text.startswith(wanted[:-1])):
            return False
    return True


@functools.cache
def load_lexicon() -> Lexicon:
    """The phrases that ship with the package, of every language."""
    phrases: dict[str, Mapping[str, Iterable[str]]] = {}
    folder = files("optoutkit.classifier").joinpath("lexicons")
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        phrases[data["language"]] = data["cues"]
    return Lexicon(phrases)
