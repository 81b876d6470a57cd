"""A message as the classifier reads it: folded, without quoted mail and signatures, sentence by sentence."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import attrs

from optoutkit.classifier.lexicons import concepts
from optoutkit.messages import Message
from optoutkit.text import language as languages
from optoutkit.text import threads
from optoutkit.text.folding import Folded, fold
from optoutkit.text.sentences import sentences
from optoutkit.text.tokens import CJK_START, Token, places, tokenize, words
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["Part", "Reading", "Sentence", "read"]

Part = Literal["subject", "text", "alternative"]

# Known names only: what else stands in angle brackets is seen by the buyer, and says what it says.
_TAG = re.compile(
    r"</?(?:a|b|big|body|blockquote|br|center|code|col|colgroup|div|em|font|footer|h[1-6]|head|header|hr|html|i|img|li|link|main|meta|ol|p|pre|s"
    r"|section|small|span|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul)(?:\s[^<>=]{0,200}=[^<>]{0,2000}|\s{0,20}/?)>"
    r"|<!(?:--|doctype)[^<>]{0,2000}>"
)
_PREFIX = re.compile(r"\s*([^\s:：]{1,12})\s*[:：]")
_MARK = re.compile(r"\[([^\[\]]{1,40})\]|【([^【】]{1,40})】")
_MAX_SUBJECT = 2_000
_MAX_WORDS = 120  # what is longer is no sentence, and is read in pieces of this size


class Sentence(NamedTuple):
    """One sentence in its place.

    Attributes:
        part: Where it stands.
        start: Offset of its first code point in the part's folded text.
        end: Offset behind its last one.
        text: Its folded text.
        words: Its words, or runs of Japanese or Chinese characters.
        concepts: What the lexicon's phrases in it express.
        has_runs: Whether there is a run among the words.
        tokens: The words with their places, of a piece of what is too long for a sentence; else None, and :meth:`located` finds them.
    """

    part: Part
    start: int
    end: int
    text: str
    words: Sequence[str]
    concepts: Sequence[str]
    has_runs: bool
    tokens: Sequence[Token] | None = None

    def located(self, text: str) -> Sequence[Token]:
        """The words with their places in the part's folded text."""
        return list(tokenize(text, self.start, self.end)) if self.tokens is None else self.tokens

    def places(self, text: str) -> Sequence[tuple[int, int]]:
        """Where the words begin and end in the part's folded text."""
        return places(text, self.start, self.end) if self.tokens is None else [(token.start, token.end) for token in self.tokens]


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


def _read_part(part: Part, text: str, spans: list[tuple[int, int]], spoken: Sequence[str]) -> Iterator[Sentence]:
    for span_start, span_end in spans:
        for start, end in sentences(text, span_start, span_end):
            found = words(text, start, end)
            if len(found) <= _MAX_WORDS:
                yield _sentence(part, text, (start, end), found, spoken)
                continue
            tokens = list(tokenize(text, start, end))
            for first in range(0, len(tokens), _MAX_WORDS):
                piece = tokens[first : first + _MAX_WORDS]
                some = [token.text for token in piece]
                yield _sentence(part, text, (piece[0].start, piece[-1].end), some, spoken)._replace(tokens=piece)


def _sentence(part: Part, text: str, span: tuple[int, int], found: list[str], spoken: Sequence[str]) -> Sentence:
    start, end = span
    own = text[start:end]
    has_runs = not own.isascii() and max(found, default="") >= CJK_START
    return Sentence(part, start, end, own, found, concepts(found, spoken), has_runs)


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
