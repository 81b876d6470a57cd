"""What the model sees of a sentence: its words, the lexicon's concepts in it, its shape, its neighbours.

Each thing seen is of a *kind* and has a *key*, and stands for one or more *features*: the CRC-32 of short texts (nothing depends on
Python's own per-process ``hash``). A table for each kind gives the value of a key, and values are added up: lists of features when
the model is trained, weights when it predicts. So both see the same, and what was met before costs one look-up.
"""

import bisect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from zlib import crc32

from optoutkit.classifier.reading import Sentence
from optoutkit.text.tokens import CJK_START

__all__ = ["KINDS", "MAX_CONCEPTS", "Key", "Table", "add_up", "features", "grams", "pairs", "seen_words"]

Key = str | tuple[str, str]
V = TypeVar("V")
Table = Mapping[Any, V]

KINDS = ("word", "pair", "concept", "both", "before", "after", "shape", "subject", "around", "heap")
"""Of a sentence: words and neighbouring words; concepts, any two of them, those of the sentence before and after; form and place. Of
its message: the concepts of the subject, all concepts, all words but runs."""

_MAX_WORD = 24
_STEM = 6  # first characters of a word
_PIECE = 4  # characters of a word that are seen together, its beginning and its end marked
_GRAMS = (1, 2, 3)  # characters of a run of Japanese or Chinese that are seen together
MAX_CONCEPTS = 12  # of a sentence, so that the work on their pairs is bounded
_SIZES = (12, 30, 80, 160)
_SIZE = [f"size {number}" for number in range(len(_SIZES) + 1)]
_FAR = 6  # sentences from the start or the end
_FROM_START = [f"from start {number}" for number in range(_FAR + 1)]
_FROM_END = [f"from end {number}" for number in range(_FAR + 1)]
_MANY = 12  # sentences in a message
_SENTENCES = [f"sentences {number}" for number in range(_MANY + 1)]
_FIELD = re.compile(r"\w\s?[:：]\s?\S")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_NUMBER = re.compile(r"\d")
_TAILS = {"!": "exclaims", "！": "exclaims", ":": "colon", "：": "colon"}


def features(kind: str, key: Key) -> tuple[int, ...]:
    """The features that a key stands for.

    Example:
        >>> len(features("word", "address")), len(features("pair", ("your", "address")))
        (8, 1)
    """
    if isinstance(key, tuple):
        return (_hash("\x1f".join((kind, *key))),)
    if kind != "word" or key[0] in "<#" or key[0] >= CJK_START:
        return (_hash(f"{kind}\x1f{key}"),)
    marked = f"^{key[:_MAX_WORD]}$"
    names = [f"word\x1f{key[:_MAX_WORD]}"]
    if len(key) > _STEM:
        names.append(f"stem\x1f{key[:_STEM]}")
    if len(marked) > _PIECE:
        names += [f"piece\x1f{marked[start : start + _PIECE]}" for start in range(len(marked) - _PIECE + 1)]
    return tuple(map(_hash, names))


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def add_up(sentences: Sequence[Sentence], tables: Mapping[str, Table[V]], sum_up: Callable[[Iterable[V]], V]) -> tuple[list[V], V]:
    """The sums of the values of all that is seen.

    Args:
        sentences: All of one message.
        tables: One for each of :data:`KINDS`.
        sum_up: Adds values up.

    Returns:
        For each sentence the sum of what is seen of itself and its neighbours; and the sum of what is seen of the message.
    """
    word, pair, concept, both, before, after, shape, subject, around, heap = (tables[kind].__getitem__ for kind in KINDS)
    concepts = [sentence.concepts[:MAX_CONCEPTS] for sentence in sentences]
    asks = [_asks(sentence.text) for sentence in sentences]
    last = len(sentences) - 1
    totals = []
    everything: set[str] = set()
    for index, sentence in enumerate(sentences):
        own, words = concepts[index], seen_words(sentence)
        everything.update(words)
        seen = list(map(word, itertools.chain.from_iterable(map(grams, words)) if sentence.has_runs else words))
        seen += map(pair, pairs(words, has_runs=sentence.has_runs))
        if own:
            seen += map(concept, own)
            seen += map(both, itertools.combinations(sorted(own), 2))
        if index:
            seen += map(before, concepts[index - 1])
            if asks[index - 1]:
                seen.append(before("?"))
        if index < last:
            seen += map(after, concepts[index + 1])
            if asks[index + 1]:
                seen.append(after("?"))
        seen += map(shape, _shape(sentence, index, last, asks=asks[index]))
        totals.append(sum_up(seen))
    shared = list(map(around, set(itertools.chain.from_iterable(concepts))))
    shared += map(heap, [one for one in everything if one[0] < CJK_START])
    shared += map(subject, (concept for sentence in sentences if sentence.part == "subject" for concept in sentence.concepts))
    if sentences and sentences[0].part != "subject":
        shared.append(subject("none"))
    return totals, sum_up(shared)


def seen_words(sentence: Sentence) -> Sequence[str]:
    """The words of a sentence as they are seen: which number it is says nothing."""
    if not _NUMBER.search(sentence.text):
        return sentence.words
    return [word if word.isalpha() or not _NUMBER.search(word) else "#" if word.isdigit() else "#a" for word in sentence.words]


def grams(word: str) -> Sequence[str]:
    """A word itself; the groups of characters of a run."""
    if word[0] < CJK_START:
        return (word,)
    return [word[start : start + size] for size in _GRAMS for start in range(len(word) - size + 1)]


def pairs(words: Sequence[str], *, has_runs: bool) -> Iterable[tuple[str, str]]:
    """Neighbouring words; the n-th pair ends with the n-th word, one more ends the sentence. Of a run its last characters are seen."""
    if has_runs:
        words = [word[-2:] if word[0] >= CJK_START else word for word in words]
    return zip(["^", *words], [*words, "$"], strict=True)


def _asks(text: str) -> bool:
    return "?" in text or "？" in text or "؟" in text


def _shape(sentence: Sentence, index: int, last: int, *, asks: bool) -> list[str]:
    text = sentence.text
    found = [
        sentence.part,
        _SIZE[bisect.bisect_right(_SIZES, len(text))],
        _FROM_START[min(index, _FAR)],
        _FROM_END[min(last - index, _FAR)],
        _SENTENCES[min(last, _MANY)],
    ]
    if text[-1:] in _TAILS:
        found.append(_TAILS[text[-1:]])
    if asks:
        found.append("asks")
    if (":" in text or "：" in text) and _FIELD.search(text):
        found.append("field")
    if not text.isascii() and _EMOJI.search(text):
        found.append("emoji")
    if _NUMBER.search(text):
        found.append("number")
    if not sentence.concepts:
        found.append("no concept")
    return found
