"""A mail, the mails attached to it, and the notices they carry."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import attrs

from optoutkit.errors import MessageTooLarge
from optoutkit.identities import find_order_ids
from optoutkit.marketplaces import Marketplace
from optoutkit.notices.dates import arrival, forwarded_date, offset_of, parse_date
from optoutkit.notices.details import links_in, named_buyer, store_of_links
from optoutkit.notices.passages import Passage, cut
from optoutkit.notices.reading import Reading, TypeHeader, read_passage
from optoutkit.notices.screening import Screen
from optoutkit.notices.senders import Claim, Sender, read_sender
from optoutkit.notices.transit import is_passed_on, is_returned
from optoutkit.notices.values import Form, Notice, NoticeEvidence
from optoutkit.notices.wordings import Wordings
from optoutkit.text.html import render
from optoutkit.text.language import detect
from optoutkit.text.mime import Headers, Limits, Mail, peek, read_mail

__all__ = ["MailReader"]

_TYPE_FIELD = "x-space-notification-type"
_MARKETPLACE_FIELD = "x-marketplace-id"
# Lists and forwarding services put their own address into From and keep Amazon's in one of these.
_OTHER_SENDER_FIELDS = ("reply-to", "x-original-from", "x-google-original-from", "x-original-sender")
_LONGEST_BODY = 2**18  # characters; a notice has a few thousand, and nobody forwards one below a longer text
_MOST_TEXT_BYTES = 2**20  # of what a mail shows, as it is encoded
_MOST_WORK = 2**21  # characters of all headers and bodies together, those of attached mails included
_CUT = NoticeEvidence("limit", f"the text goes on beyond the {_LONGEST_BODY:,} characters that were read", "")
_LARGEST_SCREENED = 2**20  # bytes; a larger mail is taken apart in less time than all of it is searched


class MailReader:
    """Reads one mail with all that is attached to it.

    Args:
        wordings: How notices look.
        screen: The quick test made of these wordings.
        limits: What is too much. Attached mails count as levels and as parts, and their bytes together may be twice those of the mail.
            Of a mail that is not too much, the text is read as far as a notice can be expected; a notice's evidence says so where
            there is more.
        now: The time; nothing was sent later.
    """

    def __init__(self, *, wordings: Wordings, screen: Screen, limits: Limits, now: datetime) -> None:
        self._wordings = wordings
        self._screen = screen
        self._limits = limits
        self._now = now
        self._mails = 0
        self._bytes = 0
        self._work = 0
        self._senders: dict[str, Sender] = {}

    def read(self, raw: bytes, level: int = 0, latest: datetime | None = None) -> Iterator[Notice]:
        """Yield the notices of a mail, in its order.

        Args:
            raw: The mail.
            level: How deep it is attached.
            latest: When the mail round it arrived.

        Raises:
            MessageTooLarge: It is beyond the limits.
        """
        headers = peek(raw, self._limits)
        header = self._type_of(headers)
        if header == "other":
            return
        if header is None and len(raw) <= _LARGEST_SCREENED and not self._screen.passes(raw) and not self._may_exceed(raw):
            return
        mail = read_mail(raw, limits=self._limits, text_bytes=_MOST_TEXT_BYTES, headers=headers)
        self._count(mail.header_bytes)
        if is_returned(mail):
            return
        arrived = min(arrival(mail.headers.get_all("received"), self._now), latest or self._now)
        author = self._read_sender(", ".join(mail.headers.get_all("from")))
        if author.claim is Claim.BUYER or (author.claim is Claim.RELAY and header is None):
            return
        sender = self._sender_before(author, mail.headers)
        carrier = _Carrier(
            mail=mail, sender=sender, is_rewritten=sender is not author, header=header, arrived=arrived, is_attached=level > 0
        )
        yield from self._own_notices(carrier)
        yield from self._attached_notices(mail, level, arrived)

    def _type_of(self, headers: Headers) -> TypeHeader | Literal["other"] | None:
        """The notification type, where a mail has one. One of another kind, or two that differ, mean that it is no notice."""
        values = {value.strip().upper(): value for value in headers.get_all(_TYPE_FIELD)}
        if not values:
            return None
        name, value = values.popitem()
        kind = self._wordings.types.get(name)
        return TypeHeader(value, kind) if kind and not values else "other"

    def _may_exceed(self, raw: bytes) -> bool:
        """Whether it has enough of what looks like parts to be beyond the limits; then it is taken apart to know."""
        parts = raw.count(b"\n--") + raw.count(b"\r--")
        return parts >= self._limits.max_parts or (
            parts >= self._limits.max_depth and raw.lower().count(b"multipart/") >= self._limits.max_depth
        )

    def _attached_notices(self, mail: Mail, level: int, arrived: datetime) -> Iterator[Notice]:
        for raw in mail.attached:
            self._mails += 1
            self._bytes += len(raw)
            if level >= self._limits.max_depth or self._mails > self._limits.max_parts or self._bytes > 2 * self._limits.max_bytes:
                raise MessageTooLarge("the mails attached to the mail, and to those, are deeper, more or larger than allowed")
            yield from self.read(raw, level + 1, arrived)

    def _sender_before(self, author: Sender, headers: Headers) -> Sender:
        """Amazon, where lists and forwarding services have put their own address in place of Amazon's; else the author in From."""
        if author.claim is not Claim.OTHER:
            return author
        others = (self._read_sender(value) for name in _OTHER_SENDER_FIELDS for value in headers.get_all(name))
        return next((other for other in others if other.claim is Claim.AMAZON), author)

    def _read_sender(self, field: str) -> Sender:
        if field not in self._senders:
            self._senders[field] = read_sender(field, self._wordings.sign_offs)
        return self._senders[field]

    def _may_forward(self, field: str) -> bool:
        """Whether a mail inside another may forward a notice: not one in which Amazon passes on what others wrote."""
        return self._read_sender(field).claim in (Claim.AMAZON, Claim.OTHER)

    def _own_notices(self, carrier: "_Carrier") -> Iterator[Notice]:
        """The notices of the mail itself: it may be one, or forward some in its text."""
        best: list[Notice] = []
        for body in self._bodies(carrier.mail):
            notices = list(self._notices_in(body, carrier))
            best = best or notices
            if any(notice.order_ids for notice in notices):
                best = notices
                break
        if carrier.header and not best:  # it shows no text at all
            best = list(self._notices_in(_Body(""), carrier))
        yield from best

    def _bodies(self, mail: Mail) -> Iterator["_Body"]:
        """What the reader sees first: HTML, then plain text."""
        if mail.html:
            document = mail.html[: 2 * _LONGEST_BODY]
            self._count(len(document))
            page = render(document)
            yield _Body(
                page.text[:_LONGEST_BODY],
                tuple((link.href, link.start) for link in page.links),
                page.hidden[:_LONGEST_BODY],
                is_cut=mail.is_cut or len(mail.html) > len(document) or len(page.text) > _LONGEST_BODY,
            )
        if mail.plain:
            text = mail.plain[:_LONGEST_BODY]
            self._count(len(text))
            yield _Body(text, is_cut=mail.is_cut or len(mail.plain) > len(text))

    def _count(self, characters: int) -> None:
        self._work += characters
        if self._work > _MOST_WORK:
            raise MessageTooLarge(f"the mails attached to the mail have more than {_MOST_WORK:,} characters of text and headers")

    def _notices_in(self, body: "_Body", carrier: "_Carrier") -> Iterator[Notice]:
        headers = carrier.mail.headers
        passages = cut(
            body.text,
            sender=", ".join(headers.get_all("from")),
            subject=carrier.mail.subject,
            date=headers.get("date") or "",
            follows=self._may_forward,
        )
        for passage in passages:
            sender = self._read_sender(passage.sender) if passage.is_inline else carrier.sender
            header = None if passage.is_inline else carrier.header
            if sender.claim is not Claim.AMAZON and header is None:
                continue
            links = body.links_of(passage)
            reading = read_passage(passage, self._wordings, header=header, links=links)
            if reading:
                yield carrier.notice(reading, passage, sender, body, links)
                if not passage.is_inline:
                    return  # what Amazon quotes below its own notice is the seller's message


@attrs.frozen
class _Body:
    """One displayed form of a mail.

    Attributes:
        text: What the reader sees.
        links: Where links lead, and where in the text they stand.
        hidden: What is not shown.
        is_cut: Whether there is more text than was read.
    """

    text: str
    links: tuple[tuple[str, int], ...] = ()
    hidden: str = ""
    is_cut: bool = False

    def links_of(self, passage: Passage) -> list[str]:
        """Where the links among the passage's own words lead, spelled out or not."""
        starts = [passage.offset + span.start for span in passage.own]
        ends = [passage.offset + span.end for span in passage.own]
        inside = [href for href, place in self.links if (index := bisect_right(starts, place)) and place < ends[index - 1]]
        return inside + list(links_in(passage.text))


@attrs.frozen(kw_only=True)
class _Carrier:
    """The mail in whose text notices are looked for.

    Attributes:
        mail: The mail.
        sender: Whom it claims to be from.
        is_rewritten: Whether that is not what its From says, because a list has put itself there.
        header: Amazon's notification type.
        arrived: When it arrived at the latest.
        is_attached: Whether it is attached to another mail.
    """

    mail: Mail
    sender: Sender
    is_rewritten: bool
    header: TypeHeader | None
    arrived: datetime
    is_attached: bool

    def notice(self, reading: Reading, passage: Passage, sender: Sender, body: _Body, links: list[str]) -> Notice:
        orders = reading.order_ids
        if not orders and self.header:
            # The preview of the 2026 layout says it again, in text that is not shown (amazon.md section b).
            asides = (body.hidden, passage.subject)
            orders = next((found for aside in asides if (found := tuple(dict.fromkeys(order for _, order in find_order_ids(aside))))), ())
        buyer = named_buyer([*links, passage.text])
        return Notice(
            kind=reading.kind,
            order_ids=orders,
            buyer=buyer,
            marketplace=self._marketplace(passage)
            or (buyer and Marketplace.by_alias_domain(buyer.domain))
            or sender.marketplace
            or store_of_links(links),
            language=reading.language or detect(passage.text).language,
            form=self._form(passage),
            sent_at=self._sent_at(passage),
            message_id=self.mail.message_id,
            confidence=reading.confidence,
            evidence=(*reading.evidence, _CUT) if body.is_cut else reading.evidence,
            source=self.mail.raw,
        )

    def _form(self, passage: Passage) -> Form:
        if passage.is_inline:
            return Form.INLINE_FORWARD
        if self.is_attached:
            return Form.ATTACHED
        return Form.AUTO_FORWARDED if self.is_rewritten or is_passed_on(self.mail) else Form.DIRECT

    def _marketplace(self, passage: Passage) -> Marketplace | None:
        """The store that the header names; it speaks of the mail itself, not of what it forwards."""
        return None if passage.is_inline else Marketplace.by_id(self.mail.headers.get(_MARKETPLACE_FIELD) or "")

    def _sent_at(self, passage: Passage) -> datetime | None:
        """When the notice was sent: by its own date, else by that of the mail that forwards it; never after its arrival."""
        date_field = self.mail.headers.get("date") or ""
        sent = parse_date(date_field)
        if sent is None and "received" in self.mail.headers:
            sent = self.arrived
        latest = min(sent or self.arrived, self.arrived)
        if passage.is_inline:
            sent = forwarded_date(passage.date, offset_of(date_field), latest) or sent
        return min(sent, latest) if sent else None
