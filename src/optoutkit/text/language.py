"""Which language a text is in: its script first, then its function words, others that are frequent in mails, and letters of its own."""

import math
import re
from collections.abc import Iterable
from functools import cache
from itertools import repeat
from operator import itemgetter

import attrs

from optoutkit.text.folding import fold
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["Guess", "detect"]

_SCRIPTS: dict[str | None, re.Pattern[str]] = {
    "ja": re.compile(r"[\u3041-\u30fe\uff66-\uff9d]"),
    "zh": re.compile(r"[\u3400-\u9fff]"),
    "ar": re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
}
_KANJI_TO_A_KANA = 12  # Japanese without any kana among a dozen ideographs is rare
_LETTERS_TO_A_SIGN = 3  # names and links in Latin letters stand in every text of another script
_OTHER_SCRIPTS = re.compile(r"[\u0370-\u052f\u0530-\u05ff\u0e00-\u0e7f\uac00-\ud7a3]")
_WORD = re.compile(r"[a-zß-öø-ɏ]+(?:'[a-zß-öø-ɏ]+)?")
# Splits four times as fast; what stands in quotes is freed of them afterwards.
_ASCII_LETTERS = {code: " " for code in range(128) if not (chr(code).isalpha() or chr(code) == "'")}
_LETTERS = {"de": "ß", "es": "ñ¿¡", "pl": "ąćęłńśźż", "pt": "ãõ", "sv": "å", "tr": "ığş"}  # that no other of the languages has
_A_LETTER = re.compile(f"[{''.join(_LETTERS.values())}]")
_ONE = math.lcm(*range(1, len(LANGUAGES) + 1))  # what a word gives, so that any number of languages can share it; a letter gives half
_BITS = range(0, 32 * len(LANGUAGES), 32)
_MASK = (1 << 32) - 1  # 4,000 characters give less
_SHARE_OF_A_CANDIDATE = 0.4  # of the best one's score
_SAMPLE = 4000  # characters; more would not change the answer


@attrs.frozen
class Guess:
    """A guess at a language.

    Attributes:
        language: ISO 639-1 code; None if it could be any.
        confidence: 0 to 1.
        candidates: Languages that it may be in, or partly in, the likeliest first; empty where there is no sign of any.
    """

    language: str | None
    confidence: float
    candidates: tuple[str, ...] = ()


def detect(text: str, hint: str | None = None) -> Guess:
    """Guess the language of a text.

    Args:
        text: As its reader sees it; the first 4,000 characters are looked at.
        hint: A language that decides between equals, such as a declared one.

    Returns:
        One of the languages that have a word list or a script of their own, or None.
    """
    sample = text[:_SAMPLE].replace("İ", "i").lower().replace("’", "'")  # "İ" alone becomes two characters when it is lowered
    if sample.isascii():
        ascii_words = sample.translate(_ASCII_LETTERS).split()
        return _by_words([word.strip("'") for word in ascii_words] if "'" in sample else ascii_words, hint)
    words = _WORD.findall(sample)
    by_words = _by_words([*words, *set(_A_LETTER.findall(sample))], hint)
    latin = sum(map(len, words))
    counts = {language: len(script.findall(sample)) for language, script in _SCRIPTS.items()}
    if counts["ja"] * _KANJI_TO_A_KANA >= counts["zh"]:
        counts["ja"] += counts.pop("zh") if counts["ja"] else 0
    counts[None] = len(_OTHER_SCRIPTS.findall(sample))
    language, count = max(counts.items(), key=lambda item: item[1])
    weight = count * _LETTERS_TO_A_SIGN
    if weight <= latin:
        return by_words
    if language is None:
        return Guess(None, 0.0, by_words.candidates)
    return Guess(language, round(weight / (weight + latin), 3), (language, *by_words.candidates))


def _by_words(words: Iterable[str], hint: str | None) -> Guess:
    """The guess that words, and letters, make; what a word gives is shared by the languages that have it."""
    total = sum(map(_telling_words().get, words, repeat(0)))  # all languages at once, each in its own bits
    if not total:
        return Guess(None, 0.0)
    scores = [(language, (total >> bits & _MASK) / _ONE) for bits, language in zip(_BITS, LANGUAGES, strict=True)]
    ranked = sorted(filter(itemgetter(1), scores), key=lambda item: (-item[1], item[0] != hint, item[0]))
    language, best = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    candidates = tuple(language for language, score in ranked if score >= best * _SHARE_OF_A_CANDIDATE)
    if best == second and language != hint:
        return Guess(None, 0.0, candidates)
    confidence = (best - second / 2) / best * min(1.0, best / 3)
    return Guess(language, round(confidence, 3), candidates)


@cache
def _telling_words() -> dict[str, int]:
    """What each telling word gives to the languages, the first one in the lowest bits."""
    known: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for word in word_list(language).function_words | word_list(language).common_words:
            # the text may have been folded or not
            for form in (word, fold(word).text):
                known.setdefault(form, set()).add(language)
    bits = dict(zip(LANGUAGES, _BITS, strict=True))
    words = {word: sum(_ONE // len(languages) << bits[language] for language in languages) for word, languages in known.items()}
    letters = {letter: _ONE // 2 << bits[language] for language, own in _LETTERS.items() for letter in own}
    return letters | words
