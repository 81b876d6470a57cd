"""A message as the classifier reads it: folded, without quoted mail and signatures, sentence by sentence."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import attrs

from optoutkit.classifier.lexicons import concepts
from optoutkit.messages import Message
from optoutkit.text import language as languages
from optoutkit.text import threads
from optoutkit.text.folding import Folded, fold
from optoutkit.text.sentences import sentences
from optoutkit.text.tokens import CJK_START, tokenize, words
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["Part", "Reading", "Said", "Sentence", "read"]

Part = Literal["subject", "text", "alternative"]

# Known names only: what else stands in angle brackets is seen by the buyer, and says what it says.
_TAG = re.compile(
    r"</?(?:a|b|big|body|blockquote|br|center|code|col|colgroup|div|em|font|footer|h[1-6]|head|header|hr|html|i|img|li|link|main|meta|ol|p|pre|s"
    r"|section|small|span|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul)(?:\s[^<>=]{0,200}=[^<>]{0,2000}|\s{0,20}/?)>"
    r"|<!(?:--|doctype)[^<>]{0,2000}>"
)
_PREFIX = re.compile(r"\s*([^\s:：]{1,12})\s*[:：]")
_MARK = re.compile(r"\[([^\[\]]{1,40})\]|【([^【】]{1,40})】")
_NUMBER = re.compile(r"\d")
_MAX_SUBJECT = 2_000
_MAX_WORDS = 120  # what is longer is no sentence, and is read in pieces of this size
_KEPT = 4_096  # sentences; sellers send the same ones again and again
_LONGEST_KEPT = 250  # characters of one; so short a one may have any number of words
_LONGEST_WORD = 100  # characters of one that count; none that says anything is longer


@attrs.frozen(eq=False)
class Said:
    """What a sentence says, wherever it stands.

    Attributes:
        text: Its folded text.
        words: Its words, or runs of Japanese or Chinese characters.
        seen: The same as they count: which number it is says nothing, nor does the end of a very long one.
        concepts: What the lexicon's phrases in it express.
        has_runs: Whether there is a run among the words.
        has_number: Whether there is a digit.
        asks: Whether there is a question mark.
        told: What others have worked out of it, to be remembered as long as it is.
    """

    text: str
    words: Sequence[str]
    seen: Sequence[str]
    concepts: Sequence[str]
    has_runs: bool
    has_number: bool
    asks: bool
    told: dict[object, Any] = attrs.field(factory=dict, repr=False)


class Sentence(NamedTuple):
    """One sentence in its place.

    Attributes:
        part: Where it stands.
        start: Offset of its first code point in the part's folded text.
        end: Offset behind its last one.
        said: What it says; the same object for the same words, as long as it is remembered.
    """

    part: Part
    start: int
    end: int
    said: Said


@attrs.frozen(kw_only=True)
class Reading:
    """A whole message, read.

    Attributes:
        sentences: Those of the subject first, then the text's, then what only the alternative has.
        folded: The folded text of each part, to find the way back to the original.
        sources: The original text of each part.
        text: What was read of each part: the folded text with markup and subject marks blanked out.
        language: Its main language, None if unknown.
        spoken: All languages that a good part of it may be in.
    """

    sentences: tuple[Sentence, ...]
    folded: dict[Part, Folded]
    text: dict[Part, str]
    sources: dict[Part, str]
    language: str | None
    spoken: tuple[str, ...]


def read(message: Message, hint: str | None = None) -> Reading:
    """Read a message; the time is linear in its length.

    Args:
        message: What is about to be sent.
        hint: The language it is expected to be in, if the caller knows.
    """
    sources: dict[Part, str] = {"subject": message.subject[:_MAX_SUBJECT], "text": message.text}
    if message.alternative:
        sources["alternative"] = message.alternative
    folded: dict[Part, Folded] = {part: fold(source) for part, source in sources.items()}
    texts: dict[Part, str] = {part: _without_tags(parted.text) for part, parted in folded.items()}
    texts["subject"] = _without_marks(texts["subject"])
    own: dict[Part, list[tuple[int, int]]] = {part: _own_spans(part, text) for part, text in texts.items()}
    plain = "\n".join(texts[part][start:end] for part, spans in own.items() for start, end in spans)
    guess = languages.detect(plain, hint)
    likely = (*guess.candidates, hint)
    spoken = tuple(language for language in LANGUAGES if language in likely) or LANGUAGES
    found = tuple(sentence for part, spans in own.items() for sentence in _read_part(part, texts[part], spans, spoken))
    return Reading(sentences=found, sources=sources, folded=folded, text=texts, language=guess.language, spoken=spoken)


def _own_spans(part: Part, text: str) -> list[tuple[int, int]]:
    if part == "subject":
        return [(0, len(text))]
    return [(span.start, span.end) for span in threads.split(text).own]


def _read_part(part: Part, text: str, spans: list[tuple[int, int]], spoken: tuple[str, ...]) -> Iterator[Sentence]:
    for span_start, span_end in spans:
        for start, end in sentences(text, span_start, span_end):
            piece = text[start:end]
            hear = _remembered if len(piece) <= _LONGEST_KEPT else _heard
            if hear is _remembered or len(words(piece)) <= _MAX_WORDS:
                yield Sentence(part, start, end, hear(piece, spoken))
                continue
            tokens = list(tokenize(text, start, end))
            for first in range(0, len(tokens), _MAX_WORDS):
                piece_start, piece_end = tokens[first].start, tokens[first : first + _MAX_WORDS][-1].end
                yield Sentence(part, piece_start, piece_end, _heard(text[piece_start:piece_end], spoken))


def _heard(text: str, spoken: tuple[str, ...]) -> Said:
    found = seen = words(text)
    has_number = bool(_NUMBER.search(text))
    if has_number:
        seen = [word if word.isalpha() or not _NUMBER.search(word) else "#" if word.isdigit() else "#a" for word in found]
    if len(text) > _LONGEST_WORD and max(map(len, seen), default=0) > _LONGEST_WORD:
        seen = [word[:_LONGEST_WORD] for word in seen]
    has_runs = not text.isascii() and max(found, default="") >= CJK_START
    asks = "?" in text or "？" in text or "؟" in text
    return Said(text, found, seen, concepts(found, spoken), has_runs, has_number, asks)


_remembered = functools.lru_cache(maxsize=_KEPT)(_heard)


def _blank(match: re.Match[str]) -> str:
    """As many spaces as the match is long, so that offsets stay."""
    return " " * len(match[0])


def _without_tags(text: str) -> str:
    """Markup that stands in a plain text is not what the buyer is told; each tag ends a line."""
    return _TAG.sub(lambda match: "\n" + " " * (len(match[0]) - 1), text) if "<" in text else text


def _without_marks(subject: str) -> str:
    """Take out ``[Important]`` and the like, which are never evidence (amazon.md section d), and ``Re:``."""
    marks, prefixes = _marks_and_prefixes()
    subject = _MARK.sub(lambda match: _blank(match) if (match[1] or match[2]).strip(" !") in marks else match[0], subject)
    while (match := _PREFIX.match(subject)) and match[1] in prefixes:
        subject = _blank(match) + subject[match.end() :]
    return subject


@functools.cache
def _marks_and_prefixes() -> tuple[frozenset[str], frozenset[str]]:
    """Those of all languages: a shop writes in one and replies by a mail program of another."""
    lists = [word_list(language) for language in LANGUAGES]
    return frozenset().union(*(words.subject_marks for words in lists)), frozenset().union(*(words.reply_prefixes for words in lists))
