"""E-mail addresses and telephone numbers."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from optoutkit.errors import MissingExtra
from optoutkit.guidelines import phones, placeholders
from optoutkit.guidelines.links import hosts, is_in, url_spans
from optoutkit.guidelines.sources import Found, Reading, Sentence, Source

__all__ = ["check_addresses", "check_phones"]

_ADDRESS = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}(?:[@＠]|\s?[\[({]\s?(?:at|ät|arroba|chiocciola|@)\s?[\])}]\s?)"
    r"((?:[\w-]{1,63}(?:\.|\s?[\[({]\s?(?:dot|punkt|punto|point|ponto)\s?[\])}]\s?)){1,8}[^\W\d_]{2,24})(?![\w-])",
    re.IGNORECASE,
)
# Seven to fifteen digits (ITU-T E.164), apart by no more than two signs.
_CANDIDATE = re.compile(r"(?<![\w@#/.,:&=%-])(?:\+|＋)?\(?[0-9](?:[ \u00a0\u2009().\u2010-\u2015/-]{0,3}[0-9]){6,14}(?![\w@]|[.,:/-][0-9])")
_DATE = re.compile(
    r"(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)?[0-9]{2}|(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2})(?:\D.*)?"
    r"|[0-3]?[0-9](?:\.[01]?[0-9]\.|/[01]?[0-9])\s.*",  # and an hour
    re.DOTALL,
)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}\s?[-–—/]\s?(?:19|20)[0-9]{2}")
_ORDER_LIKE = re.compile(r"(?:[0-9]{3}|[DSP]0[0-9])-[0-9]{7}-[0-9]{7}")
_MONEY_BEFORE = re.compile(
    r"(?:[$€£¥₹₺]|\b(?:EUR|USD|GBP|SEK|PLN|TRY|INR|JPY|AED|SAR|EGP|BRL|MXN|CAD|AUD|SGD|ZAR|kr|zł|R\$|Rs\.?))\s?$", re.IGNORECASE
)
_MONEY_AFTER = re.compile(r"\s?(?:[$€£¥₹₺円元]|(?:EUR|USD|GBP|SEK|PLN|TRY|TL|INR|JPY|AED|SAR|kr|zł)\b)", re.IGNORECASE)
# Written as a number is that is to be dialled: international, with a trunk prefix, or in American groups.
_DIALLED = re.compile(r"[+＋]|\(?0[0-9]|\([2-9][0-9]{2}\)|1?[-. ]?[2-9][0-9]{2}[-.][2-9][0-9]{2}[-.][0-9]{4}\Z")
_GROUPED = re.compile(r"[0-9][ \u00a0().\u2010-\u2015/-]+[0-9]")
_MAX_NUMBERS = 1000  # looked up in the plans of 23 countries, at a millisecond each
_DIALLING_LINK = frozenset({"tel", "sms", "callto", "whatsapp", "facetime"})
_WHATSAPP = ("wa.me", "whatsapp.com")


def check_addresses(reading: Reading) -> Iterator[Found]:
    """Find e-mail addresses, other than those at Amazon."""
    for source in reading.sources:
        for anchor in source.anchors:
            scheme, _, address = anchor.href.partition(":")
            shown = _ADDRESS.search(source.text[anchor.text_start : anchor.text_end])
            if (
                scheme.lower() == "mailto"
                and not shown
                and (found := _ADDRESS.search(placeholders.blank(address)))
                and not _is_amazons(found)
            ):
                yield Found.place("email_address", source, anchor.start, anchor.end)
        urls = url_spans(source)
        starts = [start for start, _ in urls]
        for found in _ADDRESS.finditer(source.text):
            place = bisect_right(starts, found.start())
            if not _is_amazons(found) and not (place and found.start() < urls[place - 1][1]):
                yield Found.words("email_address", source, *found.span())


def _is_amazons(found: re.Match[str]) -> bool:
    return is_in(found[1].lower(), hosts("amazon"))


def check_phones(reading: Reading) -> Iterator[Found]:
    """Find telephone numbers, other than those of a carrier, a maker or a warranty."""
    budget = _MAX_NUMBERS
    for source in reading.sources:
        yield from _dialling_links(source)
        for found in _candidates(source):
            try:
                phones.require()
            except MissingExtra as error:
                yield Found("phone_number", why_unchecked=str(error))
                return
            if not budget:
                yield Found("phone_number", why_unchecked=f"Of the numbers in the message only the first {_MAX_NUMBERS:,} were looked at.")
                return
            budget -= 1
            if phones.is_number(found[0]):
                yield Found.words("phone_number", source, *found.span())


def _dialling_links(source: Source) -> Iterator[Found]:
    for anchor in source.anchors:
        scheme, _, rest = anchor.href.partition(":")
        dials = scheme.lower() in _DIALLING_LINK or is_in(rest.strip("/").partition("/")[0].lower(), _WHATSAPP)
        words = source.text[anchor.text_start : anchor.text_end]
        if not dials or not re.search("[0-9]{4}", placeholders.blank(rest)) or _CANDIDATE.search(words):
            continue
        around = source.around(anchor.text_start, anchor.text_end)
        if not any("carrier_or_warranty" in sentence.labels for sentence in around):
            yield Found.place("phone_number", source, anchor.start, anchor.end)


def _candidates(source: Source) -> Iterator[re.Match[str]]:
    """Runs of digits that may be numbers to be dialled, by what stands around them."""
    urls = url_spans(source)
    starts = [start for start, _ in urls]
    for found in _CANDIDATE.finditer(source.text):
        place = bisect_right(starts, found.start())
        if (place and found.start() < urls[place - 1][1]) or _is_something_else(source.text, found):
            continue
        around = source.around(*found.span())
        if any("carrier_or_warranty" in sentence.labels for sentence in around):
            continue
        named = _named(found, around)
        if named == "phone" or (named is None and _DIALLED.match(found[0]) and (_GROUPED.search(found[0]) or found[0][0] in "+＋")):
            yield found


def _is_something_else(text: str, found: re.Match[str]) -> bool:
    """A date, a price, an order, a tracking number, a bank account."""
    before = text[max(found.start() - 12, 0) : found.start()]
    return bool(
        _DATE.fullmatch(found[0])
        or _YEARS.fullmatch(found[0])
        or _ORDER_LIKE.search(text, max(found.start() - 4, 0), found.end() + 4)
        or _MONEY_BEFORE.search(before)
        or _MONEY_AFTER.match(text, found.end())
        or re.search(r"\b[A-Za-z]{2}[0-9]{2}\s?$", before)  # an IBAN
    )


def _named(found: re.Match[str], around: list[Sentence]) -> str | None:
    """What the nearest word before the digits, or else the nearest behind them, calls them."""
    before, behind = list[tuple[int, str]](), list[tuple[int, str]]()
    for sentence in around:
        for phrase in sentence.find("phone", "other_number"):
            start, end = sentence.place(phrase)
            if end <= found.start():
                before.append((end, phrase.label))
            else:
                behind.append((-start, phrase.label))
    nearest = max(before or behind, default=None)
    return nearest[1] if nearest else None
