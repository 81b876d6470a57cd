"""Giving identities another name in the PostgreSQL store, in all lists at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from optoutkit.flows import Flow, ask
from optoutkit.optouts import OptOut
from optoutkit.stores.batches import Place, chunks, columns_of
from optoutkit.stores.postgresql import statements as sql
from optoutkit.stores.postgresql.requests import Query, Rows
from optoutkit.stores.rows import identity_of, opt_out_of

__all__ = ["rekey"]

_CHUNK = 10_000


def rekey(names: Sequence[tuple[str, str]], record: Callable[[Mapping[Place, Sequence[OptOut]]], Flow[object]]) -> Flow[None]:
    """Do what :class:`optoutkit.stores.hashed.Rekeyable` tells.

    The round trips do not grow with the names, unless some are named more than once, as with several older secrets.

    Args:
        names: Old and new keys, as they stand in the columns.
        record: Merges what is told of entries into what is there.
    """
    yield from ask(Query(sql.ONE_REKEY_AT_A_TIME))
    sellers = [seller for (seller,) in (yield from ask(Query(sql.SELLERS)))]
    for apart in _apart(names):
        for chunk in chunks(sorted(apart), _CHUNK):
            old, new = columns_of(chunk)
            named = {"sellers": sellers, "old": old, "new": new}
            rows = yield from ask(Query(sql.MOVE_ENTRIES, named))
            if rows:
                yield from _merge(rows, record)
            yield from ask(Query(sql.MOVE_WITHDRAWALS, named))
            if (yield from ask(Query(sql.LOCK_LINKS_NAMED, named))):
                yield from ask(Query(sql.MOVE_ORDERS, named))
                yield from ask(Query(sql.RENAME_ADDRESSES, named))


def _apart(names: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The names in as few sets as can be one after another, so that in none of them a name is there twice."""
    sets: list[list[tuple[str, str]]] = []
    begun: dict[str, int] = {}
    for old, new in names:
        number = max(begun.get(old, 0), begun.get(new, 0))
        if number == len(sets):
            sets.append([])
        sets[number].append((old, new))
        begun[old] = begun[new] = number + 1
    return sets


def _merge(rows: Rows, record: Callable[[Mapping[Place, Sequence[OptOut]]], Flow[object]]) -> Flow[None]:
    """Merge entries that were moved into those which stand in their places."""
    told: dict[Place, list[OptOut]] = {}
    withdrawn: Rows = []
    for seller, key, reason, is_withdrawn, withdrawn_at, *columns in sorted(rows, key=lambda row: row[:3]):
        if not is_withdrawn:
            told[seller, key, reason] = [opt_out_of(identity_of(key), seller, reason, *columns)]
        if withdrawn_at is not None:
            withdrawn.append((seller, key, reason, withdrawn_at))
    if told:
        yield from record(told)
    if withdrawn:
        yield from ask(Query(sql.JOIN_WITHDRAWALS, columns_of(withdrawn)))
