"""Giving identities another name in the SQLite store, in all lists at once."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from optoutkit.stores import rules
from optoutkit.stores.rows import moment
from optoutkit.stores.sqlite import statements as sql
from optoutkit.stores.sqlite.packing import columns_of, identity_of, opt_out_of, whole_seconds

__all__ = ["rekey"]


def rekey(connection: sqlite3.Connection, names: Iterable[tuple[str, str]], now: datetime) -> None:
    """Do what :class:`optoutkit.stores.hashed.Rekeyable` tells.

    Args:
        connection: In a transaction.
        names: Old and new keys, as they stand in the columns.
        now: The time by which to judge what is in force.
    """
    lists = [list_id for (list_id,) in connection.execute(sql.LISTS)]
    for old, new in names:
        for list_id in lists:
            _move_entries(connection, list_id, old, new, now)
            connection.execute(sql.RENAME_WITHDRAWALS, (new, list_id, old))
        connection.execute(sql.RENAME_ORDER, (new, old))
        connection.execute(sql.DELETE_ORDER, (old,))  # where the new one has a link of its own
        connection.execute(sql.RENAME_ADDRESS, (new, old))


def _move_entries(connection: sqlite3.Connection, list_id: int, old: str, new: str, now: datetime) -> None:
    moved = connection.execute(sql.ENTRIES_AT, (list_id, old)).fetchall()
    if not moved:
        return
    known = {row[1]: row for row in connection.execute(sql.ENTRIES_AT, (list_id, new))}
    withdrawn = {reason: at for _, reason, at in connection.execute(sql.WITHDRAWALS_AT, (list_id, new))}
    identity = identity_of(new)
    for _, reason, *columns in moved:
        there = known.get(reason)
        entry, _ = rules.admit(
            None if there is None else opt_out_of(identity, "", *there[1:]),
            opt_out_of(identity, "", reason, *columns),
            withdrawn_at=moment(withdrawn.get(reason)),
            now=now,
        )
        if entry is not None and there is None:
            connection.execute(sql.RENAME_ENTRY, (new, list_id, old, reason))  # which keeps the time at which it was recorded
        elif entry is not None:
            connection.executemany(sql.upsert_entry(list_id, whole_seconds(now)), zip(*columns_of([entry]), strict=True))
    connection.execute(sql.DELETE_ENTRIES, (list_id, old))
