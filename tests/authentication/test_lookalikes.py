"""Senders made to look like Amazon."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.authentication import Authentication, Trust
from optoutkit.authentication.lookalikes import imitates_amazon, is_amazon, poses_as_amazon
from optoutkit.marketplaces import MARKETPLACES

LOOKALIKES = """
arnazon.de amaz0n.com amazom.de amazon-support.com amazon.de.evil.example seller-amazon.it amaozn.de amzon.it amazonn.fr ammazon.fr
anazon.com annazon.com amazonsellers.com amazon.xyz amazon.co amazon_de.example xn--mazon-3ve.de аmаzоn.com ámazon.es 4mazon.com
amazon.com-login.example amaz.on.amazon.evil.example
"""
HONEST = """
example.com shop.example mazon.org amazonas-kaffee.de amazonia.com.br amazone.de annual.com gmazon.de azan.org amstrad.com aurazon.example
amigo.example aeronaut.example xn--zzzz.example xn--99999999999.example a.b
"""
NAMES = (
    *(
        "Amazon.it",
        "amazon.co.uk",
        "Amazon",
        "AMAZON",
        "Amazon.de Verkäuferservice",
        "auto-communication@amazon.de",
        "Amazon Seller Support",
    ),
    *("Seller  Central", "'Amazon.de'", "(Amazon)", "Аmazon", "Amazon\u200b.de", "x@arnazon.de", "abc@marketplace.amazon.de"),
    *("Service <no-reply@amazon.com>", "=?utf-8?q?Amazon=2Eit?="),
)


@pytest.mark.parametrize("domain", LOOKALIKES.split())
def test_lookalike_domains(check: Callable[..., Authentication], signer: Any, domain: str) -> None:
    """A letter more, less, swapped or of another script, the name as a part of another: forged, whatever the signature."""
    mail = f"From: auto-communication@{domain}\r\nSubject: x\r\n\r\n".encode()
    ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
    assert check(signer.sign(mail, ascii_domain, signed=("from",))).trust is Trust.FORGED
    assert not signer.server.asked


@pytest.mark.parametrize("domain", HONEST.split())
def test_honest_domains(check: Callable[..., Authentication], domain: str) -> None:
    """Names that merely have something in common are not forged."""
    assert check(f"From: me@{domain}\r\n\r\n".encode()).trust is Trust.UNVERIFIED


@pytest.mark.parametrize("store", MARKETPLACES)
def test_amazon_s_own_domains(store: Any) -> None:
    """Are no imitation of themselves."""
    for domain in (store.domain, store.alias_domain, f"bounces.{store.domain}"):
        assert is_amazon(domain)
        assert not imitates_amazon(domain)
    assert not is_amazon(f"x{store.domain}")


@pytest.mark.parametrize("domain", ["amazonses.com", "eu-west-1.amazonses.com"])
def test_amazon_s_services(check: Callable[..., Authentication], domain: str) -> None:
    """Are Amazon's, though not the shop's: bounces come from there."""
    assert check(f"From: MAILER-DAEMON@{domain}\r\n\r\n".encode()).trust is Trust.UNVERIFIED


@pytest.mark.parametrize("name", NAMES)
def test_names_that_pose_as_amazon(check: Callable[..., Authentication], name: str) -> None:
    """The name is Amazon's, the address is not."""
    shown = name if name.startswith("=?") else f'"{name}"'
    assert check(f"From: {shown} <notices@evil.example>\r\n\r\n".encode()).trust is Trust.FORGED


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Jeff",
        "Amazon Shop Müller",
        "My Amazon orders",
        "'Amazon.it' via Orders",
        "Amazonia",
        "amazon.com.evil",
        "me@example.com",
        "Amazone Werke",
    ],
)
def test_names_that_do_not(check: Callable[..., Authentication], name: str) -> None:
    """Sellers have Amazon in their names, and mailing lists tell who wrote."""
    assert check(f'From: "{name}" <me@shop.example>\r\n\r\n'.encode()).trust is Trust.UNVERIFIED


def test_such_a_name_at_amazon(check: Callable[..., Authentication], signer: Any, notice: bytes) -> None:
    """Amazon may call itself so."""
    assert check(signer.sign(notice, "amazon.de")).trust is Trust.AMAZON
    assert check(b"From: Amazon <x@marketplace.amazon.de>\r\n\r\n").trust is Trust.UNVERIFIED


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Nothing makes it raise."""
    poses_as_amazon(text)
    imitates_amazon(text)


@given(st.sampled_from("bcdefghijkpqtuy0"), st.integers(0, 6), st.integers(0, 6))
def test_one_letter_apart(letter: str, at: int, cut: int) -> None:
    """Any one letter put into the name, taken out of it, or put in the place of another is seen, as long as it begins alike."""
    name = "amazon"
    for changed in (name[:at] + letter + name[at:], name[:at] + letter + name[at + 1 :], name[:cut] + name[cut + 1 :]):
        if changed.startswith("a") and changed != "amazone":
            assert imitates_amazon(f"{changed}.example"), changed
