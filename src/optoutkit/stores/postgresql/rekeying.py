"""Giving identities another name in the PostgreSQL store, in all lists at once."""

from collections.abc import Sequence
from datetime import datetime

from optoutkit.flows import Flow, ask
from optoutkit.stores.batches import columns_of, outcome, row_of
from optoutkit.stores.postgresql import statements as sql
from optoutkit.stores.postgresql.requests import Query, Rows
from optoutkit.stores.rows import identity_of, micros, opt_out_of

__all__ = ["rekey"]


def rekey(names: Sequence[tuple[str, str]], now: datetime) -> Flow[None]:
    """Do what :class:`optoutkit.stores.hashed.Rekeyable` tells.

    Args:
        names: Old and new keys, as they stand in the columns.
        now: The time by which to judge what is in force.
    """
    sellers = [seller for (seller,) in (yield from ask(Query(sql.SELLERS)))]
    for old, new in names:
        name = {"sellers": sellers, "old": old, "new": new}
        rows = yield from ask(Query(sql.ENTRIES_NAMED, name))
        if any(key == old for key, *_ in rows):
            yield from ask(Query(sql.RENAME_ENTRIES, name))
            if merged := _merged(rows, old, new, now):
                yield from ask(Query(sql.UPDATE_ENTRIES, (micros(now), *columns_of(merged))))
            yield from ask(Query(sql.JOIN_WITHDRAWALS, name))
            for statement in (sql.DELETE_ENTRIES, sql.RENAME_WITHDRAWALS):
                yield from ask(Query(statement, name))
        for statement in (sql.RENAME_ORDER, sql.RENAME_ADDRESS):
            yield from ask(Query(statement, name))


def _merged(rows: Rows, old: str, new: str, now: datetime) -> Rows:
    """What is to be written where there are entries under both names."""
    identity = identity_of(new)
    there = {(seller, reason): row for key, seller, reason, *row in rows if key == new}
    found: Rows = []
    for key, seller, reason, withdrawn, _, *columns in rows:
        if key == old and not withdrawn and (seller, reason) in there:
            entry, _ = outcome([opt_out_of(identity, seller, reason, *columns)], there[seller, reason], now)
            if entry is not None:
                found.append(row_of((seller, new, reason), entry))
    return found
