"""What checking a mail comes to: how far it is trusted, and which checks say so."""

import enum
import functools
from typing import Literal

import attrs

__all__ = ["Authentication", "Check", "CheckKind", "CheckResult", "Trust"]


@functools.total_ordering
class Trust(enum.Enum):
    """How far a mail can be trusted: ``FORGED < UNVERIFIED < FORWARDER < AMAZON``.

    ``TEMPORARY`` stands outside of that order: DNS did not answer, and nothing is known yet. Comparing it by size raises TypeError.
    """

    FORGED = "forged"
    """Its sender is made to look like Amazon, or a server the user named says that it is not who it claims to be."""
    UNVERIFIED = "unverified"
    """Nothing proves it. A signature that merely no longer verifies (a rotated key, a footer added on the way) ends here too."""
    FORWARDER = "forwarder"
    """From an address or a domain that the user named as the seller's own, and proved to be."""
    AMAZON = "amazon"
    """From Amazon itself, and proved to be."""
    TEMPORARY = "temporary"
    """DNS did not answer: try again later."""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Trust) or Trust.TEMPORARY in (self, other):
            return NotImplemented
        order = list(Trust)
        return order.index(self) < order.index(other)


CheckKind = Literal["from", "header", "authentication-results", "dkim", "arc", "intake"]
"""What was looked at: the sender, the form of the header, a named server's findings, a signature, an ARC chain, the intake's own rules."""

CheckResult = Literal["pass", "fail", "none", "neutral", "policy", "temperror", "permerror"]
"""The words of RFC 8601 section 2.7: ``policy`` is a signature that may be right, and is not accepted by rule."""


@attrs.frozen
class Check:
    """One thing that was looked at.

    Attributes:
        kind: What.
        result: How it came out.
        domain: The domain it is about; empty if none.
        detail: Why, in a few words for people. It names no address.
    """

    kind: CheckKind
    result: CheckResult
    domain: str = ""
    detail: str = ""


@attrs.frozen(kw_only=True)
class Authentication:
    """What checking a mail came to.

    Attributes:
        trust: How far it can be trusted.
        domain: The domain that was proved to have sent it; empty where nothing was.
        checks: What was looked at, in order.
        sender: The address in From, in its normal form, proved or not; empty unless there is exactly one.
        proved: The mail without the header fields that nothing vouches for. A header field that the signature does not cover can be
            added, or put in front of the genuine one, by anybody on the way (RFC 6376 section 8.15): what decides must be read from here.
            Empty where nothing was proved.
    """

    trust: Trust
    domain: str = ""
    checks: tuple[Check, ...] = ()
    sender: str = ""
    proved: bytes = attrs.field(default=b"", repr=False)
