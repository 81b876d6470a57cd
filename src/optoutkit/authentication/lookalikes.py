"""Senders made to look like Amazon: domains a letter away from Amazon's, and display names that pose as Amazon.

Nobody can list all of them. What is recognised is quarantined even in a mailbox that trusts everything; what is missed is merely unproved.
"""

import re
import unicodedata

from optoutkit.marketplaces import Marketplace
from optoutkit.text.folding import fold

__all__ = ["imitates_amazon", "is_amazon", "poses_as_amazon"]

_BRAND = "amazon"
_OTHER_DOMAINS = ("amazonses.com", "amazonaws.com")  # Amazon's own, though no store's (amazon.md section g)
_OTHER_WORDS = re.compile(r"amazon(?:e|en|as|ia|ian|ica|ico|ite)")  # rivers, plants, makers of farm machines
_DIGITS_FOR_LETTERS = str.maketrans("02345@", "ozeasa")
_LETTERS_FOR_LETTERS = (("rn", "m"), ("nn", "m"), ("vv", "w"))
_PIECE = re.compile(r"[^.\-_]{5,63}")
_ADDRESS = re.compile(r"@([^\s@<>\"',;()\[\]]{3,253})")
_STORE = re.compile(r"amazon\.(?:com?\.)?[a-z]{2,3}(?![a-z0-9.-])")
# What Amazon calls itself where it writes to sellers (amazon.md section b, and its English form).
_NAMES = frozenset({"amazon", "amazon marketplace", "amazon seller central", "amazon seller support", "amazon services", "seller central"})


def is_amazon(domain: str) -> bool:
    """Whether a domain (lower case) belongs to Amazon: a store's, one below it such as that of buyers' aliases, or a service's."""
    labels = domain.split(".")
    above = {".".join(labels[start:]) for start in range(len(labels))}
    return not above.isdisjoint(_OTHER_DOMAINS) or any(Marketplace.by_domain(name) for name in above)


def imitates_amazon(domain: str) -> bool:
    """Whether a domain is made to be taken for Amazon's, and is not.

    That is: a piece of it, between dots and hyphens, holds the name, or one that differs from it in a letter; read as an eye reads it, with
    ``rn`` as m, 0 as o, and Cyrillic letters as the Latin ones they look like.
    """
    return not is_amazon(domain) and any(_is_brand(piece) for piece in _PIECE.findall(_as_seen(domain)))


def poses_as_amazon(name: str) -> bool:
    """Whether a display name is that of Amazon, or gives an address or store of Amazon's. Only to be asked of senders elsewhere.

    A mailing list that may not pass on a sender's address writes ``Amazon.it via Orders``; that tells the truth.
    """
    seen = " ".join(re.sub(r"[\"'()]", " ", fold(name).text).split())
    if " via " in seen:
        return False
    addresses = (match.rstrip(".") for match in _ADDRESS.findall(seen))
    return seen in _NAMES or bool(_STORE.match(seen)) or any(is_amazon(domain) or imitates_amazon(domain) for domain in addresses)


def _as_seen(domain: str) -> str:
    shown = ".".join(_unicode_label(label) for label in domain.lower().split("."))
    letters = "".join(letter for letter in unicodedata.normalize("NFD", fold(shown).text) if not unicodedata.combining(letter))
    seen = letters.translate(_DIGITS_FOR_LETTERS)
    for pair, letter in _LETTERS_FOR_LETTERS:
        seen = seen.replace(pair, letter)
    return seen


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _is_brand(piece: str) -> bool:
    if _BRAND in piece:
        return not _OTHER_WORDS.fullmatch(piece)
    return piece[0] == _BRAND[0] and _one_edit_apart(piece, _BRAND)


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter was changed, added, left out, or two neighbours were swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, remainder = one[start:], other[start:]
    return (
        rest[1:] == remainder[1:]
        or rest == remainder[1:]
        or rest[1:] == remainder
        or (rest[1::-1], rest[2:]) == (remainder[:2], remainder[2:])
    )
