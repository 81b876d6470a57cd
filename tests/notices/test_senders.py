"""Whom a From field, or the From line of a forward, claims."""

import pytest

from optoutkit.notices.senders import Claim, read_sender


@pytest.mark.parametrize(
    ("field", "country"),
    [
        ('"Amazon.it" <auto-communication@amazon.com>', "IT"),
        ("Amazon.it", "IT"),
        ('*"Amazon.co.uk"* <auto-communication@amazon.co.uk>', "UK"),
        ("Amazon.it [mailto:auto-communication@amazon.com]", "IT"),
        ("Amazon.it<mailto:auto-communication@amazon.com>", "IT"),
        ("'Amazon.com.br' via Team <team@shop.example>", "BR"),
        ("Amazon.de über Team <team@shop.example>", "DE"),
        ("AMAZON.FR <x@mail.example>", "FR"),
        ("Amazon <x@mail.example>", None),
        ("Amazon.zz <x@mail.example>", None),
        ("Amazon Seller Support <x@mail.example>", None),
        ("Supporto ai partner di vendita Amazon", None),
        ("auto-communication@somewhere.example", None),
        ("seller-notification@amazon.de", None),
        ("x@amaz0n.example", None),
        ("x@arnazon-seller.example", None),
        ("x@xn--mazon-3ve.com", None),
        ("x@amazon.example, y@mail.example", None),
    ],
)
def test_amazon(field: str, country: str | None) -> None:
    """By address, by a name that Amazon uses, or by what is made to look like either; the name alone tells the store."""
    sender = read_sender(field, {"supportoaipartnerdivenditaamazon"})
    assert sender.claim is Claim.AMAZON
    assert (sender.marketplace and sender.marketplace.country) == country


@pytest.mark.parametrize("field", ["Amazon.de <donotreply@amazon.com>", "atoz-guarantee-no-reply@amazon.it"])
def test_what_amazon_passes_on(field: str) -> None:
    """These send what others have written; at any other firm the same words say nothing."""
    assert read_sender(field).claim is Claim.RELAY
    assert read_sender(field.replace("@amazon", "@shop")).claim is not Claim.RELAY


@pytest.mark.parametrize(
    "field",
    [
        "Max - Amazon Marketplace <abc@marketplace.amazon.de>",
        '"Amazon.de" <abc+0f7e@marketplace.amazon.de>',
        "abc@marketplace.amazon.example",
        "abc@mail.marketplace.amazon.it",
        "auto-communication@amazon.com, abc@marketplace.amazon.de",
    ],
)
def test_buyers(field: str) -> None:
    """An alias is a buyer, whatever the display name, and whoever else is named beside."""
    assert read_sender(field).claim is Claim.BUYER


@pytest.mark.parametrize(
    "field",
    [
        "",
        "bob@shop.example",
        "Amazon Sellers Forum <x@forum.example>",
        "Bob of Amazon.it <b@x.example>",
        "My Amazon <m@x.example>",
        "x@xn--nonsense-\u00e4.com",
        "x@xn--a.com",
        "@",
        "<>",
    ],
)
def test_others(field: str) -> None:
    """Whoever merely has to do with Amazon."""
    assert read_sender(field).claim is Claim.OTHER
