"""Values as they stand in the columns of the SQLite store: as in :mod:`optoutkit.stores.rows`, but for what takes less room.

- A digest is ``da:2026:…`` or ``do:2026:…``: its bytes in the order-preserving base64 of :data:`_LETTERS`, which is a third shorter
  than hex, and sorts alike.
- ``since`` and ``recorded_at`` are in whole seconds since 1970, in four bytes; a ``since`` that is not whole is in microseconds,
  with :data:`_NOT_WHOLE` added. What is compared in SQL stays in microseconds.
- Notices come through Amazon SES (amazon.md section g). A source that is a Message-ID in the form of that service is kept as the
  bytes of its hex digits and the first label of its domain.
"""

import base64
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from optoutkit.identities import Address, Digest, Identity
from optoutkit.optouts import OptOut
from optoutkit.stores import rows
from optoutkit.stores.arguments import checked_identity

__all__ = [
    "column_of",
    "columns_of",
    "identity_of",
    "opt_out_of",
    "packed_source",
    "packed_time",
    "repacked_key",
    "repacked_time",
    "whole_seconds",
]

_LETTERS = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_LETTERS = bytes.maketrans(_BASE64, _LETTERS)
_TO_BASE64 = str.maketrans(_LETTERS.decode(), _BASE64.decode())
_KINDS: dict[str, Literal["address", "order"]] = {"a": "address", "o": "order"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_OF_A_DAY = 86_400
_MICROSECONDS = 1_000_000
_NOT_WHOLE = 2**60
"""More microseconds than there are to the year 9999, and less than SQLite's integers hold."""

_SES_SHAPE = b"<0000000000000000-00000000-0000-0000-0000-000000000000-000000@"
_HEX_AS_ZERO = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_SES_END = ".amazonses.com>"


def column_of(identity: Identity) -> str:
    """An identity as it stands in the columns ``key``, ``order_key`` and ``address_key``.

    Raises:
        TypeError: It is none.
    """
    if isinstance(identity, Address):
        return f"a{identity.key[7:]}"
    if isinstance(identity, Digest):
        return f"d{identity.kind[0]}:{identity.key_id}:{base64.b64encode(identity.value)[:22].translate(_TO_LETTERS).decode()}"
    return f"o{checked_identity(identity).key[5:]}"


def identity_of(column: str) -> Identity:
    """The inverse of :func:`column_of`.

    Raises:
        StoreCorrupt: Nothing this store writes looks like that.
    """
    try:
        if not column.startswith("d"):
            return rows.identity_of(column)
        kind, key_id, value = column[1:].split(":")
        digest = Digest(_KINDS[kind], key_id, base64.b64decode(value.translate(_TO_BASE64) + "=="))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise rows.damaged() from error
    if column_of(digest) != column:
        raise rows.damaged()
    return digest


def whole_seconds(at: datetime) -> int:
    """A time as it stands in the column ``recorded_at``."""
    since_epoch = at - _EPOCH
    return since_epoch.days * _SECONDS_OF_A_DAY + since_epoch.seconds


def packed_time(at: datetime | None) -> int | None:
    """A time as it stands in the column ``since``; None stays None."""
    if at is None:
        return None
    since_epoch = at - _EPOCH
    seconds = since_epoch.days * _SECONDS_OF_A_DAY + since_epoch.seconds
    return seconds * _MICROSECONDS + since_epoch.microseconds + _NOT_WHOLE if since_epoch.microseconds else seconds


def packed_source(source: str) -> str | bytes:
    """A source as it stands in its column."""
    if not source.endswith(_SES_END):
        return source
    text = source.encode()
    if not text.translate(_HEX_AS_ZERO).startswith(_SES_SHAPE):
        return source
    return unhexlify(text[1:61].translate(None, b"-")) + text[62 : -len(_SES_END)]


def columns_of(entries: Sequence[OptOut]) -> list[list[Any]]:
    """Entries as the statements that write one take them: key, reason, since, expires_at, verified, source.

    They come as columns, as ten thousand rows would have Python look for garbage, and in the order of the file, in which it is much
    faster to write them.
    """
    keys = [column_of(entry.identity) for entry in entries]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    told = [entries[index] for index in order]
    return [
        [keys[index] for index in order],
        [rows.REASON_CODES[entry.reason] for entry in told],
        [packed_time(entry.since) for entry in told],
        [rows.micros(entry.expires_at) for entry in told],
        [entry.verified for entry in told],
        list(_packed_sources(told)),
    ]


def _packed_sources(told: Iterable[OptOut]) -> Iterator[str | bytes]:
    source, packed = "", packed_source("")
    for entry in told:
        if entry.source != source:  # what is recorded together often has one source
            source, packed = entry.source, packed_source(entry.source)
        yield packed


def opt_out_of(  # noqa: PLR0917 - the columns, in their order
    identity: Identity, seller: str, reason: int, since: int | None, expires_at: int | None, verified: int, source: str | bytes
) -> OptOut:
    """Read an entry from its columns.

    Raises:
        StoreCorrupt: Nothing this store writes looks like that.
    """
    try:
        if isinstance(source, bytes):
            source = _unpacked_source(source)
        return OptOut(
            identity,
            seller,
            reason=rows.REASONS[reason],
            since=None if since is None else _unpacked_time(since),
            expires_at=None if expires_at is None else rows.moment(expires_at),
            verified=verified == 1,
            source=source,
        )
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise rows.damaged() from error


def _unpacked_time(since: int) -> datetime | None:
    return rows.moment(since - _NOT_WHOLE) if since > _NOT_WHOLE // 2 else _EPOCH + timedelta(0, since)


def _unpacked_source(source: bytes) -> str:
    digits = source[:27].hex()
    parts = f"{digits[:16]}-{digits[16:24]}-{digits[24:28]}-{digits[28:32]}-{digits[32:36]}-{digits[36:48]}-{digits[48:]}"
    return f"<{parts}@{source[27:].decode(errors='replace')}{_SES_END}"


def repacked_key(column: str) -> str:
    """A key of version 1 of the schema as it stands there now."""
    return column_of(rows.identity_of(column)) if column.startswith("d") else column


def repacked_time(at: int | None) -> int | None:
    """A ``since`` of version 1, in microseconds."""
    return packed_time(rows.moment(at))
