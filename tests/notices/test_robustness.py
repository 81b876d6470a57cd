"""Any bytes at all: no exception but one, no notice out of nothing, no time out of proportion."""

import contextlib
import sys
from datetime import UTC, datetime

import pytest
from benchmarks.zoo import hostile_mails
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optoutkit.errors import MessageTooLarge
from optoutkit.identities import OrderId
from optoutkit.notices import Form, NoticeKind, parse_notice
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


SIZES = (4000, 8000, 16_000)
ELSEWHERE = ("text before", "typed", "HTML before", "in a tag", "base64", "quoted-printable", "attach", "not from Amazon")
"""Places where the benchmark looks, too; here one of each kind will do."""
ZOO = {size: dict(hostile_mails(size)) for size in SIZES}


def calls(raw: bytes) -> int:
    """How many functions it takes to read a mail, those of the interpreter included."""
    count = 0

    def tell(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tell)
    try:
        with contextlib.suppress(MessageTooLarge):
            parse_notice(raw)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", [name for name in ZOO[SIZES[0]] if not name.startswith(ELSEWHERE)])
def test_no_mail_takes_long(name: str) -> None:
    """Twice the hostile text takes twice the work. ``nox -s bench -- hostile`` measures it on whole mails of 32 MB."""
    few, many, most = (ZOO[size][name] for size in SIZES)
    check(few())
    taken = calls(many())
    # A limit may lie between two sizes; what grows with the square of the size does so from each to the next.
    assert taken < SIZES[1] or taken < 2.6 * calls(few()) or calls(most()) < 2.6 * taken
