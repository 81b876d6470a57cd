"""Giving identities another name in the store for any database, in all lists at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from optoutkit.stores.batches import chunks, outcome
from optoutkit.stores.rows import identity_of, micros, opt_out_of
from optoutkit.stores.sqlalchemy import tables as sql
from optoutkit.stores.sqlalchemy.core import sa

__all__ = ["rekey"]

_CHUNK = 500


def rekey(connection: sa.Connection, names: Iterable[tuple[str, str]], now: datetime) -> None:
    """Do what :class:`optoutkit.stores.hashed.Rekeyable` tells.

    Args:
        connection: In a transaction.
        names: Old and new keys, as they stand in the columns.
        now: The time by which to judge what is in force.
    """
    sellers = sorted(connection.scalars(sql.SELLERS))
    for old, new in names:
        for chunk in chunks(sellers, _CHUNK):
            name = {"sellers": chunk, "old_key": old, "new_key": new}
            _move_entries(connection, name, now)
            connection.execute(sql.RENAME_WITHDRAWALS, name)
            _move_orders(connection, name)
            connection.execute(sql.RENAME_ADDRESS, name)


def _move_entries(connection: sa.Connection, name: dict[str, Any], now: datetime) -> None:
    old, new = name["old_key"], name["new_key"]
    rows = connection.execute(sql.ENTRIES_NAMED, name).all()
    there = {(row.seller, row.reason): row for row in rows if row.entry_key == new}
    for row in rows:
        if row.entry_key != old:
            continue
        at_old = {"of_seller": row.seller, "of_key": old, "of_reason": row.reason}
        at_new = {**at_old, "of_key": new}
        other = there.get((row.seller, row.reason))
        if other is None:
            connection.execute(sql.RENAME_ENTRY, {**at_old, "new_key": new})
            continue
        if not row.withdrawn:
            told = opt_out_of(identity_of(new), row.seller, row.reason, row.since, row.expires_at, row.verified, row.source)
            known = (other.withdrawn, other.withdrawn_at, other.since, other.expires_at, other.verified, other.source)
            entry, _ = outcome([told], known, now)
            if entry is not None:
                values = sql.values_of(entry, micros(now) if other.withdrawn else other.recorded_at)
                connection.execute(sql.UPDATE_ENTRY, {**at_new, **{f"new_{column}": value for column, value in values.items()}})
        if row.withdrawn_at is not None:
            latest = max(row.withdrawn_at, other.withdrawn_at or row.withdrawn_at)
            connection.execute(sql.JOIN_ENTRY, {**at_new, "new_withdrawn_at": latest})
        connection.execute(sql.DELETE_ENTRY, at_old)


def _move_orders(connection: sa.Connection, name: dict[str, Any]) -> None:
    old, new = name["old_key"], name["new_key"]
    links = {(row.seller, row.order_key) for row in connection.execute(sql.ORDERS_NAMED, name)}
    for seller, order in sorted(links):
        if order == old:
            at = {"of_seller": seller, "of_order": old}
            if (seller, new) in links:  # which holds
                connection.execute(sql.DELETE_ORDER, at)
            else:
                connection.execute(sql.RENAME_ORDER, {**at, "new_key": new})
