"""Whether the words of one mail are a notice, which, and about which orders.

What tells a notice from a mail that quotes one: the deciding clause stands in the first sentence, which names the order; before it
comes nothing but a greeting and what mail servers put there. A newsletter introduces its quotation, a seller asks a
question first. And a notice comes from Amazon, or says so (:mod:`optoutkit.notices.senders`).
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

import attrs

from optoutkit.identities import OrderId, find_order_ids
from optoutkit.notices.passages import Passage
from optoutkit.notices.surroundings import surroundings
from optoutkit.notices.values import NoticeEvidence, NoticeKind
from optoutkit.notices.wordings import Found, Wordings, bare_letters, letters_of
from optoutkit.text.folding import Folded, fold
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["Reading", "TypeHeader", "read_passage"]

# A dot after a short word may end an abbreviation; in Japanese and Chinese a sentence needs no blank after it.
_SENTENCE_END = re.compile(r"[.!?؟।。！？\n](?:(?<=[。！？])|(?<=\n)[ \t]*\n|(?:(?<=\w{4}\.)|(?<=[^\w\s]\.)|(?<=[!?؟।]))[\"')\]]*(?=\s|$))")
_BEFORE, _AFTER = 400, 200  # code points of the deciding sentence on either side of its clause
_LONGEST_LEAD = 240  # "We were unable to deliver the message you sent to NAME on DATE for order [" takes 90
_LONGEST_GREETING = 60
_LONGEST_BEGINNING = 4000  # with all that mail servers put on top
_LETTER = re.compile(r"[^\W\d_]")
_NO_TEXT = ("http", "[image", "[cid", "<http")
_QUOTE_OPENS = re.compile(r"[\"「『]|:\s*$", re.MULTILINE)
_COLON = re.compile(r":\s")
# An order ID into which a mail program has put line ends, for what comes after it may be another number.
_BREAK = r"[ \t>]{0,20}\n[ \t>]{0,20}"
_BROKEN_ID = re.compile(rf"(?<![0-9a-z-])([0-9dsp][0-9-]{{0,18}})({_BREAK})([0-9-]{{1,18}})(?:({_BREAK})([0-9-]{{1,18}}))?(?![0-9a-z-])")
_MAY_BREAK_ID = re.compile(r"\n[ \t>]{0,20}[0-9-]")  # the same from its first line end on: far fewer places to try
_LETTER_OF_ID = re.compile(r"(?<![0-9a-z-])[dsp](?=0[0-9]-)")
_LETTERS_OF_IDS = ("d0", "s0", "p0")  # the cheap question, asked first
_ID = re.compile(r"(?:[0-9]{3}|[dsp]0[0-9])-[0-9]{7}-[0-9]{7}")
_MOST_LETTERS_BESIDE_ID = 16  # in a list of orders: "Bestellnummer"
_SPELLED_OUT = re.compile(r"<(?:https?:|mailto:)[^<>]{0,2000}>", re.IGNORECASE)  # a link's target, put into the sentence by a mail program
_LINK_TYPE = re.compile(r"(?:customattribute1value|communicationname)(?:=|%3d)([a-z0-9_]{4,80})", re.IGNORECASE)
_HEADER_CONFIDENCE, _BOTH_CONFIDENCE, _LINK_CONFIDENCE = 0.98, 0.99, 0.9
_TYPES_SOURCE = "amazon.md section c: X-Space-Notification-Type"


@attrs.frozen
class TypeHeader:
    """Amazon's notification type in a mail's own header."""

    value: str
    kind: NoticeKind


@attrs.frozen(kw_only=True)
class Reading:
    """What a passage says, read as a notice.

    Attributes:
        kind: Which notice.
        order_ids: The orders it is about.
        language: Of the wording; None if it was not the wording that told.
        confidence: How sure it is.
        evidence: What told.
    """

    kind: NoticeKind
    order_ids: tuple[OrderId, ...]
    language: str | None
    confidence: float
    evidence: tuple[NoticeEvidence, ...]


def read_passage(passage: Passage, wordings: Wordings, *, header: TypeHeader | None, links: Iterable[str] = ()) -> Reading | None:
    """Read the words of one mail as a notice.

    Args:
        passage: The words. Unless there is a header, its sender must have been found to claim that it is Amazon.
        wordings: What is known.
        header: The notification type, where the mail has one; it decides whatever the words are.
        links: Where the links of the passage lead, beside those that its text spells out.

    Returns:
        None if it is no notice.
    """
    text = _Text(passage, wordings)
    found = wordings.find(text.folded.text)
    if header:
        return _by_header(text, header, [each for each in found if each.wording.kind is header.kind])
    types = _link_types(passage, links, wordings)
    known = {value: kind for value, kind in types.items() if kind}
    if len(known) < len(types):
        return None  # mail of another kind
    for each in found:
        if reading := _by_wording(text, each, found):
            return reading
    return _by_link(text, known)


def _by_header(text: "_Text", header: TypeHeader, found: list[Found]) -> Reading:
    evidence = NoticeEvidence("header", header.value, _TYPES_SOURCE)
    orders = text.orders_of(found)
    if not orders:
        orders = text.first_orders()
        return Reading(kind=header.kind, order_ids=orders, language=None, confidence=_HEADER_CONFIDENCE, evidence=(evidence,))
    return Reading(
        kind=header.kind,
        order_ids=orders,
        language=found[0].wording.language,
        confidence=_BOTH_CONFIDENCE,
        evidence=(evidence, text.evidence(found[0])),
    )


def _by_wording(text: "_Text", each: Found, found: list[Found]) -> Reading | None:
    kind = each.wording.kind
    named = text.named_with(each)
    if not named and kind is NoticeKind.OPT_OUT:
        return None
    first = min([each.start, *text.places[:1]])
    if first < each.start and text.orders[0] not in named:
        return None  # it speaks of another order before
    if not text.is_beginning(first) or text.introduces(each):
        return None
    return Reading(
        kind=kind,
        order_ids=text.orders_of([other for other in found if other.wording.kind is kind and other.start >= each.start]),
        language=each.wording.language,
        confidence=each.wording.confidence,
        evidence=(text.evidence(each),),
    )


def _by_link(text: "_Text", types: dict[str, NoticeKind]) -> Reading | None:
    kinds = set(types.values())
    orders = text.first_orders()
    if len(kinds) != 1 or not orders or not text.is_beginning(text.places[0]):
        return None
    kind = kinds.pop()
    evidence = tuple(NoticeEvidence("link", value, _TYPES_SOURCE) for value in types)
    return Reading(kind=kind, order_ids=orders, language=None, confidence=_LINK_CONFIDENCE, evidence=evidence)


def _link_types(passage: Passage, links: Iterable[str], wordings: Wordings) -> dict[str, NoticeKind | None]:
    """The known notification types in the links of a passage. An unknown one says nothing: links name other things too."""
    values = [value.upper() for text in (passage.text, *links) if "=" in text or "%" in text for value in _LINK_TYPE.findall(text)]
    return {value: wordings.types[value] for value in values if value in wordings.types}


class _Text:
    """The folded text of a passage, its order IDs, and what stands where. All places are those of the folded text."""

    def __init__(self, passage: Passage, wordings: Wordings) -> None:
        self._passage = passage
        self._wordings = wordings
        self.folded: Folded = fold(_SPELLED_OUT.sub(lambda link: " " * len(link[0]), passage.text))
        whole = self.folded.text
        if _MAY_BREAK_ID.search(whole):
            whole = _BROKEN_ID.sub(_put_together, whole)
        if any(letters in whole for letters in _LETTERS_OF_IDS):
            whole = _LETTER_OF_ID.sub(lambda letter: letter[0].upper(), whole)
        ids = list(find_order_ids(whole))
        self.places = [place for place, _ in ids]
        self.orders = [order for _, order in ids]
        self._sentences: dict[Found, tuple[int, int]] = {}
        self._beginnings: dict[int, bool] = {}

    def evidence(self, found: Found) -> NoticeEvidence:
        start, end = self.folded.original(found.start, found.end)
        words = " ".join(self._passage.text[start:end].split())
        return NoticeEvidence("wording", words, found.wording.source, found.wording.verified)

    def sentence(self, found: Found) -> tuple[int, int]:
        """Where the sentence round a clause begins and ends."""
        if found not in self._sentences:
            self._sentences[found] = self._sentence(found)
        return self._sentences[found]

    def _sentence(self, found: Found) -> tuple[int, int]:
        text = self.folded.text
        start = max(0, found.start - _BEFORE)
        for mark in _SENTENCE_END.finditer(text, start, found.start):
            start = mark.end()
        mark_after = _SENTENCE_END.search(text, found.end, found.end + _AFTER)
        return start, mark_after.end() if mark_after else min(len(text), found.end + _AFTER)

    def ids_between(self, start: int, end: int) -> list[OrderId]:
        return self.orders[bisect_left(self.places, start) : bisect_left(self.places, end)]

    def list_after(self, place: int) -> list[OrderId]:
        """The orders in the lines that follow, as long as each names one and little else."""
        orders: list[OrderId] = []
        for start, end in self._lines(place):
            line = self.folded.text[start:end]
            if named := self.ids_between(start, end):
                if not self._is_list_item(line):
                    break
                orders += named
            elif _LETTER.search(line):
                break
        return orders

    def orders_of(self, found: list[Found]) -> tuple[OrderId, ...]:
        """The orders that these clauses are about, each once."""
        return tuple(dict.fromkeys(order for each in found for order in self.named_with(each)))

    def named_with(self, found: Found) -> list[OrderId]:
        """The orders in the sentence round a clause; where it names none, those of the list that follows it."""
        start, end = self.sentence(found)
        return self.ids_between(start, end) or self.list_after(end)

    def introduces(self, found: Found) -> bool:
        """Whether the sentence round a clause is somebody's who quotes it: "About order 1, Amazon tells us: your message for order 1 …"."""
        start, _ = self.sentence(found)
        colon = max((mark.end() for mark in _COLON.finditer(self.folded.text, start, found.start)), default=start)
        return bool(self.ids_between(start, colon) and self.ids_between(colon, found.start))

    def first_orders(self) -> tuple[OrderId, ...]:
        """Where no wording tells which orders are meant: those of the first line that names any, and of a list that goes on there."""
        if not self.places:
            return ()
        first = self.places[0]
        end = self.folded.text.find("\n", first)
        end = len(self.folded.text) if end < 0 else end
        begin = self.folded.text.rfind("\n", 0, first) + 1
        below = self.list_after(end) if self._is_list_item(self.folded.text[begin:end]) else []
        return tuple(dict.fromkeys([*self.ids_between(first, end), *below]))

    def _is_list_item(self, line: str) -> bool:
        return len(_LETTER.findall(line)) <= _MOST_LETTERS_BESIDE_ID

    def _lines(self, place: int) -> Iterator[tuple[int, int]]:
        while place < len(self.folded.text):
            end = self.folded.text.find("\n", place)
            end = len(self.folded.text) if end < 0 else end
            yield place, end
            place = end + 1

    def is_beginning(self, place: int) -> bool:
        """Whether what stands before a place is only the beginning of a notice: a greeting and the lead of its first sentence."""
        if place not in self._beginnings:  # a text may say the same a thousand times after the first order
            self._beginnings[place] = place <= _LONGEST_BEGINNING and self._is_beginning(place)
        return self._beginnings[place]

    def _is_beginning(self, place: int) -> bool:
        lead = " ".join(line for line in self._lines_before(place) if not self._is_furniture(line))
        return len(lead) <= _LONGEST_LEAD and not _SENTENCE_END.search(f"{lead}x") and not _QUOTE_OPENS.search(lead)

    @cached_property
    def _subject(self) -> str:
        return letters_of(self._passage.subject[:_LONGEST_BEGINNING])

    def _lines_before(self, place: int) -> Iterator[str]:
        on_top = False
        for line in (line.strip() for line in self.folded.text[:place].split("\n")):
            # A server's line on top may be wrapped: it lasts until its sentence ends.
            on_top = on_top or line.lstrip("[*!<>- ").startswith(surroundings().lines_on_top)
            if not on_top:
                yield line
            elif not line or line.endswith((".", "!", "]", "。")):
                on_top = False

    def _is_furniture(self, line: str) -> bool:
        if not _LETTER.search(line) or line.startswith(_NO_TEXT):
            return True
        letters = bare_letters(line)  # the line is folded already
        if letters in self._wordings.subjects or letters == self._subject or line in surroundings().sender_names:
            return True
        if len(line) > _LONGEST_GREETING or line.endswith((":", "?")):
            return False
        return line.endswith((",", "、", "،", "!")) or letters.startswith(self._wordings.greetings) or _greets(line)


def _put_together(broken: re.Match[str]) -> str:
    """An order ID without its line ends; they go behind it, so that places stay."""
    first, gap, second, other_gap, third = (part or "" for part in broken.groups())
    for before, order, after in (
        ("", first + second, gap + other_gap + third),
        ("", first + second + third, gap + other_gap),
        (first + gap, second + third, other_gap),
    ):
        if _ID.fullmatch(order):
            return f"{before}{order}{after}"
    return broken[0]


def _greets(line: str) -> bool:
    return line.startswith(_greetings()) and any(line.startswith(words) and not line[len(words) :][:1].isalpha() for words in _greetings())


@cache
def _greetings() -> tuple[str, ...]:
    return tuple(greeting for language in LANGUAGES for greeting in word_list(language).greetings)
