"""Whom a message is for."""

import pytest

from optoutkit.guard import read_address
from optoutkit.guard.parties import link_in
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message

BUYER, ANOTHER = "abc123@marketplace.amazon.de", "def456@marketplace.amazon.de"
ORDER, OTHER_ORDER = "302-1234567-1234567", "302-7654321-7654321"


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        (BUYER, BUYER),
        (f" {BUYER.upper()} ", BUYER),
        (f"<{BUYER}>", BUYER),
        (f"A Buyer <{BUYER}>", BUYER),
        (f'"Buyer, A" <{BUYER}>', BUYER),
        (f"{BUYER} (a buyer)", BUYER),
        ('"abc123"@marketplace.amazon.de', BUYER),
        ('A Buyer <"abc\\123"@marketplace.amazon.de>', BUYER),
        (f"Buyer, A <{BUYER}>", BUYER),
        (f"Buyer, A <{BUYER}>, sales@supplier.example", None),
        ('"a buyer"@marketplace.amazon.de', None),
        ('"a@b"@marketplace.amazon.de', None),
        ("undisclosed-recipients:;", None),
        ("nobody", None),
        ("(" * 100_000, None),
        ("", None),
    ],
)
def test_recipients_are_read_as_an_smtp_client_reads_them(recipient: str, address: str | None) -> None:
    """A display name is no way past the guard: smtplib would send to the address beside it."""
    assert read_address(recipient) == (Address(address) if address else None)


@pytest.mark.parametrize(
    ("to", "order_ids", "linked"),
    [
        ([BUYER], [ORDER], True),
        ([BUYER, "colleague@shop.example"], [ORDER], True),
        ([BUYER, BUYER.replace("@", "+7f0e@")], [ORDER, ORDER], True),
        ([BUYER, ANOTHER], [ORDER], False),
        ([BUYER], [ORDER, OTHER_ORDER], False),
        ([BUYER], [], False),
        ([], [ORDER], False),
        (["colleague@shop.example"], [ORDER], False),
        (["nobody"], [ORDER], False),
    ],
)
def test_one_buyer_and_one_order_belong_together(to: list[str], order_ids: list[str], linked: bool) -> None:
    """Exactly one of each; repeated ones are one, and other recipients do not matter."""
    link = link_in(Message("s", "b", to=to, order_ids=order_ids))
    assert link == ((OrderId(ORDER), Address(BUYER)) if linked else None)
