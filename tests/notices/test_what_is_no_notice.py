"""Mails that look close to a notice and are none: quotations, questions, buyers, ordinary mail, bounces, other reasons."""

from collections.abc import Callable

import pytest

from optoutkit.notices import Notice, parse_notice
from optoutkit.testing.forwarding import forward_as_attachment, forward_inline
from optoutkit.testing.notices import notice_mail

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]

BUYER = "Max - Amazon Marketplace <7yxwc3c8k00p1k3+0f7e@marketplace.amazon.com>"
VENDOR = "Seller Tips <news@tips.example>"
"""A sender who writes about Amazon."""


@pytest.mark.parametrize(
    "body",
    [
        "{english}",
        "Dear Seller,\n\n{english}\n\nAmazon Seller Support",
        "Have you seen this mail lately?\n\n  {english}\n\nHere is what it means for your reviews …",
        "What does this mean?? {english} Do I have to do anything?",
        "Amazon now sends notices such as:\n\n> Dear Seller,\n> {english}\n\nRead more on our blog.",
    ],
)
@pytest.mark.parametrize(
    "sender", [VENDOR, "bob@shop.example", "Amazon Sellers Forum <no-reply@forum.example>", '"Bob, Amazon expert" <b@x.example>']
)
def test_who_does_not_claim_to_be_amazon_only_quotes(read: Read, english: str, body: str, sender: str) -> None:
    """A newsletter, a blog post or a question holds the notice word for word, order and all; it is no notice."""
    assert read(body.format(english=english), sender=sender) is None


@pytest.mark.parametrize(
    "body",
    [
        'You asked about the notice "{english}" It tells you that the buyer is not to be written to.',
        "Hello,\n\nthank you for contacting Seller Support. You wrote to us about this notice:\n\n{english}\n\nIt is final.",
        "Thank you for your question. You had got this mail. {english}",
        "Hello Bob,\n\nOn Thu, 10 Sep 2026 at 08:15 Bob <bob@shop.example> wrote:\n> {english}\n",
        "-" * 5000 + "\n\n{english}",
        "Your case 7781234 about order 111-2345678-7654321 is closed.\n\n{english}",
    ],
)
def test_amazon_quoting_a_notice_in_another_mail(read: Read, english: str, body: str) -> None:
    """Amazon's own answer to a seller's question about a notice is not that notice: the clause is not in its first sentence."""
    assert read(body.format(english=english)) is None


@pytest.mark.parametrize(
    "order", ["XXX-XXXXXXX-XXXXXXX", "111-1111111-1111111", "002-xxxxxxx-1234567", "your order", "1112-4821973-66502181"]
)
def test_placeholders_for_orders_make_an_example(read: Read, english: str, order: str) -> None:
    """Amazon's news and help pages show the notice with a made-up order; without a real one there is nothing to opt out of."""
    assert read(english.replace("112-4821973-6650218", order)) is None


@pytest.mark.parametrize(
    "reason",
    [
        "because the buyer's mailbox is full.",
        "because the buyer has not chosen a delivery date. You can opt out of receiving unsolicited messages from Amazon in your settings.",
        "because of a technical problem. Even if a buyer has opted out of unsolicited messages, you may send critical ones.",
        "although the buyer has chosen to opt out of receiving unsolicited messages from sellers.",
        "",
    ],
)
def test_another_reason_or_none(read: Read, reason: str) -> None:
    """The lead is the same in every notice of non-delivery, and "opt out" stands in many a mail: only the reason decides."""
    assert read(f"Dear Seller,\n\nWe were unable to deliver the message you sent for order [112-4821973-6650218] {reason}") is None


@pytest.mark.parametrize(
    "body",
    [
        "I opted out. Stop writing to me about order 112-4821973-6650218!",
        "Dear Seller,\n\n{english}",
        "Look what Amazon told you:\n\n{forward}",
    ],
)
@pytest.mark.parametrize("typed", ["", "X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT\n"])
def test_what_buyers_write(read: Read, english: str, body: str, typed: str) -> None:
    """Amazon passes on, and signs, what buyers write. Nobody but Amazon opts a buyer out, whatever a buyer copies or forwards."""
    forward = f"---------- Forwarded message ---------\nFrom: Amazon.com <auto-communication@amazon.com>\nSubject: Notice\n\n{english}"
    assert read(body.format(english=english, forward=forward), sender=BUYER, more=typed) is None


@pytest.mark.parametrize(
    "value",
    [
        "RETURN_REQUEST",
        "BBC_MESSAGE_SENT_TO_MERCHANT",
        "bbc_message_confirmation_to_merchant",
        "SOMETHING_NEW",
        "",
        "=?utf-8?q?REFUND=5FISSUED?=",
    ],
)
def test_a_type_header_of_another_kind_is_final(write: Write, english: str, value: str) -> None:
    """Return comments and copies of the seller's own mail may hold the clause; their notification type says what they are."""
    assert parse_notice(write(f"Dear Seller,\n\n{english}", more=f"X-Space-Notification-Type: {value}\n")) is None


def test_two_type_headers_that_differ(write: Write, english: str) -> None:
    """A header put on top of the genuine one does not outvote it."""
    both = "X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\nX-Space-Notification-Type: RETURN_REQUEST\n"
    assert parse_notice(write(english, more=both)) is None


def test_a_link_with_another_type(read: Read, english: str) -> None:
    """The survey link names the notification type too, and survives where the header is lost."""
    link = "https://www.amazon.com/notifications/feedback?x=1&communicationName=RETURN_REQUEST"
    assert read(f"{english}\n\nWas this helpful? {link}") is None


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


@pytest.mark.parametrize(
    ("subject", "thread"),
    [
        (
            "Re: Your message to a buyer could not be delivered",
            "Bad?\n\nOn Thu, Sep 10, 2026 at 8:15 AM Amazon.com <auto-communication@amazon.com> wrote:\n\n{quoted}",
        ),
        (
            "Re: Fwd: Your message",
            "All fine.\n\nOn Thu, Sep 10, 2026 at 9:00 AM Bob <bob@shop.example> wrote:\n\n> help!\n>\n{quoted_forward}",
        ),
        ("RE: Your message to a buyer could not be delivered", "Is this bad?\n\n{block}\n\n{english}"),
        (
            "AW: Your message to a buyer could not be delivered",
            "Ist das schlimm?\n\n________________________________\n{block}\n\n{english}",
        ),
        ("[EXTERNAL] RE: WG: Your message", "Nein.\n\n{block}\n\n{english}"),
        ("FW: RE: FW: Your message", "FYI\n\n{answer}\n\nNothing to do.\n\n{block}\n\n{english}"),
        ("Re: Your message", "Is this bad?\n\n-----Original Message-----\n{block}\n\n{english}"),
    ],
)
def test_threads_about_a_notice(read: Read, english: str, subject: str, thread: str) -> None:
    """Whoever answers a notice, or a colleague who forwarded it, quotes it. The answer is no notice, nor is a forward of the answer."""
    block = "From: Amazon.com <auto-communication@amazon.com>\nSent: Thursday, September 10, 2026\nTo: shop@example.com\nSubject: Notice"
    answer = "From: Help <help@desk.example>\nSent: Friday, September 11, 2026 9:15 AM\nTo: bob@shop.example\nSubject: RE: FW: Notice"
    forward = f"---------- Forwarded message ---------\n{block}\n\n{english}"
    body = thread.format(english=english, block=block, answer=answer, quoted=_quote(english), quoted_forward=_quote(forward))
    assert read(body, subject=subject, sender="Help <help@desk.example>") is None


@pytest.mark.parametrize("sender", ["Seller Tips <news@tips.example>", BUYER, "Amazon Sellers Forum <x@forum.example>"])
@pytest.mark.parametrize("by", ["gmail", "outlook", "apple_mail"])
def test_forwarding_a_quotation_does_not_make_it_a_notice(write: Write, english: str, sender: str, by: str) -> None:
    """A forwarded newsletter that begins with a notice, a forwarded message of a buyer: what counts is who wrote the mail inside."""
    inner = write(english, sender=sender, subject="News about Amazon")
    assert parse_notice(forward_inline(inner, by=by)) is None  # type: ignore[arg-type]
    assert parse_notice(forward_as_attachment(inner)) is None


@pytest.mark.parametrize("sender", [BUYER, "Amazon.com <donotreply@amazon.com>", "Amazon.com <atoz-guarantee-no-reply@amazon.com>"])
@pytest.mark.parametrize("way", ["straight", "forwarded", "attached"])
def test_what_others_wrote_and_amazon_passes_on(write: Write, english: str, sender: str, way: str) -> None:
    """A buyer, a request to cancel or a copy of the seller's own mail may hold a notice or a forward of one; also once it is forwarded."""
    forward = f"---------- Forwarded message ---------\nFrom: Amazon.com <auto-communication@amazon.com>\nSubject: Notice\n\n{english}"
    for body in (english, forward, f"Look:\n\n{forward}"):
        mail = write(body, sender=sender, more="Reply-To: Amazon.com <auto-communication@amazon.com>\n")
        if way != "straight":
            mail = forward_inline(mail) if way == "forwarded" else forward_as_attachment(mail)
        assert parse_notice(mail) is None


def test_amazons_words_introduced_by_somebody_else(write: Write) -> None:
    """Whoever names the order and then quotes the notice behind a colon speaks about it, even under Amazon's name."""
    order = "112-4821973-6650218"
    lead = f"we were unable to deliver the message you sent for order [{order}]"
    clause = "because the buyer has chosen to opt out of receiving unsolicited messages from sellers."
    assert parse_notice(write(f"Hello Tom,\n\nwe write about order {order} although Amazon tells us: {lead} {clause}")) is None
    assert parse_notice(write(f"Hello Tom,\n\nsubject: notice, {lead} {clause}")) is not None


REPORT = """From: {sender}
To: shop@example.com
Subject: Undelivered Mail Returned to Sender
{more}Content-Type: {content_type}

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; optouts@example.net
Action: failed
Status: 5.1.1

--b
Content-Type: message/rfc822

{original}
--b--
"""


@pytest.mark.parametrize(
    ("sender", "content_type", "more"),
    [
        ("MAILER-DAEMON@mx.example (Mail Delivery System)", "multipart/mixed; boundary=b", ""),
        ("Mail <x@mx.example>", "multipart/report; report-type=delivery-status; boundary=b", ""),
        ("Mail <x@mx.example>", "multipart/report; boundary=b", ""),
        ("Mail <x@mx.example>", "multipart/report; report-type=feedback-report; boundary=b", ""),
        ("Bob <bob@shop.example>", "multipart/mixed; boundary=b", "Auto-Submitted: auto-replied (vacation)\n"),
        ("Bob <bob@shop.example>", "multipart/mixed; boundary=b", "X-Autoreply: yes\n"),
        ("Bob <bob@shop.example>", "multipart/mixed; boundary=b", "X-Autorespond: Re: Your order\n"),
        ("Bob <bob@shop.example>", "multipart/mixed; boundary=b", "Precedence: Auto_Reply\n"),
        ("Bob <bob@shop.example>", "multipart/mixed; boundary=b", "X-Failed-Recipients: optouts@example.net\n"),
        ("postmaster@mx.example", "multipart/mixed; boundary=b", "Return-Path: <>\n"),
        ("postmaster@mx.example", "multipart/mixed; boundary=b", "Auto-Submitted: auto-generated\n"),
    ],
)
def test_bounces_and_automatic_answers(sender: str, content_type: str, more: str) -> None:
    """A notice that was forwarded and came back undelivered is inside the bounce; it is not there to be read."""
    raw = REPORT.format(sender=sender, content_type=content_type, more=more, original=notice_mail().decode())
    assert parse_notice(raw.encode()) is None


def test_gmails_word_for_spam_is_no_opt_out(read: Read) -> None:
    """Bounces speak of unsolicited mail as well."""
    text = (
        "Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam, this message has been blocked."
    )
    assert read(f"Order 112-4821973-6650218\n{text}", sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>") is None


@pytest.mark.parametrize(
    "body",
    [
        "Congratulations, order 112-4821973-6650218 was sold.",
        "The option to add [Important] to the subject is removed. Buyers who opted out of unsolicited messages get critical messages only.",
        "",
        "\n\n\n",
    ],
)
def test_ordinary_mail_from_amazon(read: Read, body: str) -> None:
    """Amazon's other mail to sellers, news about the very policy among it."""
    assert read(body) is None


@pytest.mark.parametrize("raw", [b"", b"\n", b"\xff\xfe", b"no header at all", b"\0" * 100, b"From:", b"From: a\n", b"-----"])
def test_bytes_that_are_no_mail(raw: bytes) -> None:
    """Not an e-mail: no notice, and no exception."""
    assert parse_notice(raw) is None
