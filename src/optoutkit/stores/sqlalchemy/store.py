"""The store in any database that SQLAlchemy knows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

from optoutkit.identities import Digest, Identity
from optoutkit.optouts import OptOut
from optoutkit.stores import arguments, rules
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, EraseReport, LinkPair, LinkReport, RecordReport, utc_now
from optoutkit.stores.batches import Links, Place, answer, asked_by_column, chunks, named_seller, outcome, told_by_place
from optoutkit.stores.pooled import DEFAULT_POOL_SIZE, DEFAULT_TIMEOUT, checked_pool_size, checked_timeout
from optoutkit.stores.rows import REASON_CODES, column_of, identity_of, micros, opt_out_of
from optoutkit.stores.sqlalchemy import tables as sql
from optoutkit.stores.sqlalchemy.core import sa
from optoutkit.stores.sqlalchemy.database import Database
from optoutkit.stores.sqlalchemy.rekeying import rekey

__all__ = ["SqlAlchemyStore"]

_CHUNK = 500
"""Identities in one statement, entries in one page of a scan."""


class SqlAlchemyStore:
    """An :class:`~optoutkit.OptOutStore` in a database that SQLAlchemy knows. MySQL, MariaDB and SQLite are tested.

    For PostgreSQL and for a file there are stores that are faster and say more when something goes wrong. Tables are made in the
    database that the URL names; their names begin with ``optoutkit_``.

    Args:
        url: Where the database is, as SQLAlchemy reads it: ``mysql+pymysql://user:password@host/database``.
        link_days: For how many days a link that leads to no opt-out is kept after it was last learnt.
        timeout: How many seconds to wait for a free connection; with PyMySQL, mysqlclient and SQLite also for the database.
        pool_size: How many connections to have at most.
        clock: Tells the time; for tests.

    Raises:
        InvalidUri: There is no such dialect, its driver is not installed, or the URL cannot be read.
        StoreUnavailable: The database does not answer, or refuses the connection.
        StoreCorrupt: Its tables are not ours.
        StoreVersionError: They were written by a newer optoutkit.
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        url: str,
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        pool_size: int = DEFAULT_POOL_SIZE,
        clock: Clock = utc_now,
    ) -> None:
        self._link_days = arguments.checked_link_days(link_days)
        self._clock = clock
        self._database = Database(url, pool_size=checked_pool_size(pool_size), timeout=checked_timeout(timeout))
        self._connect()

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = asked_by_column(identities)
        named_seller(seller)
        at = at and arguments.aware(at)
        by_kind: dict[str, list[str]] = defaultdict(list)
        for column, identity in asked.items():
            by_kind[identity.kind].append(column)

        def work(connection: sa.Connection) -> list[sa.Row[Any]]:
            return [
                row
                for kind, columns in by_kind.items()
                for chunk in chunks(columns, _CHUNK)
                for row in connection.execute(sql.LOOK_UP[kind], {"of_seller": seller, "keys": chunk})
            ]

        return answer(self._database.read(work), asked, seller, lambda: at or self._clock())

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        places = told_by_place(told)
        now = self._clock()
        by_seller: dict[str, list[Place]] = defaultdict(list)
        for place in places:
            by_seller[place[0]].append(place)

        def work(connection: sa.Connection) -> int:
            new = sum(
                _record(connection, seller, {place: places[place] for place in chunk}, now)
                for seller, of_seller in by_seller.items()
                for chunk in chunks(of_seller, _CHUNK)
            )
            self._review_links(connection, now, len(told))
            return new

        new = self._database.write(work)
        return RecordReport(new=new, known=len(told) - new)

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = Links(arguments.pairs_of(pairs))
        named_seller(seller)
        now = self._clock()

        def work(connection: sa.Connection) -> LinkReport:
            report = _link(connection, told, seller, replace=replace, today=rules.link_day(now))
            self._review_links(connection, now, len(told.pairs))
            return report

        return self._database.write(work)

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = list(asked_by_column(identities))
        named_seller(seller)
        why = arguments.clean(why)
        now = self._clock()

        def work(connection: sa.Connection) -> int:
            count = sum(_withdraw(connection, seller, chunk, why, now) for chunk in _clusters(connection, seller, asked))
            self._review_links(connection, now, len(asked))
            return count

        return self._database.write(work)

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        asked = list(asked_by_column(identities))
        named_seller(seller)
        now = self._clock()

        def work(connection: sa.Connection) -> int:
            count = 0
            for chunk in _clusters(connection, seller, asked):
                of = {"of_seller": seller, "keys": chunk}
                count += connection.execute(sql.DELETE_ENTRIES, of).rowcount
                connection.execute(sql.DELETE_WITHDRAWALS, of)
                connection.execute(sql.DELETE_LINKS, of)
            self._review_links(connection, now, len(asked))
            return count

        return EraseReport(erased=self._database.write(work))

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`. Between two pages no connection is held."""
        named_seller(seller)
        last, reason = ("", 0) if after is None else (column_of(after), max(REASON_CODES.values()))
        while True:
            at = {"of_seller": seller, "last": last, "last_reason": reason, "limit": _CHUNK}
            rows = self._database.read(partial(_all, sql.PAGE, at))
            if not rows:
                return
            for key, *row in rows:
                yield opt_out_of(identity_of(key), seller, *row)
            last, reason = rows[-1][:2]

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """See :class:`optoutkit.stores.TellsLinks`. Between two pages no connection is held."""
        named_seller(seller)
        last = ""
        while rows := self._database.read(partial(_all, sql.LINK_PAGE, {"of_seller": seller, "last": last, "limit": _CHUNK})):
            for order, address in rows:
                yield cast("LinkPair", (identity_of(order), identity_of(address)))
            last = rows[-1][0]

    def sellers(self) -> list[str]:
        """See :class:`optoutkit.stores.TellsSellers`."""
        return sorted(seller for (seller,) in self._database.read(partial(_all, sql.SELLERS, {})))

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.Rekeyable`."""
        names = [(column_of(old), column_of(new)) for old, new in arguments.rekey_pairs(pairs)]
        now = self._clock()
        self._database.write(lambda connection: rekey(connection, names, now))

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        self._database.write(lambda connection: connection.execute(sql.FORGET_LINK, {"of_seller": "", "of_order": "", "due": 0}).rowcount)

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _connect(self) -> None:
        """Find out whether the database is there, and ours."""
        self._database.read(lambda _: None)

    def _review_links(self, connection: sa.Connection, now: datetime, written: int) -> None:
        """Forget or refresh some of the links that are due; see :func:`rules.oldest_day_kept`."""
        due = rules.oldest_day_kept(now, self._link_days)
        limits = {"now": micros(now), "due": due, "limit": rules.links_to_review(written)}
        forgotten: list[dict[str, Any]] = []
        needed: list[dict[str, Any]] = []
        for seller, order, leads_to_opt_out in _all(sql.LINKS_DUE, limits, connection):
            link = {"of_seller": seller, "of_order": order, "due": due}
            (needed if leads_to_opt_out else forgotten).append(link)
        if forgotten:
            connection.execute(sql.FORGET_LINK, forgotten)
        if needed:
            connection.execute(sql.REFRESH_LINK, [{**link, "new_day": rules.link_day(now)} for link in needed])


def _all(statement: "sa.Executable", parameters: Mapping[str, Any], connection: sa.Connection) -> list[Any]:
    return list(connection.execute(statement, parameters))


def _record(connection: sa.Connection, seller: str, told: Mapping[Place, list[OptOut]], now: datetime) -> int:
    """Merge what was told of each entry into what is there; tell how many are new."""
    keys = list(dict.fromkeys(key for _, key, _ in told))
    known = {(seller, row[0], row[1]): row for row in connection.execute(sql.ENTRIES_OF, {"of_seller": seller, "keys": keys})}
    made, changed = [], []
    new = 0
    for place, opt_outs in told.items():
        row = known.get(place)
        entry, count = outcome(opt_outs, None if row is None else row[2:8], now)
        new += count
        if entry is None:
            continue
        if row is None:
            made.append({"seller": seller, "entry_key": place[1], "reason": place[2], **sql.values_of(entry, micros(now))})
        else:  # what is in force again was recorded now, what merely learns more when it was first recorded
            values = sql.values_of(entry, micros(now) if row.withdrawn else row.recorded_at)
            changed.append({**_here(*place), **{f"new_{name}": value for name, value in values.items()}})
    if made:
        connection.execute(sa.insert(sql.ENTRY), made)
    if changed:
        connection.execute(sql.UPDATE_ENTRY, changed)
    return new


def _here(seller: str, key: str, reason: int) -> dict[str, Any]:
    return {"of_seller": seller, "of_key": key, "of_reason": reason}


def _link(connection: sa.Connection, told: Links, seller: str, *, replace: bool, today: int) -> LinkReport:
    """Judge links by what is there, and write those that change."""
    orders = list(told.orders)
    report, changed = told.judge(_known_links(connection, sql.LINKS_OF, seller, orders), replace=replace, today=today)
    if changed:  # what is known of today is looked at without a lock
        known = _known_links(connection, sql.LOCK_LINKS, seller, orders)
        report, changed = told.judge(known, replace=replace, today=today)
        made = [
            {"seller": seller, "order_key": order, "address_key": address, "day": today}
            for order, address in sorted(changed.items())
            if order not in known
        ]
        moved = [
            {"of_seller": seller, "of_order": order, "new_address_key": address, "new_day": today}
            for order, address in sorted(changed.items())
            if order in known
        ]
        if made:
            connection.execute(sa.insert(sql.LINK), made)
        if moved:
            connection.execute(sql.UPDATE_LINK, moved)
    return report


def _known_links(connection: sa.Connection, statement: "sa.Executable", seller: str, orders: list[str]) -> dict[str, tuple[str, int]]:
    return {
        order: (address, day)
        for chunk in chunks(orders, _CHUNK)
        for order, address, day in _all(statement, {"of_seller": seller, "keys": chunk}, connection)
    }


def _clusters(connection: sa.Connection, seller: str, asked: list[str]) -> Iterator[list[str]]:
    """The clusters of the identities in one list, in pieces, in the order of the keys."""
    found = set(asked)
    for statement in (sql.CLUSTER_ADDRESSES, sql.CLUSTER_ORDERS):
        for chunk in chunks(sorted(found), _CHUNK):
            found |= set(connection.scalars(statement, {"of_seller": seller, "keys": chunk}))
    return (list(chunk) for chunk in chunks(sorted(found), _CHUNK))


def _withdraw(connection: sa.Connection, seller: str, keys: list[str], why: str, now: datetime) -> int:
    at = cast("int", micros(now))
    rows = [row for row in connection.execute(sql.ENTRIES_OF, {"of_seller": seller, "keys": keys}) if not row.withdrawn]
    if rows:
        connection.execute(
            sa.insert(sql.WITHDRAWAL),
            [
                {"seller": seller, "withdrawn_at": at, "why": why, **{name: getattr(row, name) for name in sql.KEPT_IN_HISTORY}}
                for row in rows
            ],
        )
        connection.execute(
            sql.WITHDRAW_ENTRY,
            [{**_here(seller, row.entry_key, row.reason), "new_withdrawn_at": max(row.withdrawn_at or at, at)} for row in rows],
        )
    return len(rows)
