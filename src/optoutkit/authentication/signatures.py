"""DKIM and ARC signatures as text: what they claim to cover, and what is refused whatever their key says.

The rules are those of RFC 6376 section 6.1.1, stricter where a signature would prove less than the intake needs: no ``l=``, no SHA-1
(RFC 8301 section 3.1), no testing keys. Checking the cryptography is :mod:`optoutkit.authentication.dkim_client`'s.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from optoutkit.authentication.header_block import Field
from optoutkit.authentication.trust import CheckResult

__all__ = [
    "Refusal",
    "Signature",
    "aligned",
    "check_algorithm",
    "check_cover",
    "check_form",
    "check_times",
    "read_signature",
    "read_tags",
    "usable_key",
]

_LONGEST_FIELD = 8 * 1024
_LONG_BLANK = re.compile(rb"\s{64}")  # dkimpy's pattern for b= takes time that grows with the square of a run of blanks
_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))+")
_SELECTOR = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,200})")
_BASE64 = re.compile(rb"[0-9A-Za-z+/\s]+(?:=\s*){0,2}")
_TIME = re.compile(rb"[0-9]{1,12}")
_ALGORITHMS = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}
_CANONICALIZATIONS = frozenset({b"simple", b"relaxed"})
_LONGEST_KEY_RECORD = 4096
_CLOCK_SKEW = timedelta(hours=1)


class Refusal(Exception):
    """Why a signature or a key is not accepted.

    Attributes:
        result: In the words of RFC 8601.
        detail: For people.
    """

    def __init__(self, result: CheckResult, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.result: CheckResult = result
        self.detail = detail


@attrs.frozen(kw_only=True)
class Signature:
    """A DKIM-Signature, or an ARC field that is built alike.

    Attributes:
        field: The field it stands in.
        tags: Its tags, values as written but for blanks around them.
        domain: Who signs (``d=``), lower case.
        signed: The names of the fields it covers (``h=``), lower case, in order.
    """

    field: Field
    tags: Mapping[str, bytes]
    domain: str
    signed: tuple[str, ...]

    @property
    def key_name(self) -> str:
        """Where in DNS its key stands (RFC 6376 section 3.6.2.1)."""
        return f"{self.tags['s'].decode('ascii').lower()}._domainkey.{self.domain}"


def aligned(domain: str, sender: str) -> bool:
    """Whether a signature or an SPF result for ``domain`` speaks for a sender at the domain ``sender`` (RFC 7489 section 3.1, relaxed).

    That is the sender's domain or one below it; but never the domain below it that hides Amazon's buyers, which signs what strangers write.
    """
    alias = f"marketplace.{sender}"
    below = domain == sender or domain.endswith("." + sender)
    return below and domain != alias and not domain.endswith("." + alias)


def read_tags(value: bytes) -> dict[str, bytes]:
    """Read a list of tags (RFC 6376 section 3.2).

    Raises:
        Refusal: It is none, or a tag stands in it twice.
    """
    tags: dict[str, bytes] = {}
    for item in value.strip().removesuffix(b";").split(b";"):
        name, equals, content = item.partition(b"=")
        key = name.strip().decode("latin-1")
        if not equals or not _TAG_NAME.fullmatch(key) or key in tags:
            raise Refusal("neutral", "its tags cannot be read")
        tags[key] = content.strip()
    return tags


def read_signature(field: Field) -> Signature:
    """Read the parts of a signature that say whose it is and what it covers.

    Raises:
        Refusal: It cannot be read.
    """
    if len(field.value) > _LONGEST_FIELD or _LONG_BLANK.search(field.value):
        raise Refusal("neutral", "it is too long")
    tags = read_tags(field.value)
    domain = tags.get("d", b"").decode("latin-1").lower()
    if not _DOMAIN.fullmatch(domain) or not _SELECTOR.fullmatch(tags.get("s", b"").decode("latin-1").lower()):
        raise Refusal("neutral", "it names no domain or no selector")
    signed = tuple(name.strip().lower() for name in tags.get("h", b"").decode("latin-1").split(":"))
    return Signature(field=field, tags=tags, domain=domain, signed=signed)


def check_form(signature: Signature, *, now: datetime, arrived: datetime) -> None:
    """Refuse a DKIM signature that proves nothing, or less than is needed, even if its key matches.

    Args:
        signature: The signature.
        now: The time.
        arrived: When the mail came in, which is what an expiry counts against (RFC 6376 section 3.5, ``x=``).

    Raises:
        Refusal: It is refused.
    """
    tags = signature.tags
    check_cover(signature)
    if tags.get("v") != b"1":
        raise Refusal("neutral", "it is of another version")
    if b"dns/txt" not in tags.get("q", b"dns/txt").lower().split(b":"):
        raise Refusal("neutral", "its key is not in DNS")
    identity = tags.get("i", b"@" + tags["d"]).decode("latin-1").lower().rpartition("@")[2]
    if identity != signature.domain and not identity.endswith("." + signature.domain):
        raise Refusal("neutral", "it signs for somebody outside of its domain")
    check_times(signature, now=now, arrived=arrived)


def check_cover(signature: Signature) -> None:
    """Refuse a signature, of DKIM or of an ARC message, that leaves open what matters, or that is made in a way that is not accepted.

    Raises:
        Refusal: It is refused.
    """
    tags = signature.tags
    if missing := [name for name in ("a", "b", "bh", "h") if not tags.get(name)]:
        raise Refusal("neutral", f"it has no {missing[0]}=")
    check_algorithm(tags)
    if "l" in tags:
        raise Refusal("policy", "it covers a part of the body only (l=), so that text can be added")
    if "from" not in signature.signed:
        raise Refusal("policy", "it does not cover From")
    if not set(tags.get("c", b"simple").split(b"/")) <= _CANONICALIZATIONS or tags.get("c", b"").count(b"/") > 1:
        raise Refusal("neutral", "its canonicalization is unknown")
    if not _BASE64.fullmatch(tags["bh"]):
        raise Refusal("neutral", "its hash cannot be read")


def check_algorithm(tags: Mapping[str, bytes]) -> None:
    """Refuse algorithms that are unknown, or no longer secure (RFC 8301 section 3.1).

    Raises:
        Refusal: It is refused.
    """
    if tags.get("a") not in _ALGORITHMS:
        raise Refusal("policy", "its algorithm is not accepted")
    if not _BASE64.fullmatch(tags.get("b", b"")):
        raise Refusal("neutral", "it cannot be read")


def check_times(signature: Signature, *, now: datetime, arrived: datetime) -> None:
    """Refuse a signature of the future, and one that had expired when the mail arrived.

    Raises:
        Refusal: It is refused.
    """
    made, expires = (_seconds(signature.tags.get(name)) for name in ("t", "x"))
    if made is not None and made > (now + _CLOCK_SKEW).timestamp():
        raise Refusal("policy", "it was made in the future")
    if expires is not None and (expires < arrived.timestamp() or expires < (made or 0)):
        raise Refusal("policy", "it has expired")


def _seconds(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not _TIME.fullmatch(value):
        raise Refusal("neutral", "its time cannot be read")
    return int(value)


def usable_key(records: Sequence[bytes], signature: Signature) -> bytes:
    """Choose the key record of a signature among the text records of its name (RFC 6376 sections 3.6.1, 3.6.2.2).

    Raises:
        Refusal: There is none, it was revoked, or it must not be used for this signature.
    """
    keys = [record for record in records if len(records) == 1 or record.startswith(b"v=DKIM1")]
    if len(keys) != 1:
        raise Refusal("permerror", "its key is ambiguous" if keys else "it has no key in DNS")
    record = keys[0]
    if len(record) > _LONGEST_KEY_RECORD:
        raise Refusal("permerror", "its key is too large")
    try:
        tags = read_tags(record)
    except Refusal:
        raise Refusal("permerror", "its key cannot be read") from None
    if not tags.get("p"):
        raise Refusal("permerror", "its key was revoked")
    if (
        tags.get("v", b"DKIM1") != b"DKIM1"
        or tags.get("k", b"rsa") != _ALGORITHMS[signature.tags["a"]]
        or b"sha256" not in _listed(tags.get("h", b"sha256"))
        or not {b"*", b"email"} & _listed(tags.get("s", b"*"))
    ):
        raise Refusal("permerror", "its key is not for such signatures")
    flags = _listed(tags.get("t", b""))
    if b"y" in flags:
        raise Refusal("policy", "its key is for testing")
    _, at, identity = signature.tags.get("i", b"").decode("latin-1").lower().rpartition("@")  # in ARC fields i= is a number
    if b"s" in flags and at and identity != signature.domain:
        raise Refusal("permerror", "its key is not for domains below")
    return record


def _listed(value: bytes) -> set[bytes]:
    return {item.strip() for item in value.split(b":")}
