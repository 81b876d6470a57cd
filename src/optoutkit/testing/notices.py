"""Mails that look like Amazon's notices, for the tests of those who read them.

They are made up: the wordings are Amazon's as far as they are known, names and numbers are yours. Nothing is signed.

Example:
    >>> from optoutkit import parse_notice
    >>> parse_notice(notice_mail(language="it", order_ids=["402-1234567-7654321"])).language
    'it'
"""

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from optoutkit.identities import Address, OrderId
from optoutkit.marketplaces import MARKETPLACES, Marketplace
from optoutkit.notices import NoticeKind
from optoutkit.notices.wordings import Phrases, Wording, load_wordings

__all__ = ["LANGUAGES", "Layout", "notice_mail"]

_WORDINGS = load_wordings()

LANGUAGES = tuple(sorted(language for language in _WORDINGS.phrases if language))
"""Languages in which notices can be made. Those of which no genuine notice is known are optoutkit's own translation."""

Layout = Literal["2017", "2026"]
"""The two forms seen so far, by their year."""

_SENT_AT = datetime(2026, 9, 10, 8, 15, 30, tzinfo=UTC)
_TYPES = {NoticeKind.OPT_OUT: "BUYER_OPTED_OUT_BSM_MESSAGES"}


def notice_mail(
    *,
    kind: NoticeKind = NoticeKind.OPT_OUT,
    language: str = "en",
    order_ids: Iterable[str | OrderId] = ("112-4821973-6650218",),
    buyer: str | Address | None = None,
    buyer_name: str = "Maria",
    marketplace: Marketplace | None = None,
    sent_at: datetime = _SENT_AT,
    layout: Layout = "2026",
    typed: bool | None = None,
    to: str = "seller@example.com",
) -> bytes:
    """Make a notice as Amazon sends it.

    Args:
        kind: Which notice.
        language: One of :data:`LANGUAGES`; kinds other than ``OPT_OUT`` exist in some of them only.
        order_ids: The orders it names; none leaves the place empty.
        buyer: The buyer's alias, which only the layout of 2026 has, as the target of a link.
        buyer_name: The buyer's first name, likewise.
        marketplace: The store; None takes the first that speaks the language, else amazon.com.
        sent_at: The Date field.
        layout: ``"2017"``: plain text. ``"2026"``: HTML with a hidden preview, name, date and link.
        typed: Whether its header has Amazon's notification type; None: in the layout of 2026.
        to: The seller.

    Raises:
        ValueError: There is no wording of that kind in that language.
    """
    store = marketplace or next((store for store in MARKETPLACES if language in store.languages), MARKETPLACES[0])
    domain = store.domain
    orders = [str(order) for order in order_ids]
    wording = _wording(kind, language, prefers_buyer=layout == "2026")
    sentence = _sentence(wording, orders, buyer_name, sent_at)
    phrases = _WORDINGS.phrases[language]
    mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
    mail["From"] = f'"{domain.capitalize()}" <auto-communication@amazon.com>'
    mail["Reply-To"] = mail["From"]
    mail["To"] = to
    mail["Subject"] = phrases.subjects[0]
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<0102{int(sent_at.timestamp()):x}-{'-'.join(orders) or 'none'}-000000@eu-west-1.amazonses.com>"
    if (layout == "2026" if typed is None else typed) and kind in _TYPES:
        mail["X-Space-Notification-Type"] = _TYPES[kind]
        mail["X-Marketplace-ID"] = store.id
    if layout == "2017":
        mail.set_content(f"{phrases.greetings[0]},\n\n{sentence}\n\n{phrases.sign_offs[0]}\n", cte="quoted-printable")
    else:
        mail.set_content(_page(phrases, sentence, orders, buyer, domain), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def _page(phrases: Phrases, sentence: str, orders: list[str], buyer: str | Address | None, domain: str) -> str:
    said = html.escape(sentence).replace(" ", "&nbsp;", 1)
    for order in orders:
        said = said.replace(order, f"<b>{order}</b>")
    link = f'<p><a href="mailto:{buyer}?subject= [Important]">{html.escape(phrases.subjects[0])}</a></p>' if buyer else ""
    preview = f"{' '.join(orders)} {phrases.subjects[0]}"
    return (
        f'<html><head><title>{domain}</title></head><body><div style="display:none;font-size:1px">{html.escape(preview)}</div>'
        f'<table><tr><td><a href="https://sellercentral.{domain}/">'
        '<img src="https://m.media-amazon.com/logo.png" alt="Amazon"></a></td></tr>'
        f"<tr><td><p>{html.escape(phrases.greetings[0])},</p><p>{said}</p>{link}"
        f'<p><a href="https://sellercentral.{domain}/orders-v3">{domain}</a></p><p>{html.escape(phrases.sign_offs[0])}</p></td></tr></table></body></html>'
    )


def _sentence(wording: Wording, orders: list[str], buyer_name: str, sent_at: datetime) -> str:
    between = "], [" if "[{order}]" in wording.example else ", "
    return wording.example.format(order=between.join(orders), buyer=buyer_name, date=sent_at.strftime("%Y-%m-%d"))


def _wording(kind: NoticeKind, language: str, *, prefers_buyer: bool) -> Wording:
    wordings = [wording for wording in _WORDINGS.wordings if wording.kind is kind and wording.language == language]
    if not wordings:
        raise ValueError(f"no wording of {kind} is known in {language!r}")
    return max(wordings, key=lambda wording: (wording.verified, prefers_buyer == ("{buyer}" in wording.example)))
