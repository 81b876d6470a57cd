"""The value OptOut and its reasons."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from optoutkit.identities import Address
from optoutkit.optouts import SHARED, OptOut, Reason

ANNA = Address("anna@example.com")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_reasons_have_an_order() -> None:
    """Complaint is the strongest, a hard bounce the weakest."""
    ranked = sorted(Reason, key=lambda reason: -reason.strength)
    assert ranked == [Reason.COMPLAINT, Reason.BUYER_OPT_OUT, Reason.UNSUBSCRIBE, Reason.MANUAL, Reason.HARD_BOUNCE]


def test_defaults() -> None:
    """A bare opt-out is the owner's, by the buyer, for ever, unproved."""
    entry = OptOut(ANNA)
    assert (entry.seller, entry.reason, entry.since, entry.expires_at, entry.verified) == ("", Reason.BUYER_OPT_OUT, None, None, False)
    assert entry.seller != SHARED


def test_times_are_utc() -> None:
    """Aware times are converted, naive ones refused."""
    entry = OptOut(ANNA, since=NOON.astimezone(timezone(timedelta(hours=9))))
    assert entry.since == NOON
    assert entry.since is not None
    assert entry.since.tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"):
        OptOut(ANNA, expires_at=datetime(2026, 5, 1))  # noqa: DTZ001 - the point of the test


def test_reason_by_name() -> None:
    """A reason may come as text, from a file; an unknown one is refused."""
    assert OptOut(ANNA, reason="complaint").reason is Reason.COMPLAINT
    with pytest.raises(ValueError, match="whim"):
        OptOut(ANNA, reason="whim")


def test_expiry() -> None:
    """It holds up to its last moment, and for ever without one."""
    assert OptOut(ANNA).in_force(NOON)
    assert OptOut(ANNA, expires_at=NOON).in_force(NOON - timedelta(microseconds=1))
    assert not OptOut(ANNA, expires_at=NOON).in_force(NOON)
