"""Labelled phrases found in a text in one pass over its words, however many phrases there are.

A phrase is matched on whole words; a trailing ``*`` stands for any ending, also of an inner word. In Japanese and Chinese, which
write without spaces, it is matched anywhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from optoutkit.text.folding import fold
from optoutkit.text.tokens import CJK_START, Token, tokenize

__all__ = ["Phrase", "Phrases"]


@attrs.frozen
class Phrase:
    """A phrase found.

    Attributes:
        label: What it is a sign of.
        start: Offset of its first code point in the text searched.
        end: Offset behind its last one.
    """

    label: str
    start: int
    end: int


class Phrases:
    """Phrases ready to be searched for together.

    Args:
        labelled: A mapping from label to phrases.

    Example:
        >>> finder = Phrases({"plea": ["leave a review", "rat* us"]})
        >>> text = "please rate us"
        >>> list(finder.find(text, list(tokenize(text))))
        [Phrase(label='plea', start=7, end=14)]
    """

    def __init__(self, labelled: Mapping[str, Iterable[str]]) -> None:
        self._by_word: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._by_pair: dict[str, list[tuple[str, str]]] = {}
        for label, texts in labelled.items():
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

    def find(self, text: str, tokens: Sequence[Token]) -> Iterator[Phrase]:
        """Yield the phrases that stand in a folded text, in the order of their first word.

        Args:
            text: The folded text.
            tokens: Its words, or those of a part of it.
        """
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
                    yield Phrase(label, token.start, tokens[index + len(rest)].end)

    def _find_in_run(self, text: str, run: Token) -> Iterator[Phrase]:
        for start in range(run.start, run.end):
            for phrase, label in self._by_pair.get(text[start : start + 2], ()):
                if text.startswith(phrase, start):
                    yield Phrase(label, start, start + len(phrase))


def _follows(rest: tuple[str, ...], tokens: Sequence[Token], index: int) -> bool:
    if index + len(rest) > len(tokens):
        return False
    for wanted, token in zip(rest, tokens[index : index + len(rest)], strict=True):
        if wanted != token.text and not (wanted.endswith("*") and token.text.startswith(wanted[:-1])):
            return False
    return True
