"""The texts of a message, ready to be searched: each character knows its place in the source that the caller gave."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import attrs

from optoutkit.guidelines import placeholders, words
from optoutkit.guidelines.pages import Anchor, Element, Page, read_page
from optoutkit.messages import Message
from optoutkit.text.folding import Folded, fold
from optoutkit.text.phrases import Phrase
from optoutkit.text.sentences import sentences
from optoutkit.text.spans import Span
from optoutkit.text.threads import Thread, split
from optoutkit.text.tokens import tokenize

__all__ = ["Found", "Reading", "Sentence", "Source"]

_LONGEST_PLACE = 300  # code points


@attrs.frozen(eq=False, slots=False)
class Sentence:
    """A sentence, and the phrases in it.

    Attributes:
        start: Where it begins in :attr:`Source.text`.
        end: Where it ends.
        text: The sentence.
        folded: The same, folded.
        phrases: What was found in the folded text.
    """

    start: int
    end: int
    text: str
    folded: Folded = attrs.field(repr=False)
    phrases: tuple[Phrase, ...]

    @cached_property
    def labels(self) -> frozenset[str]:
        """What the phrases are a sign of."""
        return frozenset(phrase.label for phrase in self.phrases)

    def place(self, phrase: Phrase) -> tuple[int, int]:
        """Where a phrase stands in :attr:`Source.text`."""
        start, end = self.folded.original(phrase.start, phrase.end)
        return self.start + start, self.start + end

    def find(self, *labels: str) -> Iterator[Phrase]:
        """The phrases with one of these labels."""
        return (phrase for phrase in self.phrases if phrase.label in labels)


@attrs.frozen(eq=False, slots=False)
class Source:
    """A part of a message.

    Attributes:
        part: ``"subject"``, ``"body"`` or ``"html"``.
        given: The source as the caller gave it.
        plain: Its words.
        starts: Where each character of ``plain`` comes from, in ``given``.
        ends: Where that ends.
        page: The HTML that the words are from.
    """

    part: str
    given: str
    plain: str
    starts: Sequence[int]
    ends: Sequence[int]
    page: Page | None = None

    @classmethod
    def of_text(cls, part: str, given: str) -> "Source":
        """A source that is plain text."""
        return cls(part, given, given, range(len(given)), range(1, len(given) + 1))

    @classmethod
    def of_page(cls, given: str) -> "Source":
        """A source that is HTML."""
        page = read_page(given)
        return cls("html", given, page.text, page.starts, page.ends, page)

    @cached_property
    def text(self) -> str:
        """The words of the author: blanks stand for placeholders and for older mails that are quoted."""
        text = placeholders.blank(self.plain)
        if self.part == "subject":
            return text
        kept, position = list[str](), 0
        for span in self._thread.quoted:
            kept += text[position : span.start], _blanked(text[span.start : span.end])
            position = span.end
        return "".join((*kept, text[position:]))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences of the text, the signature's too."""
        return tuple(_read(self.text, span) for span in sentences(self.text))

    @cached_property
    def own_sentences(self) -> tuple[Sentence, ...]:
        """The sentences before the signature."""
        starts = [span.start for span in self._thread.signature]
        ends = [span.end for span in self._thread.signature]
        return tuple(one for one in self.sentences if (place := bisect_right(starts, one.start)) == 0 or one.start >= ends[place - 1])

    def around(self, start: int, end: int) -> list[Sentence]:
        """The sentences that touch a stretch of the text, and the one before them if it announces them."""
        first = bisect_left(self._sentence_ends, start)
        last = max(bisect_right(self._sentence_starts, end), first)
        touched = list(self.sentences[first:last])
        if first and (not touched or start <= touched[0].start or self.sentences[first - 1].text.endswith((":", "："))):
            touched.append(self.sentences[first - 1])
        return touched

    def in_text(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the text stands in the source; it must not be empty."""
        return self.starts[start], max(self.ends[end - 1], self.starts[start])

    @property
    def anchors(self) -> Iterator[Anchor]:
        """The author's links; none in plain text."""
        return (anchor for anchor in (self.page.anchors if self.page else ()) if not self.is_quoted(anchor.start))

    @property
    def elements(self) -> Iterator[Element]:
        """The author's start tags; none in plain text."""
        return (element for element in (self.page.elements if self.page else ()) if not self.is_quoted(element.start))

    def is_quoted(self, place: int) -> bool:
        """Whether an older mail that is quoted stands at this place of the source."""
        for starts, ends in self._quotes:
            before = bisect_right(starts, place)
            if before and place < ends[before - 1]:
                return True
        return False

    @cached_property
    def _quotes(self) -> tuple[tuple[list[int], list[int]], ...]:
        """Where quoted mails begin and end in the source: those known by their words, and those known by their tags."""
        spans = [span for span in self._thread.quoted if span.end > span.start] if self.part != "subject" else []
        by_words = [self.in_text(span.start, span.end) for span in spans]
        return tuple(
            ([start for start, _ in found], [end for _, end in found]) for found in (by_words, self.page.quotes if self.page else ())
        )

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [sentence.start for sentence in self.sentences]

    @cached_property
    def _sentence_ends(self) -> list[int]:
        return [sentence.end for sentence in self.sentences]

    @cached_property
    def _thread(self) -> Thread:
        return split(self.plain)


class Reading:
    """A message read: what the checks are given.

    Args:
        message: The message.

    Attributes:
        message: The message.
        subject: Its subject.
        main: What the buyer sees: the HTML, else the body.
        sources: All that it has.
    """

    def __init__(self, message: Message) -> None:
        self.message: Message = message
        self.subject: Source = Source.of_text("subject", message.subject)
        texts = [Source.of_text("body", message.body)] if message.body or message.html is None else []
        texts += [Source.of_page(message.html)] if message.html is not None else []
        self.main: Source = texts[-1]
        self.sources: tuple[Source, ...] = (self.subject, *texts)

    @property
    def page(self) -> Page | None:
        """The HTML, if there is any."""
        return self.main.page


class Found(NamedTuple):
    """A place that breaks a rule.

    Attributes:
        rule: Its ID.
        part: The part it stands in, or empty.
        start: Where it begins in the source given.
        end: Where it ends.
        text: What stands there.
        why_unchecked: Empty, or why the rule could not be checked.
    """

    rule: str
    part: str = ""
    start: int = 0
    end: int = 0
    text: str = ""
    why_unchecked: str = ""

    @classmethod
    def words(cls, rule: str, source: Source, start: int, end: int) -> "Found":
        """A stretch of the text of a source, which must not be empty."""
        return cls.place(rule, source, *source.in_text(start, end))

    @classmethod
    def place(cls, rule: str, source: Source, start: int, end: int) -> "Found":
        """A stretch of the source as given; of a long one, such as a picture inside a tag, only the beginning."""
        end = min(end, start + _LONGEST_PLACE)
        return cls(rule, source.part, start, end, source.given[start:end])


def _blanked(text: str) -> str:
    return "".join(character if character == "\n" else " " for character in text)


def _read(text: str, span: Span) -> Sentence:
    sentence = text[span.start : span.end]
    folded = fold(sentence)
    return Sentence(span.start, span.end, sentence, folded, tuple(words.find(list(tokenize(folded.text)))))
