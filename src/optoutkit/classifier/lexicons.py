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
        self._by_word: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        self._by_stem: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        self._by_pair: dict[str, list[tuple[str, str, str]]] = {}
        for language, labels in phrases.items():
            for label, texts in labels.items():
                for text in texts:
                    self._add(text, label, language)
        self._stem_lengths = sorted({len(stem) for stem in self._by_stem})

    def _add(self, phrase: str, label: str, language: str) -> None:
        folded = fold(phrase.strip()).text
        if any(CJK_START <= character for character in folded):
            # Matched anywhere, so it is found by its first two characters.
            pieces = folded.rstrip("*")
            if pieces:
                self._by_pair.setdefault(pieces[:2], []).append((pieces, label, language))
            return
        words = tuple(token.text + ("*" if folded[token.end : token.end + 1] == "*" else "") for token in tokenize(folded))
        if not words:
            return
        first, rest = words[0], words[1:]
        if first.endswith("*"):
            self._by_stem.setdefault(first[:-1], []).append((rest, label, language))
        else:
            self._by_word.setdefault(first, []).append((rest, label, language))

    def find(self, text: str, tokens: Sequence[Token], languages: Collection[str]) -> Iterator[Cue]:
        """Yield the phrases of these languages that stand in a folded text, in the order of their first word."""
        for index, token in enumerate(tokens):
            if token.cjk:
                yield from self._find_in_run(text, token, languages)
                continue
            word = token.text
            candidates = self._by_word.get(word)
            if candidates:
                yield from self._matching(candidates, tokens, index, languages)
            for length in self._stem_lengths:
                if length > len(word):
                    break
                candidates = self._by_stem.get(word[:length])
                if candidates:
                    yield from self._matching(candidates, tokens, index, languages)

    def _matching(
        self, candidates: list[tuple[tuple[str, ...], str, str]], tokens: Sequence[Token], index: int, languages: Collection[str]
    ) -> Iterator[Cue]:
        for rest, label, language in candidates:
            if (not language or language in languages) and _follows(rest, tokens, index + 1):
                yield Cue(label, tokens[index].start, tokens[index + len(rest)].end, language)

    def _find_in_run(self, text: str, run: Token, languages: Collection[str]) -> Iterator[Cue]:
        for start in range(run.start, run.end):
            for phrase, label, language in self._by_pair.get(text[start : start + 2], ()):
                if (not language or language in languages) and text.startswith(phrase, start):
                    yield Cue(label, start, start + len(phrase), language)


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
    for file in sorted(files("optoutkit.classifier").joinpath("lexicons").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            phrases[data["language"]] = data["cues"]
    return Lexicon(phrases)
