"""Values as they stand in the columns of the stores in SQL databases, small and in an order that is that of the keys.

- An identity is its key with the first word cut to its first letter: ``a:abc@example.com``, ``o:302-…``, ``d:address:…``.
  That sorts as the whole key does.
- A reason is a number, the strongest the least, with room between them.
- A time is in microseconds since 1970, UTC.
"""

from datetime import UTC, datetime, timedelta

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Identity, identity_from_key
from optoutkit.optouts import OptOut, Reason

__all__ = ["REASONS", "REASON_CODES", "column_of", "damaged", "identity_of", "micros", "moment", "opt_out_of"]

REASON_CODES = {
    Reason.COMPLAINT: 10,
    Reason.BUYER_OPT_OUT: 20,
    Reason.UNSUBSCRIBE: 30,
    Reason.MANUAL: 40,
    Reason.HARD_BOUNCE: 50,
}

REASONS = {code: reason for reason, code in REASON_CODES.items()}
_WORDS = {"a": "address", "d": "digest", "o": "order"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def column_of(identity: Identity) -> str:
    """An identity as it stands in the columns ``key``, ``order_key`` and ``address_key``."""
    key = identity.key
    return key[0] + key[key.index(":") :]


def identity_of(column: str) -> Identity:
    """The inverse of :func:`column_of`.

    Raises:
        StoreCorrupt: Nothing this store writes looks like that.
    """
    try:
        return identity_from_key(_WORDS[column[0]] + column[1:])
    except (LookupError, TypeError, ValueError) as error:
        raise damaged() from error


def micros(at: datetime | None) -> int | None:
    """A time as it stands in the columns; None stays None."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def moment(column: int | None) -> datetime | None:
    """The inverse of :func:`micros`."""
    return None if column is None else _EPOCH + timedelta(0, 0, column)  # by position: in half the time


def opt_out_of(  # noqa: PLR0917 - the columns, in their order
    identity: Identity, seller: str, reason: int, since: int | None, expires_at: int | None, verified: int, source: str
) -> OptOut:
    """Read an entry from its columns.

    Raises:
        StoreCorrupt: Nothing this store writes looks like that.
    """
    try:
        return OptOut(
            identity,
            seller,
            reason=REASONS[reason],
            since=moment(since),
            expires_at=moment(expires_at),
            verified=verified == 1,
            source=source,
        )
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise damaged() from error


def damaged() -> StoreCorrupt:
    """What to raise for a value that cannot be."""
    return StoreCorrupt("the store holds something that no optoutkit has written: restore it from a backup")
