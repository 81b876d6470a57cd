"""The verbs of the PostgreSQL store, as flows; free of I/O.

A verb that only reads is a statement for each chunk of a batch, outside of any transaction. One that writes is a transaction. What
is new is inserted by one statement; what was there already is locked, merged by the rules that all stores share, and updated.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

from optoutkit.flows import Flow, ask
from optoutkit.identities import Digest, Identity
from optoutkit.optouts import OptOut
from optoutkit.stores import arguments, rules
from optoutkit.stores.base import Clock, LinkPair, LinkReport, RecordReport
from optoutkit.stores.batches import Links, Place, answer, asked_by_column, chunks, columns_of, named_seller, outcome, row_of, told_by_place
from optoutkit.stores.postgresql import schema
from optoutkit.stores.postgresql import statements as sql
from optoutkit.stores.postgresql.rekeying import rekey
from optoutkit.stores.postgresql.requests import Probe, Query, Rows
from optoutkit.stores.rows import REASON_CODES, column_of, identity_of, micros, opt_out_of

__all__ = ["Verbs", "Work", "link_page", "nothing", "page", "place_after", "place_of", "sellers"]

T = TypeVar("T")
Work = Callable[[], Flow[T]]
"""Something to do on a connection. It may be called again, if a connection turns out to be lost."""

_CHUNK = 1000
"""Identities in one lookup, entries in one page of a scan."""

_WRITTEN_CHUNK = 10_000
"""Rows in one statement that writes."""

_BEFORE_ALL = ("", 0)
_AFTER_ALL_REASONS = max(REASON_CODES.values()) + 1


class Verbs:
    """What is to be done for each verb. Arguments are checked at once.

    Args:
        link_days: For how many days a link that leads to no opt-out is kept.
        clock: Tells the time.
        timeout: How many seconds a statement that writes may take.
    """

    def __init__(self, *, link_days: int, clock: Clock, timeout: float) -> None:
        self._link_days = arguments.checked_link_days(link_days)
        self._clock = clock
        self._begin = sql.BEGIN.replace("{milliseconds}", str(max(1, round(timeout * 1000))))

    def lookup(self, identities: Iterable[Identity], seller: str, at: datetime | None) -> Work[Mapping[Identity, OptOut]]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = asked_by_column(identities)
        named_seller(seller)
        at = at and arguments.aware(at)
        return partial(_look_up_one if len(asked) == 1 else _look_up, asked, seller, lambda: at or self._clock())

    def record(self, opt_outs: Iterable[OptOut]) -> Work[RecordReport]:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        now = self._clock()
        return partial(self._write, partial(_record, told_by_place(told), len(told), now), len(told), now)

    def link(self, pairs: Iterable[LinkPair], seller: str, *, replace: bool) -> Work[LinkReport]:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = Links(arguments.pairs_of(pairs))
        now = self._clock()
        return partial(self._write, partial(_link, told, named_seller(seller), replace, rules.link_day(now)), len(told.pairs), now)

    def withdraw(self, identities: Iterable[Identity], seller: str, why: str) -> Work[int]:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = list(asked_by_column(identities))
        now = self._clock()
        more = {"seller": named_seller(seller), "now": micros(now), "why": arguments.clean(why)}
        return partial(self._write, partial(_count, sql.WITHDRAW, asked, more), len(asked), now)

    def erase(self, identities: Iterable[Identity], seller: str) -> Work[int]:
        """See :meth:`optoutkit.OptOutStore.erase`; gives how many entries are gone."""
        asked = list(asked_by_column(identities))
        return partial(self._write, partial(_count, sql.ERASE, asked, {"seller": named_seller(seller)}), len(asked), self._clock())

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> Work[None]:
        """See :class:`optoutkit.stores.Rekeyable`."""
        names = [(column_of(old), column_of(new)) for old, new in arguments.rekey_pairs(pairs)]
        now = self._clock()
        return partial(self._write, partial(rekey, names, lambda told: _record(told, len(told), now)), len(names), now)

    def health(self) -> Work[Rows]:
        """See :meth:`optoutkit.OptOutStore.health`."""
        return partial(self._write, partial(ask, Query(sql.HEALTH)), 0, self._clock())

    def _write(self, work: Work[T], written: int, now: datetime) -> Flow[T]:
        """The work as a transaction, which is on the server's disk when it ends, and which forgets some links that are due."""
        schema.check_version((yield from ask(Query(self._begin))))
        result = yield from work()
        yield from self._review_links(now, written)
        yield from ask(Query(sql.COMMIT))
        return result

    def _review_links(self, now: datetime, written: int) -> Flow[None]:
        """Forget or refresh some of the links that are due; see :func:`rules.oldest_day_kept`."""
        limits = micros(now), rules.oldest_day_kept(now, self._link_days), rules.links_to_review(written)
        due = yield from ask(Query(sql.LINKS_DUE, limits))
        needed = [link[:2] for link in due if link[2]]
        forgotten = [link[:2] for link in due if not link[2]]
        if needed:
            yield from ask(Query(sql.REFRESH_LINKS, (rules.link_day(now), *columns_of(needed))))
        if forgotten:
            yield from ask(Query(sql.FORGET_LINKS, columns_of(forgotten)))


def place_after(identity: Identity | None) -> tuple[str, int]:
    """The place from which a scan goes on after an identity, or begins."""
    return _BEFORE_ALL if identity is None else (column_of(identity), _AFTER_ALL_REASONS)


def place_of(opt_out: OptOut) -> tuple[str, int]:
    """The place of an entry in a scan."""
    return column_of(opt_out.identity), REASON_CODES[opt_out.reason]


def page(seller: str, last: tuple[str, int]) -> Flow[list[OptOut]]:
    """The entries of one list after a place; none after the last."""
    rows = yield from ask(Query(sql.PAGE, (seller, *last, _CHUNK)))
    return [opt_out_of(identity_of(row[0]), seller, *row[1:]) for row in rows]


def link_page(seller: str, last: str) -> Flow[list[LinkPair]]:
    """The links of one list after an order's column; none after the last."""
    rows = yield from ask(Query(sql.LINK_PAGE, (seller, last, _CHUNK)))
    return [cast("LinkPair", (identity_of(order), identity_of(address))) for order, address in rows]


def sellers() -> Flow[list[str]]:
    """See :class:`optoutkit.stores.TellsSellers`."""
    return [seller for (seller,) in (yield from ask(Query(sql.SELLERS)))]


def nothing() -> Flow[None]:
    """Connect, and do no more."""
    yield from ()


def _look_up_one(asked: Mapping[str, Identity], seller: str, clock: Clock) -> Flow[Mapping[Identity, OptOut]]:
    ((column, identity),) = asked.items()
    rows = yield from ask(Probe(sql.LOOK_UP_ONE[identity.kind], (seller, column)))
    return answer(rows, asked, seller, clock) if rows else {}


def _look_up(asked: Mapping[str, Identity], seller: str, clock: Clock) -> Flow[Mapping[Identity, OptOut]]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for column, identity in asked.items():
        by_kind[identity.kind].append(column)
    rows: Rows = []
    for kind, columns in by_kind.items():
        for chunk in chunks(columns, _CHUNK):
            rows += yield from ask(Query(sql.LOOK_UP[kind], {"seller": seller, "asked": chunk}))
    return answer(rows, asked, seller, clock)


def _count(statement: str, asked: Sequence[str], more: Mapping[str, Any]) -> Flow[int]:
    """Do something to the clusters of identities, and tell to how many entries."""
    count = 0
    for chunk in chunks(asked, _WRITTEN_CHUNK):
        ((done,),) = yield from ask(Query(statement, {"asked": chunk, **more}))
        count += done
    return count


def _record(told: Mapping[Place, Sequence[OptOut]], number: int, now: datetime) -> Flow[RecordReport]:
    new = 0
    for chunk in chunks(list(told), _WRITTEN_CHUNK):
        new += yield from _record_chunk(chunk, told, now)
    return RecordReport(new=new, known=number - new)


def _record_chunk(places: Sequence[Place], told: Mapping[Place, Sequence[OptOut]], now: datetime) -> Flow[int]:
    """Merge what was told of each entry into what is there; tell how many are new."""
    new = 0
    changed: dict[Place, OptOut] = {}
    pending = list(places)
    while pending:  # again only for what somebody erases in between
        unknown = [outcome(told[place], None, now) for place in pending]
        rows = [row_of(place, cast("OptOut", entry)) for place, (entry, _) in zip(pending, unknown, strict=True)]
        there = {number - 1 for (number,) in (yield from ask(Query(sql.NEW_ENTRIES, (*columns_of(rows), micros(now)))))}
        new += sum(count for index, (_, count) in enumerate(unknown) if index not in there)
        pending = [pending[index] for index in sorted(there)]
        rows = (yield from ask(Query(sql.ENTRIES_OF, columns_of(pending)))) if pending else []
        found = {row[:3]: row[3:] for row in rows}
        for place, row in found.items():
            entry, count = outcome(told[place], row, now)
            new += count
            if entry is not None:
                changed[place] = entry
        pending = [place for place in pending if place not in found]
    if changed:
        rows = [row_of(place, entry) for place, entry in changed.items()]
        yield from ask(Query(sql.UPDATE_ENTRIES, (micros(now), *columns_of(rows))))
    return new


def _link(told: Links, seller: str, replace: bool, today: int) -> Flow[LinkReport]:
    """Judge links by what is there, and write those that change."""
    orders = told.orders
    known: dict[str, tuple[str, int]] = {}
    for chunk in chunks(list(orders), _WRITTEN_CHUNK):
        rows = yield from ask(Query(sql.LINKS_OF, (chunk, seller)))
        known |= {order: (address, day) for order, address, day in rows}
    report, changed = told.judge(known, replace=replace, today=today)
    if not changed:
        return report
    known.clear()
    made: dict[str, str] = {}
    for chunk in chunks(list(orders), _WRITTEN_CHUNK):
        pending = list(chunk)
        while pending:  # again only for what somebody erases in between
            addresses = [orders[order] for order in pending]
            new = {order for (order,) in (yield from ask(Query(sql.NEW_LINKS, (seller, today, pending, addresses))))}
            made |= {order: orders[order] for order in new}
            pending = [order for order in pending if order not in new]
            rows = (yield from ask(Query(sql.LOCK_LINKS, (pending, seller)))) if pending else []
            known |= {order: (address, day) for order, address, day in rows}
            pending = [order for order in pending if order not in known]
    report, changed = told.judge(known, replace=replace, today=today)
    changed = {order: address for order, address in changed.items() if made.get(order) != address}
    for chunk in chunks(list(changed), _WRITTEN_CHUNK):
        yield from ask(Query(sql.UPDATE_LINKS, (today, chunk, [changed[order] for order in chunk], seller)))
    return report
