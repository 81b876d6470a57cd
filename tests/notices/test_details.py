"""What a notice tells: orders, the buyer, the store, the time."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from optoutkit.identities import Address
from optoutkit.marketplaces import MARKETPLACES
from optoutkit.notices import Notice, parse_notice
from optoutkit.testing.forwarding import forward_inline
from optoutkit.testing.notices import notice_mail

AMAZON = '"Amazon.com" <auto-communication@amazon.com>'
ORDER = "112-4821973-6650218"
ENGLISH = (
    f"We were unable to deliver the message you sent for order [{ORDER}] because the buyer has chosen to opt out of receiving "
    "unsolicited messages from sellers."
)
SENT_AT = datetime(2026, 9, 10, 8, 15, tzinfo=UTC)

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]


def orders_of(notice: Notice | None) -> list[str]:
    """The order IDs as text; fails where there is no notice."""
    assert notice is not None
    return [str(order) for order in notice.order_ids]


def test_every_order_of_a_digest_once_in_order(read: Read) -> None:
    """Several orders in one sentence, in a list below it, or a sentence each."""
    reason = "because the buyer has chosen to opt out of receiving unsolicited messages from sellers"
    ids = ["112-2222222-3333333", "112-1111111-3333333", "D01-4444444-5555555"]
    first, second, third = ids
    assert orders_of(read(f"We were unable to deliver your messages for [{first}], [{second}], [{first}] and {third} {reason}.")) == ids
    below = f"- {first}\n- Order {second}\n\n| {third} |\n\nOrder ID 111-9999999-8888888 is something else."
    assert orders_of(read(f"We were unable to deliver these messages {reason}:\n\n{below}")) == ids
    sentences = "\n\n".join(f"We were unable to deliver the message you sent for order [{order}] {reason}." for order in (*ids, first))
    assert orders_of(read(f"Dear Seller,\n\n{sentences}\n\nAmazon")) == ids


def test_no_order_of_anything_else(read: Read) -> None:
    """Not that of the message quoted below, nor of a footer, nor a number that only looks like one."""
    numbers = "Tracking 112-4821973-66502181-9, phone 0112-4821973-6650218"
    others = "> order 113-1212121-3434343\n\nOrder 113-5656565-7878787\n\n-- \nP01-1234567-1234567"
    assert orders_of(read(f"{ENGLISH}\n\n{numbers}\n\n{others}")) == [ORDER]


@pytest.mark.parametrize(
    ("page", "buyer"),
    [
        ('<a href="mailto:7YX@marketplace.amazon.it?subject= [Importante]">Scrivi</a>', "7yx@marketplace.amazon.it"),
        ('<a href="mailto:%37yx%40marketplace.amazon.it">Scrivi</a>', "7yx@marketplace.amazon.it"),
        (
            '<a href="mailto:7yx+0f7e@marketplace.amazon.it">a</a> <a href="mailto:7yx@marketplace.amazon.it">b</a>',
            "7yx+0f7e@marketplace.amazon.it",
        ),
        ('<a href="mailto:7yx@marketplace.amazon.it">a</a> <a href="mailto:8yx@marketplace.amazon.it">b</a>', None),
        ('<a href="mailto:help@amazon.it">a</a> <a href="mailto:">b</a> <a href="mailto:a b">c</a>', None),
        ("7yx@marketplace.amazon.it", None),
        ('<div style="display:none"><a href="mailto:7yx@marketplace.amazon.it">a</a></div>', None),
        ('<blockquote type="cite"><a href="mailto:7yx@marketplace.amazon.it">a</a></blockquote>', None),
    ],
)
def test_the_buyer_is_the_target_of_the_notices_own_link(page: str, buyer: str | None) -> None:
    """The alias that the notice offers to write to, if it is one; not one that merely stands there, or in what it quotes."""
    raw = f"From: {AMAZON}\nContent-Type: text/html\n\n<p>{ENGLISH}</p><p>{page}</p>"
    notice = parse_notice(raw.encode())
    assert notice is not None
    assert notice.buyer == (Address(buyer) if buyer else None)
    if buyer:
        assert str(notice.buyer) == buyer
        assert notice.marketplace is not None
        assert notice.marketplace.country == "IT"


@pytest.mark.parametrize(
    "link",
    [
        "mailto:7yx@marketplace.amazon.it?subject=x",
        "<7yx@marketplace.amazon.it?subject= [Importante]>",
        "Scrivi <mailto:7yx@marketplace.amazon.it>",
    ],
)
def test_the_buyer_in_plain_text(read: Read, link: str) -> None:
    """Mail programs write links into plain text in their own ways."""
    notice = read(f"{ENGLISH}\n\n{link}\n")
    assert notice is not None
    assert notice.buyer == Address("7yx@marketplace.amazon.it")


@pytest.mark.parametrize(
    ("sender", "below", "country"),
    [
        ("Amazon.it <auto-communication@amazon.com>", "", "IT"),
        ("'Amazon.co.uk' via Team <team@shop.example>", "", "UK"),
        ("auto-communication@amazon.de", "", None),
        ("Amazon <auto-communication@amazon.de>", "https://sellercentral.amazon.fr/orders and https://www.amazon.com/x", "FR"),
        ("Amazon <auto-communication@amazon.de>", "https://sellercentral.amazon.fr/orders and https://www.amazon.es/x", None),
        ("Amazon <auto-communication@amazon.de>", "https://amazon.fr.evil.example/ https://sellercentral-europe.amazon.com/x", None),
        ("Amazon <auto-communication@amazon.de>", "https://www.amazon.com/x", "US"),
        ("Amazon.de <auto-communication@amazon.com>", "https://www.amazon.com/x", "DE"),
    ],
)
def test_the_store(read: Read, sender: str, below: str, country: str | None) -> None:
    """From the display name or the links; never from the sender's domain."""
    notice = read(f"{ENGLISH}\n\n{below}", sender=sender)
    assert notice is not None
    assert (notice.marketplace and notice.marketplace.country) == country


def test_the_header_names_the_store_of_its_own_mail_only() -> None:
    """X-Marketplace-ID speaks for the mail it stands in, not for one forwarded inside; an unknown value says nothing."""
    typed = notice_mail(language="it", marketplace=MARKETPLACES[0]).replace(b'"Amazon.com"', b'"Amazon.it"')
    notice = parse_notice(typed)
    assert notice is not None
    assert notice.marketplace == MARKETPLACES[0]
    notice = parse_notice(typed.replace(b"ATVPDKIKX0DER", b"NONSENSE"))
    assert notice is not None
    assert notice.marketplace is not None
    assert notice.marketplace.country == "IT"
    notice = parse_notice(b"X-Marketplace-ID: A13V1IB3VIYZZH\n" + forward_inline(typed))
    assert notice is not None
    assert notice.marketplace is not None
    assert notice.marketplace.country == "IT"


@pytest.mark.parametrize(
    ("date", "received", "sent_at"),
    [
        ("Thu, 10 Sep 2026 10:15:00 +0200", "", SENT_AT),
        ("Thu, 10 Sep 2026 08:15:00 -0000", "", SENT_AT),
        (
            "Thu, 10 Sep 2026 10:15:00 +0200",
            "Received: by mx.example; Thu, 10 Sep 2026 08:00:00 +0000\n",
            datetime(2026, 9, 10, 8, tzinfo=UTC),
        ),
        (
            "nonsense",
            "Received: by mx.example; Thu, 10 Sep 2026 08:15:00 +0000\nReceived: by a; Thu, 10 Sep 2026 07:00:00 +0000\n",
            SENT_AT,
        ),
        ("nonsense", "", None),
    ],
)
def test_when_it_was_sent(date: str, received: str, sent_at: datetime | None) -> None:
    """By its Date, never later than it arrived; by its arrival where it has none."""
    raw = f"{received}From: {AMAZON}\nDate: {date}\n\n{ENGLISH}"
    notice = parse_notice(raw.encode())
    assert notice is not None
    assert notice.sent_at == sent_at


def test_nothing_is_sent_in_the_future(write: Write) -> None:
    """A date to come would make an opt-out outlive its withdrawal."""
    before = datetime.now(UTC)
    notice = parse_notice(write(ENGLISH).replace(b"Sep 2026", b"Sep 2099"))
    assert notice is not None
    assert notice.sent_at is not None
    assert before <= notice.sent_at <= datetime.now(UTC)


def test_a_forward_is_not_older_than_its_notice_says(write: Write) -> None:
    """A forward's own date bounds that of the notice in it; an unreadable one is replaced by it."""
    forward = "---------- Forwarded message ---------\nFrom: Amazon.it\nDate: {}\nSubject: Notice\n\n" + ENGLISH
    for line, sent_at in (
        ("9 September 2026 at 10:15", datetime(2026, 9, 9, 10, 15, tzinfo=UTC)),
        ("9 September 2031 at 10:15", datetime(2026, 9, 10, 8, 15, 30, tzinfo=UTC)),
        ("yesterday", datetime(2026, 9, 10, 8, 15, 30, tzinfo=UTC)),
    ):
        notice = parse_notice(write(forward.format(line), sender="Tom <tom@shop.example>"))
        assert notice is not None
        assert notice.sent_at == sent_at
