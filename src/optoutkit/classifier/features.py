"""What the model sees of a sentence: its words, the lexicon's concepts in it, its shape, its neighbours.

Each thing seen is of a *kind* and has a *key*, and stands for one or more *features*: the CRC-32 of short texts (nothing depends on
Python's own per-process ``hash``). A table for each kind gives the value of a key, and values are added up: lists of features when
the model is trained, weights when it predicts. So both see the same, and what was met before costs one look-up.
"""

import bisect
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from zlib import crc32

from optoutkit.classifier.reading import Part, Said, Sentence
from optoutkit.text.tokens import CJK_START

__all__ = ["KINDS", "MAX_CONCEPTS", "Key", "Table", "add_up", "features", "grams", "of_itself", "pairs"]

Key = str | tuple[str, ...]
V = TypeVar("V")
Table = Mapping[Any, V]

KINDS = ("word", "pair", "run", "concept", "both", "before", "after", "shape", "subject", "around", "heap")
"""Of a sentence: words; each with the one before it; groups of characters of runs; concepts, any two of them, those of the sentence
before and after; form and place. Of its message: the concepts of the subject, all concepts, all words but runs."""

_MAX_WORD = 24
_START, _END = "^", "$"  # of a sentence
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
_TAILS = {"!": "exclaims", "！": "exclaims", ":": "colon", "：": "colon"}


def features(kind: str, key: Key) -> tuple[int, ...]:
    """The features that a key stands for.

    Example:
        >>> len(features("concept", "address")), len(features("word", "address"))
        (1, 8)
    """
    if kind == "word":
        return tuple(_of_word(str(key)))
    if isinstance(key, str):
        return (_hash(f"{kind}\x1f{key}"),)
    if kind == "shape":
        return tuple([_hash(f"shape\x1f{name}") for name in key])
    return (_hash("\x1f".join((kind, *key))),)


def _of_word(word: str) -> Iterator[int]:
    """Itself, its stem, its pieces."""
    yield _hash(f"word\x1f{word[:_MAX_WORD]}")
    if word[0] in "<#":
        return
    marked = f"^{word[:_MAX_WORD]}$"
    if len(word) > _STEM:
        yield _hash(f"stem\x1f{word[:_STEM]}")
    if len(marked) > _PIECE:
        yield from [_hash(f"piece\x1f{marked[start : start + _PIECE]}") for start in range(len(marked) - _PIECE + 1)]


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def of_itself(said: Said, tables: Mapping[str, Table[V]], sum_up: Callable[[Iterable[V]], V]) -> tuple[V, V, V]:
    """The sums of the values of what is seen of a sentence: of itself, of it as the one before, of it as the one after another.

    Args:
        said: What it says.
        tables: One for each of :data:`KINDS`.
        sum_up: Adds values up.
    """
    word, pair, run, concept, both, before, after, shape = (tables[kind].__getitem__ for kind in KINDS[:8])
    concepts = said.concepts[:MAX_CONCEPTS]
    seen = list(map(pair, pairs(said.seen, has_runs=said.has_runs)))
    if said.has_runs:
        seen += map(word, [one for one in said.seen if one[0] < CJK_START])
        seen += map(run, itertools.chain.from_iterable(map(grams, said.seen)))
    else:
        seen += map(word, said.seen)
    seen += map(concept, concepts)
    seen += map(both, itertools.combinations(sorted(concepts), 2))
    seen.append(shape(_form(said)))
    told = [*concepts, "?"] if said.asks else concepts
    return sum_up(seen), sum_up(map(before, told)), sum_up(map(after, told))


def add_up(
    sentences: Sequence[Sentence],
    tables: Mapping[str, Table[V]],
    sum_up: Callable[[Iterable[V]], V],
    itself: Callable[[Said], tuple[V, V, V]],
) -> tuple[list[V], V]:
    """The sums of the values of all that is seen.

    Args:
        sentences: All of one message.
        tables: One for each of :data:`KINDS`.
        sum_up: Adds values up.
        itself: What :func:`of_itself` gives for a sentence, perhaps remembered.

    Returns:
        For each sentence the sum of what is seen of itself and its neighbours; and the sum of what is seen of the message.
    """
    shape, subject, around, heap = (tables[kind].__getitem__ for kind in KINDS[7:])
    last = len(sentences) - 1
    sums = [itself(sentence.said) for sentence in sentences]
    totals = []
    for index, (own, _, _) in enumerate(sums):
        seen = [own, shape(_place(sentences[index].part, index, last))]
        if index:
            seen.append(sums[index - 1][1])
        if index < last:
            seen.append(sums[index + 1][2])
        totals.append(sum_up(seen))
    shared = list(map(around, {concept for sentence in sentences for concept in sentence.said.concepts[:MAX_CONCEPTS]}))
    everything = set(itertools.chain.from_iterable([sentence.said.seen for sentence in sentences]))
    shared += map(heap, [word for word in everything if word[0] < CJK_START])
    shared += map(subject, [concept for sentence in sentences if sentence.part == "subject" for concept in sentence.said.concepts])
    if sentences and sentences[0].part != "subject":
        shared.append(subject("none"))
    return totals, sum_up(shared)


def grams(word: str) -> Sequence[str]:
    """The groups of characters of a run; none of a word."""
    if word[0] < CJK_START:
        return ()
    return [word[start : start + size] for size in _GRAMS for start in range(len(word) - size + 1)]


def pairs(words: Sequence[str], *, has_runs: bool) -> Iterable[tuple[str, str]]:
    """Each word with the one before it; last the end of the sentence with the last word. Of a run its last characters are seen."""
    if has_runs:
        words = [word[-2:] if word[0] >= CJK_START else word for word in words]
    return zip([_START, *words], [*words, _END], strict=True)


@functools.lru_cache(maxsize=4_096)
def _place(part: Part, index: int, last: int) -> tuple[str, ...]:
    return part, _FROM_START[min(index, _FAR)], _FROM_END[min(last - index, _FAR)], _SENTENCES[min(last, _MANY)]


def _form(said: Said) -> tuple[str, ...]:
    text = said.text
    found = [_SIZE[bisect.bisect_right(_SIZES, len(text))]]
    if text[-1:] in _TAILS:
        found.append(_TAILS[text[-1:]])
    if said.asks:
        found.append("asks")
    if (":" in text or "：" in text) and _FIELD.search(text):
        found.append("field")
    if not text.isascii() and _EMOJI.search(text):
        found.append("emoji")
    if said.has_number:
        found.append("number")
    if not said.concepts:
        found.append("no concept")
    return tuple(found)
