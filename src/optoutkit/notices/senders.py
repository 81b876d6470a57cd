"""Whom a mail claims to be from: Amazon, a buyer, or somebody else.

Only the claim is read here. A forged ``auto-communication@amaz0n.example`` claims to be Amazon's, and its mail is parsed as the
notice it pretends to be; :mod:`optoutkit.authentication` finds out what the claim is worth. What matters here is that a
newsletter, a colleague or a buyer who quotes a notice does not claim to have sent it.
"""

import enum
import re
from collections.abc import Collection

import attrs

from optoutkit.marketplaces import Marketplace
from optoutkit.notices.surroundings import surroundings
from optoutkit.notices.wordings import bare_letters
from optoutkit.text.folding import fold

__all__ = ["Claim", "Sender", "read_sender"]

_ADDRESS = re.compile(r"([^\s<>()\[\]:;,\"'@]{1,64})@([^\s<>()\[\]:;,\"'@]{1,253})")
_NAME_END = re.compile(r"[<\[(]|\s(?:via|durch|über|por|par|tramite)\s")
_LONGEST_FIELD = 2000
_STORE_NAME = re.compile(r"amazon(?:\.[a-z]{2,3}){0,2}")
_LOOK_ALIKES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("4", "a"), ("2", "z"))
_ALIAS_DOMAIN = ".marketplace.amazon."  # of any store, known or not


class Claim(enum.Enum):
    """Whose mail a mail says it is."""

    AMAZON = enum.auto()
    BUYER = enum.auto()
    """Of a buyer, through Amazon: the address is an alias."""
    RELAY = enum.auto()
    """Of a sender from which Amazon passes on what others have written, such as copies of the seller's own messages."""
    OTHER = enum.auto()


@attrs.frozen
class Sender:
    """A sender as a From field, or the From line of a forward, names it.

    Attributes:
        claim: Whose mail it says it is.
        marketplace: The store that the display name names; never that of the address's domain (amazon.md section 0, item 1).
    """

    claim: Claim
    marketplace: Marketplace | None


def read_sender(field: str, sign_offs: Collection[str] = ()) -> Sender:
    """Read a From field or line.

    Args:
        field: Its decoded text, such as ``'"Amazon.it" <auto-communication@amazon.com>'``; mail programs write the lines of a forward in
            many ways, and some leave the address out.
        sign_offs: Further names of Amazon, bare letters.
    """
    folded = fold(field[:_LONGEST_FIELD]).text
    addresses = _ADDRESS.findall(folded)
    name = _display_name(folded)
    if any(_ALIAS_DOMAIN in f".{domain}" for _, domain in addresses):
        return Sender(Claim.BUYER, None)
    if any(local in surroundings().relaying_senders and _looks_like_amazon(domain) for local, domain in addresses):
        return Sender(Claim.RELAY, None)
    is_amazon = (
        any(local in surroundings().notice_senders or _looks_like_amazon(domain) for local, domain in addresses)
        or name in surroundings().sender_names
        or bool(_STORE_NAME.fullmatch(name))
        or (bool(name) and bare_letters(name) in sign_offs)
    )
    return Sender(Claim.AMAZON if is_amazon else Claim.OTHER, Marketplace.by_domain(name) if is_amazon else None)


def _display_name(folded: str) -> str:
    """What stands before the address, without quotes and without the group that passed it on."""
    end = _NAME_END.search(folded)
    name = (folded[: end.start()] if end else folded).strip(" \"'*_")
    return "" if "@" in name else name


def _looks_like_amazon(domain: str) -> bool:
    if "xn--" in domain:
        try:
            domain = fold(domain.encode("ascii", "ignore").decode("idna")).text
        except UnicodeError:
            return False
    for alike, letter in _LOOK_ALIKES:
        domain = domain.replace(alike, letter)
    return "amazon" in domain
