"""The seller's own addresses and domains: proved like Amazon, trusted less; and names that must not be given."""

from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.authentication import Authentication, Trust, authenticate, trusted_parties
from optoutkit.errors import InvalidInput
from optoutkit.identities import Address

Check = Callable[..., Authentication]


def forwarded(sender: str) -> bytes:
    """A notice that somebody forwards by hand."""
    return f"From: {sender}\r\nTo: intake@tool.example\r\nSubject: Fwd: Your message\r\n\r\nOn Monday, Amazon wrote:\r\n".encode()


@pytest.mark.parametrize(
    ("sender", "signs", "named", "trust"),
    [
        ("me@shop.example", "shop.example", "shop.example", Trust.FORWARDER),
        ("me@shop.example", "mail.shop.example", "@SHOP.example.", Trust.FORWARDER),
        ("me@shop.example", "shop.example", "me@shop.example", Trust.FORWARDER),
        ("Me@Shop.Example", "shop.example", Address("me@shop.example"), Trust.FORWARDER),
        ("me@gmail.com", "gmail.com", "me@gmail.com", Trust.FORWARDER),
        ("me@bücher.example", "xn--bcher-kva.example", "bücher.example", Trust.FORWARDER),
        ("you@gmail.com", "gmail.com", "me@gmail.com", Trust.UNVERIFIED),
        ("me@sub.shop.example", "sub.shop.example", "shop.example", Trust.UNVERIFIED),
        ("me@shop.example", "evil.example", "shop.example", Trust.UNVERIFIED),
        ("me@evil.example", "shop.example", "shop.example", Trust.UNVERIFIED),
        ("me@evil.example", "evil.example", "shop.example", Trust.UNVERIFIED),
        ('"me@shop.example" <me@evil.example>', "evil.example", "shop.example", Trust.UNVERIFIED),
        ("auto-communication@amazon.de", "shop.example", "shop.example", Trust.UNVERIFIED),
        ('"Amazon.de" <me@shop.example>', "shop.example", "shop.example", Trust.FORWARDER),
        ("me@amazonas.example", "amazonas.example", "amazonas.example", Trust.FORWARDER),
        ("me@myamazon.example", "myamazon.example", "myamazon.example", Trust.FORWARDER),
    ],
)
def test_who_counts(check: Check, signer: Any, sender: str, signs: str, named: Any, trust: Trust) -> None:
    """Only a sender that was named, and whose own domain signs."""
    found = check(signer.sign(forwarded(sender), signs, signed=("from", "to", "subject")), forwarders=[named])
    assert found.trust is trust, found


def test_nobody_is_a_forwarder_by_himself(check: Check, signer: Any) -> None:
    """A proved sender whom nobody named is a stranger, about whom DNS is not asked."""
    assert check(signer.sign(forwarded("me@shop.example"), "shop.example", signed=("from",))).trust is Trust.UNVERIFIED
    assert not signer.server.asked


@pytest.mark.parametrize(
    "mark", ["List-ID: <orders.shop.example>", "X-Original-From: buyer@example.com", "X-Google-Group-Id: 42", "X-Mailman-Version: 2"]
)
def test_lists_sign_what_strangers_write(check: Check, signer: Any, mark: str) -> None:
    """A group in the seller's domain that rewrites From and signs proves nothing about who wrote it."""
    mail = mark.encode() + b"\r\n" + forwarded("'x' via Orders <orders@shop.example>")
    found = check(signer.sign(mail, "shop.example", signed=("from", "to")), forwarders=["shop.example"])
    assert found.trust is Trust.UNVERIFIED
    assert "list" in found.checks[0].detail


def test_a_named_server_proves_a_forwarder_too(check: Check) -> None:
    """The ways to a proof are the same for both."""
    mail = b"Authentication-Results: mx.tool.example; spf=pass smtp.mailfrom=me@shop.example\r\n" + forwarded("me@shop.example")
    assert check(mail, forwarders=["shop.example"], authserv_ids=["mx.tool.example"]).trust is Trust.FORWARDER


def test_dns_fails_for_a_forwarder(check: Check, signer: Any) -> None:
    """Nothing is known yet."""
    mail = signer.sign(forwarded("me@shop.example"), "shop.example", signed=("from",))
    signer.server.zone["s1._domainkey.shop.example"] = signer.server.SERVFAIL
    assert check(mail, forwarders=["shop.example"]).trust is Trust.TEMPORARY


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "GMAIL.com.", "googlemail.com", "outlook.com", "hotmail.co.uk", "yahoo.co.jp", "gmx.net", "web.de", "icloud.com"),
        *("t-online.de", "libero.it", "orange.fr", "qq.com", "mail.ru", "proton.me", "onmicrosoft.com", "sendgrid.net"),
        *("amazonses.com", "amazon.de", "marketplace.amazon.de", "sub.amazon.com"),
    ],
)
def test_domains_of_strangers_are_refused(domain: str) -> None:
    """Naming a public provider, or Amazon, would trust everybody there."""
    with pytest.raises(InvalidInput, match="strangers"):
        trusted_parties(forwarders=[domain])


@pytest.mark.parametrize("domain", ["shop.example", "yahoo.shop.example.com", "mygmail.com", "gmx-fan.example", "shop.onmicrosoft.com"])
def test_other_domains_are_not(domain: str) -> None:
    """The list holds whole domains."""
    assert trusted_parties(forwarders=[domain]).domains == {domain}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"forwarders": ["x@amazon.de"]}, "cannot be a forwarder"),
        ({"forwarders": ["x@marketplace.amazon.de"]}, "cannot be a forwarder"),
        ({"forwarders": ["a b@shop.example"]}, "an address or a domain"),
        ({"forwarders": ["shop"]}, "a forwarder is a domain"),
        ({"forwarders": [""]}, "a forwarder is a domain"),
        ({"forwarders": ["shop..example"]}, "a forwarder is a domain"),
        ({"forwarders": ["ü..example"]}, "a forwarder is a domain"),
        ({"forwarders": "shop.example"}, "several names"),
        ({"sealers": "google.com"}, "several names"),
        ({"sealers": ["me@google.com"]}, "a sealer is a domain"),
        ({"authserv_ids": "mx.google.com"}, "several names"),
        ({"authserv_ids": ["  "]}, "empty"),
    ],
)
def test_names_that_are_none(options: Any, match: str) -> None:
    """Say so at once, not when the first mail comes."""
    with pytest.raises(InvalidInput, match=match):
        authenticate(b"From: x@example.com\r\n\r\n", **options)
