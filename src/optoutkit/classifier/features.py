"""What the model sees of a sentence: hashed features of its words, its phrases, its shape and its neighbours.

Training and prediction share this module, so that they cannot drift apart. A feature is the CRC-32 of a short text; nothing
depends on Python's own per-process ``hash``.
"""

import bisect
import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from zlib import crc32

from optoutkit.classifier.reading import Sentence

__all__ = ["ANYWHERE", "context_features", "cue_feature", "sentence_features"]

ANYWHERE = -1
"""Stands for the place of a feature that belongs to no word."""

_PREFIX_LENGTHS = (4, 6)
_MAX_WORD = 24
_MAX_RUN_NGRAM = 4
_SIZES = (12, 30, 80, 160)
_ASKING = ("?", "？", "؟")
_OPENING = (":", "：")
_BULLET = re.compile(r"\s*(?:[-*•·–✓✔☑▪●]|\(?\d{1,2}[.):)️])")
_FIELD = re.compile(r"\w\s?[:：]\s?\S")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_LINK = re.compile(r"https?://|www\.")
_NUMBER = re.compile(r"\d")


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


@functools.lru_cache(maxsize=65_536)
def _word_features(word: str) -> tuple[int, ...]:
    if word[0] in "<#":
        return (_hash("w " + word),)
    names = ["w " + word[:_MAX_WORD]]
    names += [f"p{length} {word[:length]}" for length in _PREFIX_LENGTHS if len(word) > length]
    return tuple(_hash(name) for name in names)


@functools.lru_cache(maxsize=16_384)
def _run_features(run: str) -> tuple[int, ...]:
    """Character n-grams of a run of Japanese or Chinese."""
    return tuple(
        _hash("k " + run[start : start + length]) for length in range(1, _MAX_RUN_NGRAM + 1) for start in range(len(run) - length + 1)
    )


@functools.lru_cache(maxsize=65_536)
def _pair_feature(first: str, second: str) -> int:
    return _hash(f"b {first[:_MAX_WORD]} {second[:_MAX_WORD]}")


@functools.lru_cache(maxsize=4_096)
def _named(name: str) -> int:
    return _hash(name)


def cue_feature(label: str) -> int:
    """The feature of a sentence that holds a phrase of the lexicon's list of that name."""
    return _named("c " + label)


def sentence_features(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Yield (feature, index of its word in ``sentence.tokens`` or :data:`ANYWHERE`) of a sentence by itself."""
    previous = "^"
    for index, token in enumerate(sentence.tokens):
        word = token.text
        if token.cjk:
            for feature in _run_features(word[:200]):
                yield feature, index
            word = word[-2:]
        else:
            if _NUMBER.search(word):
                word = "#" if word.isdigit() else "#a"  # which number it is says nothing
            for feature in _word_features(word):
                yield feature, index
        yield _pair_feature(previous, word), index
        previous = word
    yield _pair_feature(previous, "$"), len(sentence.tokens) - 1
    for cue in sentence.cues:
        yield cue_feature(cue.label), ANYWHERE
    labels = sorted({cue.label for cue in sentence.cues})
    for first, second in itertools.pairwise(labels):
        yield _named(f"cc {first} {second}"), ANYWHERE
    for name in _shape(sentence):
        yield _named(name), ANYWHERE


def _shape(sentence: Sentence) -> Iterator[str]:
    text = sentence.text
    tail = text.rstrip()[-1:]
    if tail in _ASKING or "?" in text or "？" in text:
        yield "s asks"
        for cue in sentence.cues:
            yield "s asks " + cue.label
    elif tail in ("!", "！"):
        yield "s exclaims"
    elif tail in _OPENING:
        yield "s colon"
    if _FIELD.search(text):
        yield "s field"
    if _BULLET.match(text):
        yield "s bullet"
    if _EMOJI.search(text):
        yield "s emoji"
    if _LINK.search(text):
        yield "s link"
    if _NUMBER.search(text):
        yield "s number"
    yield f"s size {bisect.bisect(_SIZES, len(text))}"
    yield "s part " + sentence.part


def context_features(sentences: Sequence[Sentence], index: int) -> Iterator[int]:
    """Yield the features that a sentence has from its neighbours."""
    if index == 0:
        yield _named("s first")
    if index == len(sentences) - 1:
        yield _named("s last")
    for offset, name in ((-2, "pp"), (-1, "p"), (1, "n"), (2, "nn")):
        if 0 <= index + offset < len(sentences):
            near = sentences[index + offset]
            for label in {cue.label for cue in near.cues}:
                yield _named(f"{name} {label}")
            tail = near.text.rstrip()[-1:]
            if tail in _ASKING:
                yield _named(f"{name} asks")
            elif tail in _OPENING:
                yield _named(f"{name} colon")
        else:
            yield _named(f"{name} none")
