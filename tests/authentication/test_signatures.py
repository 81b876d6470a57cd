"""Signatures as text: what is refused before any key is asked for."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.authentication.header_block import Field
from optoutkit.authentication.signatures import Refusal, aligned, check_form, read_signature, usable_key

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = {"v": "1", "a": "rsa-sha256", "c": "relaxed/simple", "d": "amazon.de", "s": "s1", "h": "From : to", "bh": "AAAA", "b": "AA\r\n AA=="}


def field(**changes: str | None) -> Field:
    """A signature with tags changed, or left out."""
    return Field(
        b"DKIM-Signature", "; ".join(f"{name}={value}" for name, value in {**GOOD, **changes}.items() if value is not None).encode()
    )


def test_good() -> None:
    """Nothing is held against it, and its names are in lower case."""
    signature = read_signature(field(d="Amazon.DE", s="S1.x"))
    check_form(signature, now=NOW, arrived=NOW)
    assert (signature.domain, signature.signed, signature.key_name) == ("amazon.de", ("from", "to"), "s1.x._domainkey.amazon.de")


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"v": "2"}, "neutral"),
        ({"v": None}, "neutral"),
        ({"a": "rsa-sha1"}, "policy"),
        ({"a": "none"}, "policy"),
        ({"a": None}, "neutral"),
        ({"b": ""}, "neutral"),
        ({"b": "a?"}, "neutral"),
        ({"bh": "a?"}, "neutral"),
        ({"bh": None}, "neutral"),
        ({"h": None}, "neutral"),
        ({"h": "to:date"}, "policy"),
        ({"c": "nowsp"}, "neutral"),
        ({"c": "relaxed/simple/simple"}, "neutral"),
        ({"l": "0"}, "policy"),
        ({"q": "carrier-pigeon"}, "neutral"),
        ({"i": "@example.com"}, "neutral"),
        ({"i": "@xamazon.de"}, "neutral"),
        ({"t": "soon"}, "neutral"),
        ({"x": "9" * 5000}, "neutral"),
        ({"x": "1000000000"}, "policy"),
        ({"t": "2000000000"}, "policy"),
        ({"t": "1700000002", "x": "1700000001"}, "policy"),
        ({"d": None}, "neutral"),
        ({"d": "de"}, "neutral"),
        ({"d": "amazon..de"}, "neutral"),
        ({"d": "amäzon.de"}, "neutral"),
        ({"d": "a" * 300 + ".de"}, "neutral"),
        ({"s": ""}, "neutral"),
        ({"s": "a b"}, "neutral"),
        ({"z": "x" * 9000}, "neutral"),
        ({"z": "x" + " " * 64 + "y"}, "neutral"),
        ({"b; b": "AAAA"}, "neutral"),
        ({"1": "x"}, "neutral"),
    ],
)
def test_refused(changes: dict[str, str], result: str) -> None:
    """RFC 6376 section 6.1.1, and what is stricter here."""
    with pytest.raises(Refusal) as refusal:
        check_form(read_signature(field(**changes)), now=NOW, arrived=NOW)
    assert refusal.value.result == result


@pytest.mark.parametrize(
    "changes",
    [
        {"c": None},
        {"c": "simple"},
        {"q": "x:dns/txt"},
        {"i": "someone@mail.amazon.de"},
        {"t": "1700000000", "x": "1900000000"},
        {"b": "AAAA;"},
    ],
)
def test_not_refused(changes: dict[str, str]) -> None:
    """What may be left out, and what is well."""
    check_form(read_signature(field(**changes)), now=NOW, arrived=NOW)


@pytest.mark.parametrize(
    ("domain", "sender", "expected"),
    [
        ("amazon.de", "amazon.de", True),
        ("a.b.amazon.de", "amazon.de", True),
        ("de", "amazon.de", False),
        ("xamazon.de", "amazon.de", False),
        ("marketplace.amazon.de", "amazon.de", False),
        ("a.marketplace.amazon.de", "amazon.de", False),
        ("xmarketplace.amazon.de", "amazon.de", True),
        ("", "amazon.de", False),
    ],
)
def test_aligned(domain: str, sender: str, expected: bool) -> None:
    """The domain or one below it, the buyers' aliases excepted."""
    assert aligned(domain, sender) is expected


@given(st.binary(max_size=200))
def test_any_bytes(value: bytes) -> None:
    """Nothing but a refusal comes of odd bytes, in signatures and in keys."""
    with contextlib.suppress(Refusal):
        check_form(read_signature(Field(b"X", value)), now=NOW, arrived=NOW)
    with contextlib.suppress(Refusal):
        usable_key([value], read_signature(field()))
