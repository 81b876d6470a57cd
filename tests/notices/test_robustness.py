"""Any bytes at all: no exception but one, no notice out of nothing, no time out of proportion."""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optoutkit.errors import MessageTooLarge
from optoutkit.identities import OrderId
from optoutkit.notices import Form, NoticeKind, dates, details, mails, parse_notice, passages, reading, screening, senders, transit
from optoutkit.notices.dates import forwarded_date
from optoutkit.notices.details import named_buyer, store_of_links
from optoutkit.notices.passages import cut
from optoutkit.notices.senders import read_sender
from optoutkit.testing.forwarding import (
    CLIENTS,
    FORWARDING_LANGUAGES,
    SERVERS,
    forward_as_attachment,
    forward_automatically,
    forward_inline,
)
from optoutkit.testing.notices import LANGUAGES, notice_mail

NOTICES = [
    notice_mail(language="it", buyer="7yx@marketplace.amazon.it"),
    notice_mail(layout="2017"),
    notice_mail(layout="2017", language="ja"),
    forward_inline(notice_mail(language="de"), by="gmail", words="FYI"),
    forward_inline(notice_mail(language="fr"), by="outlook", language="fr"),
    forward_inline(notice_mail(language="en"), by="apple_mail", as_html=False),
    forward_as_attachment(notice_mail()),
    forward_as_attachment(notice_mail(language="it"), as_file=True),
]
TOKENS = [
    b"\r\n", b"\n\n", b"=", b"--", b"> ", b"<", b">", b"&#", b"?", b"\xff", b"\x00", b"\x1b$B", b"From: Amazon.it\n", b"Subject: Re: x\n",
    b"Content-Type: message/rfc822\n\n", b"Content-Transfer-Encoding: base64\n", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n",
    b"---------- Forwarded message ---------\n", b"112-1234567-7654321", b"<blockquote type=cite>", b"<div style=display:none>",
    b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n",
    b"because the buyer has chosen to opt out of receiving unsolicited messages", b"On Monday, 1 May 2026 at 10:00 Tom wrote:\n",
]  # fmt: skip


def check(raw: bytes) -> None:
    """Read bytes; whatever comes out must hold together."""
    notice = parse_notice(raw)
    if notice is None:
        return
    assert isinstance(notice.kind, NoticeKind)
    assert isinstance(notice.form, Form)
    assert len(set(notice.order_ids)) == len(notice.order_ids)
    assert all(isinstance(order, OrderId) for order in notice.order_ids)
    assert 0 < notice.confidence <= 1
    assert notice.evidence
    assert notice.form is not Form.DIRECT or notice.source == raw
    assert notice.buyer is None or notice.buyer.is_buyer_alias
    assert notice.order_ids or notice.kind is not NoticeKind.OPT_OUT or notice.evidence[0].kind == "header"


@given(st.binary(max_size=2000))
@example(b"Content-Type:charset=\x00\nContent-Transfer-Encoding:o\n=")
@example(b" \nContent-Type:;name*0;name*")
@example(b" \nContent-Type:multipart/;boundary=B\n--B\nContent-Type:multipart/;boundary")
@example(b"From: amazon\nContent-Type: text/html\n\nbecause the buyer has chosen to opt out of receiving unsolicited messages &#99999999;")
def test_any_bytes(raw: bytes) -> None:
    """Reading any bytes raises nothing."""
    check(raw)
    check(b"From: auto-communication@amazon.com\nX-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n" + raw)


@given(st.lists(st.sampled_from(TOKENS) | st.binary(max_size=20), max_size=40))
def test_any_pieces_of_mail(pieces: list[bytes]) -> None:
    """Nor does any heap of the pieces that mails are made of."""
    check(b"From: Amazon <auto-communication@amazon.com>\n" + b"".join(pieces))


@given(
    st.sampled_from(NOTICES),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 60), st.sampled_from(TOKENS) | st.binary(max_size=8)), max_size=6),
)
@settings(max_examples=300)
def test_notices_cut_and_pasted(raw: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """Nor does a notice of which stretches were cut out and others put in."""
    for place, length, piece in changes:
        at = place % (len(raw) + 1)
        raw = raw[:at] + piece + raw[at + length :]
    check(raw)


ids = st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True).filter(lambda order: len(set(order)) > 2)


@given(
    order=ids,
    language=st.sampled_from(LANGUAGES),
    layout=st.sampled_from(["2017", "2026"]),
    typed=st.booleans(),
    client=st.sampled_from(CLIENTS),
    program_language=st.sampled_from(["en", "de", "fr", "es", "it", "ja"]),
    server=st.sampled_from(SERVERS),
    way=st.lists(st.sampled_from(["inline", "attached", "file", "server"]), max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_way(order, language, layout, typed, client, program_language, server, way) -> None:  # type: ignore[no-untyped-def]
    """A notice gets through up to three ways of passing it on, with its order and its language; the last inline one shows in its form."""
    mail = notice_mail(order_ids=[order], language=language, layout=layout, typed=typed)
    for step in way:
        if step == "inline":
            mail = forward_inline(mail, by=client, language=program_language, words="Please see below.")
        elif step == "server":
            mail = forward_automatically(mail, by=server)
        else:
            mail = forward_as_attachment(mail, as_file=step == "file")
        if step in ("attached", "file") and "inline" in way[way.index(step) :]:
            return  # mail programs keep attachments out of the text they forward
    notice = parse_notice(mail)
    assert notice is not None
    assert [str(found) for found in notice.order_ids] == [order]
    assert notice.language == language
    assert (notice.form is Form.INLINE_FORWARD) == ("inline" in way)


def test_the_factory_knows_more_languages_than_asked_here() -> None:
    """Every language that mail programs write in is in the factory."""
    assert len(FORWARDING_LANGUAGES) == 14


@given(st.text(max_size=300))
def test_the_small_readers_never_raise(text: str) -> None:
    """Senders, dates, links and passages of any text."""
    read_sender(text)
    forwarded_date(text, UTC, datetime(2026, 1, 1, tzinfo=UTC))
    named_buyer([text, f"mailto:{text}"])
    store_of_links([text, f"https://{text}"])
    for passage in cut(text, sender="", subject=text, date="", follows=lambda _: True):
        assert (
            all(
                passage.text[span.start : span.end] == text[passage.offset + span.start : passage.offset + span.end] for span in passage.own
            )
            or ">" in text
        )


def patterns() -> list[re.Pattern[Any]]:
    """Every pattern of the room."""
    modules = (dates, details, mails, passages, reading, screening, senders, transit)
    return [value for module in modules for value in vars(module).values() if isinstance(value, re.Pattern)]


BASES = [
    "a",
    " ",
    "\n",
    ">",
    "1",
    "-",
    ".",
    "a ",
    "> ",
    "1-",
    "112-1234567-",
    ". ",
    "<",
    "[",
    '"',
    "@",
    "a@",
    "x.y",
    "=?",
    ":",
    "mailto:",
    "https://www.amazon.",
    "re:",
    "[a] ",
    "1 jan ",
    "午後",
    "\xa0",
]


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: str(pattern.pattern)[:40])
def test_no_pattern_is_slow(pattern: re.Pattern[Any]) -> None:
    """Hostile input ten times as long takes a time in proportion, for every pattern, from every place it is searched."""
    for base in BASES:
        for tail in ("", "!", "\x00", "x@"):
            text: Any = base * (20_000 // len(base)) + tail
            started = time.process_time()
            list(pattern.finditer(text.encode() if isinstance(pattern.pattern, bytes) else text))
            assert time.process_time() - started < 2, (base, tail)  # a linear pattern takes some milliseconds


def hostile() -> list[tuple[str, Callable[[], bytes]]]:
    """Mails made to take long."""
    head = b"From: Amazon <auto-communication@amazon.com>\nSubject: x\n"
    html = head + b"Content-Type: text/html\n\n"
    clause = b"because the buyer has chosen to opt out of receiving unsolicited messages "
    banner = b"---------- Forwarded message ---------\nFrom: Amazon.it\nDate: 1 May 2026\nSubject: x\n\n"
    typed = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n"
    return [
        ("clauses", lambda: head + b"\n" + clause * 40_000),
        ("orders", lambda: typed + head + b"\n" + b"".join(b"%03d-%07d-1234567\n" % (n % 999, n) for n in range(60_000))),
        ("forwards", lambda: head + b"\n" + (banner + clause) * 10_000),
        ("quotes", lambda: head + b"\n" + b">" * 200_000 + clause),
        ("deep quotes", lambda: head + b"\n" + b"".join(b">" * (n % 400) + b" " + clause + b"\n" for n in range(3000))),
        ("tags", lambda: html + clause + b"<a" * 500_000),
        ("open divs", lambda: html + clause + b"<div><p>" * 100_000),
        ("entities", lambda: html + clause + b"&#65;" * 300_000),
        ("blanks", lambda: head + b"\n" + clause + b" \n" * 1_000_000),
        ("base64 fields", lambda: head + b"Content-Transfer-Encoding: base64\n" * 200_000 + b"\n" + b"QUFB" * 100_000),
        ("headers", lambda: head + b"X: " + clause + b"\n" + b"X-Forwarded-To: a@b\n" * 200_000 + b"\n" + clause),
        ("long from", lambda: b"From: " + b"amazon," * 300_000 + b"\n\n" + clause),
        ("attached", lambda: _many_attached(200)),
        ("deeply attached", lambda: b"From: a@b.example\nContent-Type: message/rfc822\n\n" * 50 + notice_mail() + b" \n" * 400_000),
        (
            "big binary",
            lambda: (
                head
                + b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n"
                + b"QUFBQUFBQUFBQUFBQUFB\n" * 1_000_000
                + b"--b--"
            ),
        ),
        ("dashes", lambda: head + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--\n" * 1_000_000 + clause),
    ]


def _many_attached(count: int) -> bytes:
    mail = notice_mail(layout="2017").replace(b"Amazon Seller Support", b"word " * 3000)
    return (
        b"From: a@b.example\nContent-Type: multipart/digest; boundary=d\n\n"
        + b"".join(b"--d\n\n" + mail + b"\n" for _ in range(count))
        + b"--d--"
    )


@pytest.mark.parametrize(("name", "make"), hostile(), ids=lambda value: value if isinstance(value, str) else "")
def test_no_mail_takes_long(name: str, make: Callable[[], bytes]) -> None:
    """Mails of megabytes made to take long: under two seconds of work each, or refused as too large."""
    raw = make()
    started = time.process_time()
    with contextlib.suppress(MessageTooLarge):
        check(raw)
    assert time.process_time() - started < 10, name  # two seconds at most on an idle machine
