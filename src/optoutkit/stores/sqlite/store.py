"""The SQLite store."""

import contextlib
import json
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self, cast

from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Digest, Identity
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import arguments, rules
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, EraseReport, LinkPair, LinkReport, RecordReport, utc_now
from optoutkit.stores.rows import REASON_CODES, micros, moment
from optoutkit.stores.sqlite import statements as sql
from optoutkit.stores.sqlite.connections import Connection, Connections, begin
from optoutkit.stores.sqlite.packing import column_of, columns_of, identity_of, opt_out_of, whole_seconds
from optoutkit.stores.sqlite.rekeying import rekey
from optoutkit.stores.sqlite.schema import OWN_LIST, SHARED_LIST

__all__ = ["DEFAULT_TIMEOUT", "SqliteStore"]

DEFAULT_TIMEOUT = 15.0
"""How many seconds to wait for a lock that another thread or process holds."""

_CHUNK = 500
"""Identities in one statement, entries in one page of a scan."""

_ROWS = 50
"""New entries in one statement: a fifth faster than one by one."""

_BEFORE_ALL = ("", 0)
_AFTER_ALL_REASONS = max(REASON_CODES.values()) + 1


class SqliteStore:
    """An :class:`~optoutkit.OptOutStore` in one SQLite file, for many threads and processes of one machine.

    What a verb has written is on the disk when it returns (write-ahead log, ``synchronous=FULL``). The file holds addresses: it
    is made readable for its owner only. Keep it on a local disk, as network file systems do not lock reliably.

    Args:
        path: The file; it is made if it is not there, its folder is not.
        link_days: For how many days a link that leads to no opt-out is kept after it was last learnt.
        timeout: How many seconds to wait for a lock before StoreUnavailable.
        clock: Tells the time; for tests.

    Raises:
        StoreUnavailable: The file can be neither opened nor made.
        StoreCorrupt: It is damaged, or the file of another program.
        StoreVersionError: It was written by a newer optoutkit.
        ValueError: ``link_days`` is less than 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        clock: Clock = utc_now,
    ) -> None:
        self._link_days = arguments.checked_link_days(link_days)
        self._clock = clock
        self._list_ids = {SHARED: SHARED_LIST, "": OWN_LIST}
        self._connections = Connections(path, timeout=timeout)

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        if at is not None:
            arguments.aware(at)
        all_asked = list(identities)
        if len(all_asked) == 1:  # by the shortest way
            identity = all_asked[0]
            column = column_of(identity)
            rows = self._connections.read(self._look_up_one, column, identity.kind, seller)
            entry = self._best(rows, identity, seller, at) if rows else None
            return {} if entry is None else {identity: entry}
        asked = _by_column(all_asked)
        found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for column, *row in self._connections.read(lambda connection: self._look_up(connection, asked, seller)):
            found[column].append(tuple(row))
        return {
            identity: entry
            for column, identity in asked.items()
            if column in found and (entry := self._best(found[column], identity, seller, at)) is not None
        }

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        now = self._clock()
        by_seller: dict[str, list[OptOut]] = defaultdict(list)
        for opt_out in told:
            by_seller[opt_out.seller].append(opt_out)

        def work(connection: sqlite3.Connection) -> int:
            try:
                record = self._record_new if len(told) >= _CHUNK else self._record
                new = sum(record(connection, seller, group, now) for seller, group in by_seller.items())
            except sqlite3.IntegrityError:
                begin(connection)
                new = sum(self._record(connection, seller, group, now) for seller, group in by_seller.items())
            self._review_links(connection, now, len(told))
            return new

        new = self._connections.write(work)
        return RecordReport(new=new, known=len(told) - new)

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = arguments.pairs_of(pairs)
        now = self._clock()

        def work(connection: sqlite3.Connection) -> LinkReport:
            report = self._link(connection, told, self._list_made(connection, seller), replace=replace, today=rules.link_day(now))
            self._review_links(connection, now, len(told))
            return report

        return self._connections.write(work)

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = _by_column(identities)
        why = arguments.clean(why)
        now = self._clock()

        def work(connection: sqlite3.Connection) -> int:
            members = self._clusters(connection, asked, seller)
            connection.executemany(sql.WITHDRAW, [(micros(now), why, *member) for member in members])
            count = connection.executemany(sql.DELETE_ENTRIES, members).rowcount
            self._review_links(connection, now, len(asked))
            return max(count, 0)

        return self._connections.write(work)

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`. It is overwritten in the file, and in its log as soon as nobody reads that."""
        asked = _by_column(identities)
        now = self._clock()

        def work(connection: sqlite3.Connection) -> int:
            members = self._clusters(connection, asked, seller)
            count: int = sum(connection.execute(sql.COUNT_KEPT, (*member, *member)).fetchone()[0] for member in members)
            for statement in (sql.DELETE_ENTRIES, sql.DELETE_WITHDRAWALS, sql.DELETE_LINKS):
                connection.executemany(statement, members)
            self._review_links(connection, now, len(asked))
            return count

        erased = self._connections.write(work)
        # The log still holds older states of the pages. What keeps it from being emptied now, a reader say, will pass.
        with contextlib.suppress(StoreUnavailable):
            self._connections.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        return EraseReport(erased=erased)

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`. Nothing is kept open or locked between two pages."""
        last = _BEFORE_ALL if after is None else (column_of(after), _AFTER_ALL_REASONS)
        while True:
            rows = self._connections.read(lambda connection: self._page(connection, seller, last))  # noqa: B023 - called at once
            if not rows:
                return
            for row in rows:
                yield opt_out_of(identity_of(row[0]), seller, *row[1:])
            last = rows[-1][:2]

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """See :class:`optoutkit.stores.TellsLinks`. Nothing is kept open or locked between two pages."""
        last = ""
        while True:
            rows = self._connections.read(
                lambda connection: connection.execute(sql.LINK_PAGE, (self._list_id(connection, seller), last, _CHUNK)).fetchall()  # noqa: B023 - called at once
            )
            if not rows:
                return
            for order, address in rows:
                yield cast("LinkPair", (identity_of(order), identity_of(address)))
            last = rows[-1][0]

    def sellers(self) -> list[str]:
        """See :class:`optoutkit.stores.TellsSellers`."""
        return [name for (name,) in self._connections.read(lambda connection: connection.execute(sql.SELLERS).fetchall())]

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.hashed.Rekeyable`."""
        names = [(column_of(old), column_of(new)) for old, new in arguments.rekey_pairs(pairs)]
        now = self._clock()
        self._connections.write(lambda connection: rekey(connection, names, now))

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        self._connections.write(lambda connection: connection.execute(sql.PAGE, (SHARED_LIST, *_BEFORE_ALL, 1)).fetchall())

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _list_id(self, connection: sqlite3.Connection, seller: str) -> int | None:
        """Find the number of a seller's list; None if nothing was ever kept for that seller."""
        found = self._list_ids.get(seller)
        if found is None:
            row = connection.execute(sql.SELLER, (arguments.checked_seller(seller),)).fetchone()
            if row is None:
                return None
            found = self._list_ids[seller] = row[0]
        return found

    def _list_made(self, connection: sqlite3.Connection, seller: str) -> int:
        found = self._list_id(connection, seller)
        if found is None:  # not remembered, as the transaction may yet be rolled back
            found = cast("int", connection.execute(sql.NEW_SELLER, (seller,)).lastrowid)
        return found

    def _look_up_one(self, connection: Connection, column: str, kind: str, seller: str) -> list[tuple[Any, ...]]:
        return connection.reader.execute(
            sql.LOOK_UP_ONE[kind], {"asked": column, "own": self._list_ids.get(seller) or self._list_id(connection, seller)}
        ).fetchall()

    def _look_up(self, connection: sqlite3.Connection, asked: Mapping[str, Identity], seller: str) -> list[tuple[Any, ...]]:
        own = self._list_id(connection, seller)
        by_kind: dict[str, list[str]] = defaultdict(list)
        for column, identity in asked.items():
            by_kind[identity.kind].append(column)
        (two_lists,) = connection.execute(sql.SHARED_HOLDS_ANY).fetchone()
        look_up = sql.LOOK_UP if two_lists else sql.LOOK_UP_OWN
        rows = []
        for kind, columns in by_kind.items():
            for chunk in _chunks(columns):
                rows += connection.execute(look_up[kind], {"asked": chunk, "own": own}).fetchall()
        return rows

    def _best(self, rows: Iterable[tuple[Any, ...]], asked: Identity, seller: str, at: datetime | None) -> OptOut | None:
        """The entry to report of those that hold for the identity asked; None if all of them have expired."""
        found = None
        for list_id, key, reason, since, expires_at, verified, source in rows:
            if expires_at is not None and expires_at <= cast("int", micros(at or self._clock())):
                continue
            identity = asked if key is None else identity_of(key)
            entry = opt_out_of(identity, SHARED if list_id == SHARED_LIST else seller, reason, since, expires_at, verified, source)
            found = entry if found is None else rules.best((found, entry), asked)
        return found

    def _record(self, connection: sqlite3.Connection, seller: str, told: list[OptOut], now: datetime) -> int:
        """Merge opt-outs of one seller into what is there; tell how many are new."""
        list_id = self._list_made(connection, seller)
        places = [(column_of(opt_out.identity), REASON_CODES[opt_out.reason]) for opt_out in told]
        by_place = dict(zip(places, told, strict=True))
        entries, withdrawn = self._known(connection, by_place, seller, list_id)
        changed: dict[tuple[str, int], OptOut] = {}
        new = 0
        for place, opt_out in zip(places, told, strict=True):
            entry, is_new = rules.admit(entries.get(place), opt_out, withdrawn_at=withdrawn.get(place), now=now)
            new += is_new
            if entry is not None:
                entries[place] = changed[place] = entry
        connection.executemany(sql.upsert_entry(list_id, whole_seconds(now)), zip(*columns_of(list(changed.values())), strict=True))
        return new

    def _record_new(self, connection: sqlite3.Connection, seller: str, told: list[OptOut], now: datetime) -> int:
        """The same for a large batch all of which is new, in half the time.

        Raises:
            sqlite3.IntegrityError: It is not, and some of it is in.
        """
        list_id = self._list_made(connection, seller)
        (any_withdrawn,) = connection.execute(sql.ANY_WITHDRAWN, (list_id,)).fetchone()
        if any_withdrawn:
            raise sqlite3.IntegrityError
        keys, *others = columns_of(told)
        same = {place: column[0] for place, column in enumerate(others, 1) if len(set(column)) == 1}
        columns = [keys, *(column for place, column in enumerate(others, 1) if place not in same)]
        values = list(chain.from_iterable(zip(*columns, strict=True)))
        rest = len(told) % _ROWS * len(columns)
        for size, start, end in ((_ROWS, 0, len(values) - rest), (1, len(values) - rest, len(values))):
            statement, width = sql.insert_entries(list_id, whole_seconds(now), size, same), size * len(columns)
            connection.executemany(statement, (values[at : at + width] for at in range(start, end, width)))
        return len(told)

    @staticmethod
    def _known(
        connection: sqlite3.Connection, told: Mapping[tuple[str, int], OptOut], seller: str, list_id: int
    ) -> tuple[dict[tuple[str, int], OptOut], dict[tuple[str, int], datetime | None]]:
        """What is there of those told, and when of it was withdrawn what was."""
        entries: dict[tuple[str, int], OptOut] = {}
        withdrawn: dict[tuple[str, int], datetime | None] = {}
        (any_withdrawn,) = connection.execute(sql.ANY_WITHDRAWN, (list_id,)).fetchone()
        identities = {key: opt_out.identity for (key, _), opt_out in told.items()}
        for chunk in _chunks(identities):
            for key, *row in connection.execute(sql.ENTRIES_OF, (chunk, list_id)):
                entries[key, row[0]] = opt_out_of(identities[key], seller, *row)
            if any_withdrawn:
                for key, reason, withdrawn_at in connection.execute(sql.WITHDRAWALS_OF, (chunk, list_id)):
                    withdrawn[key, reason] = moment(withdrawn_at)
        return entries, withdrawn

    @staticmethod
    def _link(connection: sqlite3.Connection, told: list[LinkPair], list_id: int, *, replace: bool, today: int) -> LinkReport:
        addresses: dict[str, str] = {}
        days: dict[str, int] = {}
        for chunk in _chunks({column_of(order) for order, _ in told}):
            for order_key, address_key, day in connection.execute(sql.LINKS_OF, (chunk, list_id)):
                addresses[order_key], days[order_key] = address_key, day
        outcomes: Counter[str] = Counter()
        contradicted = []
        changed = set()
        for order, address in told:
            order_key, address_key = column_of(order), column_of(address)
            outcome = rules.judge_link(addresses.get(order_key), address_key, replace=replace)
            outcomes[outcome] += 1
            if outcome == "contradicted":
                contradicted.append(order)
                continue
            if outcome == "new" or days[order_key] != today:
                changed.add(order_key)
            addresses[order_key], days[order_key] = address_key, today
        connection.executemany(sql.UPSERT_LINK, [(order_key, list_id, addresses[order_key], today) for order_key in sorted(changed)])
        return LinkReport(new=outcomes["new"], known=outcomes["known"], contradicted=tuple(contradicted))

    def _clusters(self, connection: sqlite3.Connection, asked: Iterable[str], seller: str) -> list[tuple[int, str]]:
        """Find the clusters of the identities in one list, as (list, key)."""
        list_id = self._list_id(connection, seller)
        if list_id is None:
            return []
        found = {row[0] for column in asked for row in connection.execute(sql.CLUSTER, {"list": list_id, "key": column})}
        return [(list_id, key) for key in sorted(found)]

    def _page(self, connection: sqlite3.Connection, seller: str, last: tuple[str, int]) -> list[tuple[Any, ...]]:
        return connection.execute(sql.PAGE, (self._list_id(connection, seller), *last, _CHUNK)).fetchall()

    def _review_links(self, connection: sqlite3.Connection, now: datetime, written: int) -> None:
        """Forget or refresh some of the links that are due; see :func:`rules.oldest_day_kept`."""
        limits = micros(now), rules.oldest_day_kept(now, self._link_days), rules.links_to_review(written)
        forgotten: list[list[Any]] = []
        needed: list[list[Any]] = []
        for *link, leads_to_opt_out in connection.execute(sql.LINKS_DUE, limits).fetchall():
            (needed if leads_to_opt_out else forgotten).append(link)
        connection.executemany(sql.FORGET_LINK, forgotten)
        connection.executemany(sql.REFRESH_LINK, [(rules.link_day(now), *link) for link in needed])


def _by_column(identities: Iterable[Identity]) -> dict[str, Identity]:
    found: dict[str, Identity] = {}
    for identity in identities:
        found.setdefault(column_of(identity), identity)
    return found


def _chunks(columns: Iterable[str]) -> Iterator[str]:
    """Cut keys into JSON arrays of a fixed size, in the order of the file."""
    ordered = iter(sorted(columns))
    while chunk := list(islice(ordered, _CHUNK)):
        yield json.dumps(chunk)
