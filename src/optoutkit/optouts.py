"""An opt-out: who does not want what is not critical, whose list says so, and why."""

import enum
from datetime import UTC, datetime
from typing import Any

import attrs

from optoutkit.identities import Identity

__all__ = ["SHARED", "OptOut", "Reason"]

SHARED = "*"
"""The list that holds for all sellers. It must be written out; nothing defaults to it."""


class Reason(enum.StrEnum):
    """Why a buyer is on the list, strongest first."""

    COMPLAINT = "complaint"
    BUYER_OPT_OUT = "buyer_opt_out"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"
    HARD_BOUNCE = "hard_bounce"

    __hash__ = str.__hash__  # that of its equals; and Enum's own, in Python, takes longer

    @property
    def strength(self) -> int:
        """Larger is stronger; where several entries match, the strongest is the one reported."""
        return _STRENGTH[self]


_STRENGTH = {reason: strength for strength, reason in enumerate(reversed(Reason))}


def _reason(value: Reason | str) -> Reason:
    return value if isinstance(value, Reason) else Reason(value)


def _utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"a time needs a time zone, such as datetime.now(UTC): {value!r}")
    return value.astimezone(UTC)


@attrs.frozen
class OptOut:
    """One entry of an opt-out list. One exists per (seller, identity, reason).

    Attributes:
        identity: The buyer's address, or an order of theirs.
        seller: Whose list: ``""`` is the owner of the store, :data:`SHARED` holds for all sellers.
        reason: Why.
        since: When the buyer opted out (UTC); None where an import does not say.
        expires_at: When it ceases to hold (UTC); None is never.
        source: Where it was learnt, in a few words or a Message-ID; for people.
        verified: Whether the notice was proved to be Amazon's. Only the intake sets it.

    Raises:
        ValueError: A time has no time zone.
    """

    identity: Identity
    seller: str = ""
    reason: Reason = attrs.field(default=Reason.BUYER_OPT_OUT, kw_only=True, converter=_reason)
    since: datetime | None = attrs.field(default=None, kw_only=True, converter=_utc)
    expires_at: datetime | None = attrs.field(default=None, kw_only=True, converter=_utc)
    source: str = attrs.field(default="", kw_only=True)
    verified: bool = attrs.field(default=False, kw_only=True)

    def in_force(self, at: datetime) -> bool:
        """Whether it has not expired at that time."""
        return self.expires_at is None or at < self.expires_at

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: the identity as its key, times in ISO 8601."""
        return {
            "identity": self.identity.key,
            "seller": self.seller,
            "reason": self.reason.value,
            "since": self.since.isoformat() if self.since else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "source": self.source,
            "verified": self.verified,
        }
