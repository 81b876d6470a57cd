"""Addresses, order IDs and digests: normal form, key, equality, bad input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidAddress, InvalidInput, InvalidOrderId, OptOutKitError
from optoutkit.identities import Address, Digest, OrderId, find_order_ids, identity_from_key

SECRET = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("given_as", "normal", "key"),
    [
        ("Anna@Example.COM", "anna@example.com", "address:anna@example.com"),
        ("  anna@example.com\n", "anna@example.com", "address:anna@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example", "address:anna@xn--bcher-kva.example"),
        ("anna+list@example.com", "anna+list@example.com", "address:anna+list@example.com"),
        ("ABC+case@marketplace.amazon.co.jp", "abc+case@marketplace.amazon.co.jp", "address:abc@marketplace.amazon.co.jp"),
        ("a@example.com.", "a@example.com", "address:a@example.com"),
        ("jörg@example.com", "jörg@example.com", "address:jörg@example.com"),
    ],
)
def test_address_has_one_normal_form(given_as: str, normal: str, key: str) -> None:
    """Spelling does not matter; only Amazon's alias domains lose the case number, and only in the key."""
    address = Address(given_as)
    assert str(address) == normal
    assert address.key == key
    assert address == Address(normal)
    assert hash(address) == hash(Address(normal))
    assert repr(address) == f"Address({normal!r})"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "no @"),
        ("anna", "no @"),
        ("@example.com", "missing"),
        ("anna@", "missing"),
        ("Anna <anna@example.com>", "bare"),
        ("a b@example.com", "bare"),
        ("a@b@example.com", "bare"),
        ("a\r\nBcc: x@example.com", "bare"),
        ("a@-example.com", "malformed"),
        ("a@exa mple.com", "malformed"),
        ("a@example..com", "malformed"),
        ("x" * 65 + "@example.com", "too long"),
        ("a@" + "ü" * 70 + ".example", "IDNA"),
        ("a@" + ".".join(["ü" * 30] * 7), "malformed"),
        (None, "no @"),
    ],
)
def test_bad_address_says_what_is_wrong(bad: object, why: str) -> None:
    """The error is a ValueError and one of ours, and names the fault."""
    with pytest.raises(InvalidAddress, match=why) as caught:
        Address(bad)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, OptOutKitError)


def test_alias_is_told_from_other_addresses() -> None:
    """A buyer's alias is told from every other address, Amazon's own included."""
    alias = Address("x1@marketplace.amazon.it")
    assert alias.is_buyer_alias
    assert (alias.local, alias.domain) == ("x1", "marketplace.amazon.it")
    assert not Address("auto-communication@amazon.it").is_buyer_alias
    assert not Address("x1@marketplace.amazon.it.evil.example").is_buyer_alias


@pytest.mark.parametrize(
    "text", ["302-1234567-1234567", " 302-1234567-1234567 ", "d01-1234567-1234567", "S01-1234567-1234567", "P01-1234567-1234567"]
)
def test_order_id_forms(text: str) -> None:
    """All forms that Amazon uses are read, in either case."""
    order = OrderId(text)
    assert str(order) == text.strip().upper()
    assert order.key == f"order:{order}"
    assert order == OrderId(str(order))
    assert repr(order) == f"OrderId('{order}')"


@pytest.mark.parametrize(
    "bad", ["", "302-1234567-123456", "3021234567-1234567", "X01-1234567-1234567", "٣٠٢-1234567-1234567", "302-1234567-1234567x", "x" * 500]
)
def test_bad_order_id(bad: str) -> None:
    """Anything else is refused, with a short error."""
    with pytest.raises(InvalidOrderId, match="302-1234567-1234567") as caught:
        OrderId(bad)
    assert len(str(caught.value)) < 200


def test_order_ids_are_found_in_any_surroundings() -> None:
    """Japanese may follow at once; longer numbers, samples and parts of words are passed over."""
    text = "注文302-1234567-1234567に [D01-7654321-1234567], 111-1111111-1111111 9302-1234567-1234567 302-1234567-12345678"
    text += " 302-1234567-1234567-1"
    assert [(start, str(order)) for start, order in find_order_ids(text)] == [(2, "302-1234567-1234567"), (24, "D01-7654321-1234567")]


def test_kinds_never_meet() -> None:
    """An address equals no order, and neither equals plain text."""
    assert Address("a@example.com") != OrderId("302-1234567-1234567")
    assert Address("a@example.com") != "a@example.com"


def test_digest_is_keyed_and_stable() -> None:
    """The same secret gives the same 16 bytes, another secret others; the case number does not matter."""
    first = Address("abc+1@marketplace.amazon.de").digest(SECRET)
    assert first == Address("ABC+2@marketplace.amazon.de").digest(SECRET)
    assert len(first) == 16
    assert first != Address("abc@marketplace.amazon.de").digest(SECRET[::-1])
    assert OrderId("302-1234567-1234567").digest(SECRET) == bytes.fromhex("9e3f03fb720b00632a7a5791f51aeeb1")
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Address("a@example.com").digest(b"short")


@given(st.sampled_from(["address", "order"]), st.from_regex(r"[A-Za-z0-9_.-]{1,32}", fullmatch=True), st.binary(min_size=16, max_size=16))
def test_key_of_a_digest_reads_back(kind: str, key_id: str, value: bytes) -> None:
    """A digest survives the way into a store and back."""
    digest = Digest(kind, key_id, value)  # type: ignore[arg-type]
    assert identity_from_key(digest.key) == digest
    assert str(digest) == digest.key


@pytest.mark.parametrize(
    ("kind", "key_id", "value"), [("name", "k", b"x" * 16), ("order", "k", b"x" * 17), ("order", "k", b"x"), ("order", "", b"x" * 16)]
)
def test_bad_digest(kind: str, key_id: str, value: bytes) -> None:
    """Only digests that could be read back can be made."""
    with pytest.raises(ValueError, match=r"kind|value|key_id"):
        Digest(kind, key_id, value)  # type: ignore[arg-type]


def test_keys_read_back() -> None:
    """So do addresses and orders."""
    for identity in (Address("a+b@example.com"), OrderId("D01-1234567-1234567")):
        assert identity_from_key(identity.key) == identity


@pytest.mark.parametrize("bad", ["", "order", "order:1", "name:x", "digest:address:k:zz", "digest:name:k:00", "digest:address:k:00"])
def test_bad_key(bad: str) -> None:
    """A damaged key is one of our errors."""
    with pytest.raises(InvalidInput):
        identity_from_key(bad)


@given(st.text(max_size=80))
def test_no_text_breaks_an_address(text: str) -> None:
    """Any text is either an address whose normal form reads back, or InvalidAddress."""
    try:
        address = Address(text)
    except InvalidAddress:
        return
    assert Address(str(address)) == address
    assert str(Address(str(address))) == str(address)
    assert identity_from_key(address.key) == address


@pytest.mark.parametrize("given", ["H\u0331@example.com", "\u0130@example.com", "+5@marketplace.amazon.de"])
def test_odd_addresses_read_back_too(given: str) -> None:
    """Letters that only compose in lower case, and an alias that is all case number, have a key that is read back as itself."""
    key = Address(given).key
    assert identity_from_key(key).key == key


def test_half_a_character_is_no_address() -> None:
    """A lone surrogate, which no store and no mail can hold, is refused like any other bad character."""
    with pytest.raises(InvalidAddress, match="half a character"):
        Address("a\ud800@example.com")
