"""What a buyer is known by: an address, an order, or a keyed digest of one of them.

All three compare and hash by ``.key``, so that two spellings of one buyer are one entry in a set, a dict or a store.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import ClassVar, Literal

import attrs

from optoutkit.errors import InvalidAddress, InvalidInput, InvalidOrderId

__all__ = ["Address", "Digest", "Identity", "OrderId", "find_order_ids", "identity_from_key", "read_identity"]

Kind = Literal["address", "order"]

_MAX_LOCAL, _MAX_DOMAIN = 64, 253  # RFC 5321 section 4.5.3.1
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_FORBIDDEN_IN_LOCAL = re.compile(r'[\s\x00-\x1f\x7f<>()\[\],;:\\"@]')
# The domains of Amazon's aliases are one to a store; those of stores to come will look alike (amazon.md section f).
_ALIAS_DOMAIN = re.compile(r"marketplace\.amazon\.(?:com|[a-z]{2}|com?\.[a-z]{2})")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ORDER_ID = re.compile(r"(?:[0-9]{3}|[DSP]0[0-9])-[0-9]{7}-[0-9]{7}", re.IGNORECASE)
# Digits and letters must not touch it, but Japanese text may follow at once (amazon.md section f): no \b here.
# Found by its first hyphen, because those are few.
_ORDER_ID_IN_TEXT = re.compile(r"-(?<=(?:[0-9]{3}|[DSP]0[0-9])-)(?<![0-9A-Za-z-](?s:...)-)[0-9]{7}-[0-9]{7}(?![0-9A-Za-z]|-[0-9])")
_SAMPLE_DIGITS = re.compile(r"(?:[A-Z]0)?([0-9])\1*", re.IGNORECASE)


def _digest(key: str, secret: bytes) -> bytes:
    if not 16 <= len(secret) <= 64:  # noqa: PLR2004 - BLAKE2b takes 64 bytes at most, RFC 7693 section 2.1
        raise ValueError("the secret must be 16 to 64 bytes long")
    return hashlib.blake2b(key.encode(), digest_size=16, key=secret, person=b"optoutkit").digest()


def _shown(value: object) -> str:
    """Bad input as an error text may show it: escaped and short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…" + text[0]  # noqa: PLR2004 - the room that there is in a message


def _address_key(normal: str) -> str:
    local, _, domain = normal.rpartition("@")
    if _ALIAS_DOMAIN.fullmatch(domain):
        local = local.partition("+")[0] or local
    return f"address:{local}@{domain}"


def _normal_address(value: object) -> str:
    # Lower case first, NFC last: lower-casing can leave letters apart that NFC joins, and a key must read back as itself.
    text = str(value)
    text = text.lower() if text.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    text = text.strip()

    def bad(why: str) -> InvalidAddress:
        return InvalidAddress(f"not an e-mail address, {why}: {_shown(value)}")

    local, at, domain = text.rpartition("@")
    if not at:
        raise bad("there is no @ in it")
    if not local or not domain:
        raise bad("a part beside the @ is missing")
    if len(local) > _MAX_LOCAL or len(domain) > _MAX_DOMAIN:
        raise bad("it is too long")
    if _FORBIDDEN_IN_LOCAL.search(local):
        raise bad("give one bare address, without name, spaces, quotes or brackets")
    if _SURROGATE.search(local):
        raise bad("half a character stands in it")
    domain = domain.rstrip(".")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise bad("the domain cannot be written in IDNA") from None
    if len(domain) > _MAX_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise bad("the domain is malformed")
    return f"{local}@{domain}"


def _normal_order_id(value: object) -> str:
    text = str(value).strip().upper()
    if not _ORDER_ID.fullmatch(text):
        raise InvalidOrderId(f"not an Amazon order ID (such as 302-1234567-1234567): {_shown(value)}")
    return text


class _ByKey:
    """Equality, hash and digest by ``key``, shared by the kinds of identity."""

    __slots__ = ()
    kind: ClassVar[str]
    key: str  # made once, as sets and dicts ask for it again and again

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, _ByKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


@attrs.frozen(eq=False, repr=False)
class Address(_ByKey):
    """An e-mail address in its normal form.

    Spaces around it are dropped, it is lower-cased, and the domain is written in ASCII (IDNA). In Amazon's alias domains the
    local part from ``+`` on is the number of a case and changes from thread to thread (amazon.md section f): it stays in the
    address, which is needed for replying, but not in the key.

    Args:
        address: One bare address, without display name or angle brackets.

    Attributes:
        key: What it is compared by, such as ``address:abc123@marketplace.amazon.de``.

    Raises:
        InvalidAddress: It is not one; the text says why.

    Example:
        >>> Address("ABC123+7f0e@Marketplace.Amazon.de").key
        'address:abc123@marketplace.amazon.de'
    """

    kind: ClassVar[str] = "address"
    _normal: str = attrs.field(alias="address", converter=_normal_address)
    key: str = attrs.field(init=False, default=attrs.Factory(lambda self: _address_key(self._normal), takes_self=True))

    @property
    def local(self) -> str:
        """The part before ``@``."""
        return self._normal.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The part after ``@``, lower case, ASCII."""
        return self._normal.rpartition("@")[2]

    @property
    def is_buyer_alias(self) -> bool:
        """Whether it stands for a buyer at Amazon: whether its domain is of the form ``marketplace.amazon.de``, of whatever store."""
        return _ALIAS_DOMAIN.fullmatch(self.domain) is not None

    def digest(self, secret: bytes) -> bytes:
        """Keyed BLAKE2b of the key, 16 bytes; the same secret always gives the same digest."""
        return _digest(self.key, secret)

    def __str__(self) -> str:
        return self._normal

    def __repr__(self) -> str:
        return f"Address({self._normal!r})"


@attrs.frozen(eq=False, repr=False)
class OrderId(_ByKey):
    """An Amazon order ID: ``302-1234567-1234567``, or with ``D01``, ``S01``, ``P01`` in front (amazon.md section f).

    Args:
        order_id: The ID; spaces around it are dropped, letters are upper-cased.

    Attributes:
        key: What it is compared by, such as ``order:302-1234567-1234567``.

    Raises:
        InvalidOrderId: It has another form.

    Example:
        >>> OrderId(" 302-1234567-1234567 ").key
        'order:302-1234567-1234567'
    """

    kind: ClassVar[str] = "order"
    _normal: str = attrs.field(alias="order_id", converter=_normal_order_id)
    key: str = attrs.field(init=False, default=attrs.Factory(lambda self: f"order:{self._normal}", takes_self=True))

    def digest(self, secret: bytes) -> bytes:
        """Keyed BLAKE2b of the key, 16 bytes; the same secret always gives the same digest."""
        return _digest(self.key, secret)

    def __str__(self) -> str:
        return self._normal

    def __repr__(self) -> str:
        return f"OrderId({self._normal!r})"


@attrs.frozen(eq=False)
class Digest(_ByKey):
    """An address or order of which only the keyed digest is kept.

    Attributes:
        kind: What it is a digest of, ``"address"`` or ``"order"``.
        key_id: Which secret it was made with.
        value: The digest, 16 bytes.
        key: What it is compared by, such as ``digest:address:2026:0a1b…``.
    """

    kind: Kind = attrs.field(validator=attrs.validators.in_(("address", "order")))  # type: ignore[misc]  # the type of in_ is wider
    key_id: str = attrs.field(validator=attrs.validators.matches_re(r"[A-Za-z0-9_.-]{1,32}"))
    value: bytes = attrs.field(
        validator=attrs.validators.and_(attrs.validators.instance_of(bytes), attrs.validators.min_len(16), attrs.validators.max_len(16))
    )
    key: str = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "key", f"digest:{self.kind}:{self.key_id}:{self.value.hex()}")  # once the fields have been validated

    def __str__(self) -> str:
        return self.key


Identity = Address | OrderId | Digest
"""Whatever a store can be asked about."""


def identity_from_key(key: str) -> Identity:
    """Read a ``.key`` back; the inverse of it.

    Raises:
        InvalidInput: It is no key that an identity of this version has.
    """
    kind, _, rest = key.partition(":")
    if kind == "address":
        return Address(rest)
    if kind == "order":
        return OrderId(rest)
    if kind == "digest":
        of, _, rest = rest.partition(":")
        key_id, _, value = rest.partition(":")
        if of in ("address", "order"):
            try:
                return Digest(of, key_id, bytes.fromhex(value))  # type: ignore[arg-type]  # one of the two words, or Digest says so
            except ValueError:
                pass
    raise InvalidInput(f"not the key of an address, order or digest: {_shown(key)}")


def read_identity(text: str) -> Identity:
    """Read what people and lists name a buyer by: an address, an order ID, or the ``.key`` of an identity.

    Raises:
        InvalidInput: It is none of these.
    """
    if text.startswith(("address:", "order:", "digest:")):
        return identity_from_key(text)
    try:
        return Address(text) if "@" in text else OrderId(text)
    except InvalidOrderId as error:
        raise InvalidInput(f"{error}, and without an @ no address either") from None


def find_order_ids(text: str) -> Iterator[tuple[int, OrderId]]:
    """Find order IDs in running text, each with its offset, repeated ones too.

    IDs of one repeated digit stand in examples and newsletters, and are passed over (amazon.md section b).
    """
    for match in _ORDER_ID_IN_TEXT.finditer(text):
        start = match.start() - 3
        found = text[start : match.end()]
        if not _SAMPLE_DIGITS.fullmatch(found.replace("-", "")):
            yield start, OrderId(found)
