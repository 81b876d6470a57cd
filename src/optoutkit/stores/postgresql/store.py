"""The PostgreSQL store, blocking and for asyncio: one set of verbs, two thin clients."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, EraseReport, LinkPair, LinkReport, RecordReport, utc_now
from optoutkit.stores.batches import named_seller
from optoutkit.stores.pooled import DEFAULT_POOL_SIZE, DEFAULT_TIMEOUT
from optoutkit.stores.postgresql.client import AsyncClient, Client, parameters_of
from optoutkit.stores.postgresql.verbs import Verbs, link_page, nothing, page, place_after, place_of, sellers
from optoutkit.stores.rows import column_of

__all__ = ["DEFAULT_SCHEMA", "AsyncPostgresqlStore", "PostgresqlStore"]

DEFAULT_SCHEMA = "optoutkit"
"""The schema in which the tables are."""


class PostgresqlStore:
    """An :class:`~optoutkit.OptOutStore` in PostgreSQL 12 or later, for any number of machines.

    What a verb has written is on the server's disk when it returns (``synchronous_commit`` is turned on where it is off). Tables
    are made and brought up to date when a connection is opened. Works through PgBouncer, also in transaction mode.

    Args:
        uri: Where the database is, as libpq reads it: ``postgresql://user:password@host:5432/database?sslmode=verify-full``.
        link_days: For how many days a link that leads to no opt-out is kept after it was last learnt.
        timeout: How many seconds to wait for a free connection, to connect (2 at least), and for a statement.
        pool_size: How many connections to have at most. They are opened as needed, and stay open.
        schema: The schema in which the tables are; it is made if it is not there.
        clock: Tells the time; for tests.

    Raises:
        StoreUnavailable: The server does not answer, or refuses the connection.
        StoreCorrupt: The schema holds the tables of another program.
        StoreVersionError: It was written by a newer optoutkit.
        InvalidUri: The URI cannot be read.
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        uri: str,
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        pool_size: int = DEFAULT_POOL_SIZE,
        schema: str = DEFAULT_SCHEMA,
        clock: Clock = utc_now,
    ) -> None:
        self._verbs = Verbs(link_days=link_days, clock=clock, timeout=timeout)
        self._client = Client(parameters_of(uri), schema=schema, size=pool_size, timeout=timeout)
        self._client.run(nothing)

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return self._client.run(self._verbs.lookup(identities, seller, at))

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return self._client.run(self._verbs.record(opt_outs))

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return self._client.run(self._verbs.link(pairs, seller, replace=replace))

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return self._client.run(self._verbs.withdraw(identities, seller, why))

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return EraseReport(erased=self._client.run(self._verbs.erase(identities, seller)))

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`. Between two pages no connection is held."""
        place = place_after(after)
        while entries := self._client.run(partial(page, named_seller(seller), place)):
            yield from entries
            place = place_of(entries[-1])

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """See :class:`optoutkit.stores.TellsLinks`. Between two pages no connection is held."""
        last = ""
        while links := self._client.run(partial(link_page, named_seller(seller), last)):
            yield from links
            last = column_of(links[-1][0])

    def sellers(self) -> list[str]:
        """See :class:`optoutkit.stores.TellsSellers`."""
        return self._client.run(sellers)

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        self._client.run(self._verbs.health())

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncPostgresqlStore:
    """The :class:`~optoutkit.AsyncOptOutStore` in PostgreSQL. Making one waits for nothing; the first verb connects.

    It may be used in one event loop after another. On Windows the event loop must be a ``SelectorEventLoop``.

    Args:
        uri: See :class:`PostgresqlStore`, as for the others.
        link_days: For how many days a link that leads to no opt-out is kept.
        timeout: How many seconds to wait.
        pool_size: How many connections to have at most.
        schema: The schema in which the tables are.
        clock: Tells the time; for tests.

    Raises:
        InvalidUri: The URI cannot be read.
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        uri: str,
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        pool_size: int = DEFAULT_POOL_SIZE,
        schema: str = DEFAULT_SCHEMA,
        clock: Clock = utc_now,
    ) -> None:
        self._verbs = Verbs(link_days=link_days, clock=clock, timeout=timeout)
        self._client = AsyncClient(parameters_of(uri), schema=schema, size=pool_size, timeout=timeout)

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return await self._client.run(self._verbs.lookup(identities, seller, at))

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return await self._client.finish(self._verbs.record(opt_outs))

    async def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return await self._client.finish(self._verbs.link(pairs, seller, replace=replace))

    async def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return await self._client.finish(self._verbs.withdraw(identities, seller, why))

    async def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return EraseReport(erased=await self._client.finish(self._verbs.erase(identities, seller)))

    async def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`. Between two pages no connection is held."""
        place = place_after(after)
        while entries := await self._client.run(partial(page, named_seller(seller), place)):
            for entry in entries:
                yield entry
            place = place_of(entries[-1])

    async def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        await self._client.run(self._verbs.health())

    async def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`. A write that is under way is done first."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
