"""A database behind SQLAlchemy: its engine, its tables, and transactions that are tried again where another one got in the way.

Nothing of SQLAlchemy or of a driver leaves this package, neither errors nor their texts, in which hosts, names and rows may stand.
"""

import math
import os
import random
import time
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from optoutkit.errors import InvalidUri, StoreClosed, StoreCorrupt, StoreVersionError
from optoutkit.stores.sqlalchemy.core import event, exc, sa
from optoutkit.stores.sqlalchemy.failures import collides, explained, is_there_already
from optoutkit.stores.sqlalchemy.tables import METADATA, VERSION

__all__ = ["Database"]

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

_VERSION = 1
"""The version of the tables. A later one comes with a step that brings older tables up to it."""

_ATTEMPTS = 20
"""How often a transaction is tried while others get in its way."""

_LOCKING = {"mysql", "mariadb", "postgresql", "oracle"}
"""Where rows that are read to be changed are locked. Other databases are asked to notice what overtakes a transaction."""

_WRITES = "optoutkit_writes"


class Database:
    """One database. Its first use connects, and makes the tables if they are not there.

    Args:
        url: As SQLAlchemy reads it.
        pool_size: How many connections at most.
        timeout: How many seconds to wait for a free connection; with PyMySQL, mysqlclient and SQLite also for the database.

    Raises:
        InvalidUri: There is no such dialect, its driver is not installed, or the URL cannot be read.
    """

    def __init__(self, url: str, *, pool_size: int, timeout: float) -> None:
        self._engine = _engine(url, pool_size, timeout)
        self._pid = os.getpid()
        self._closed = False
        self._is_prepared = False

    def read(self, work: Work[T]) -> T:
        """Do something that writes nothing.

        Raises:
            StoreError: It cannot be done; so do the others.
        """
        return self._do(lambda engine: _read(engine, work))

    def write(self, work: Work[T]) -> T:
        """Do something in one transaction. It may be done again, from the beginning."""

        def attempts(engine: sa.Engine) -> T:
            for _ in range(_ATTEMPTS - 1):
                try:
                    return _write(engine, work)
                except exc.DBAPIError as error:
                    if not collides(error):
                        raise
                time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - so that those who meet do not meet again
            return _write(engine, work)

        return self._do(attempts)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        self._engine.dispose(close=self._pid == os.getpid())

    def _do(self, work: Callable[[sa.Engine], T]) -> T:
        if self._closed:
            raise StoreClosed("the store is closed")
        if self._pid != os.getpid():
            self._engine.dispose(close=False)  # the connections are those of the parent process
            self._pid = os.getpid()
        try:
            if not self._is_prepared:
                _prepare(self._engine)
                self._is_prepared = True
            return work(self._engine)
        except exc.SQLAlchemyError as error:
            failure = explained(error)
        raise failure


def _engine(url: str, pool_size: int, timeout: float) -> sa.Engine:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", exc.SAWarning)  # an option that the driver does not know
            parsed = sa.make_url(url)
            engine = sa.create_engine(parsed, **_options(parsed, timeout), pool_size=pool_size, max_overflow=0, pool_timeout=timeout)
    except ImportError as error:
        raise InvalidUri(f"the driver in the sqlalchemy+ URI is not installed: pip install what brings {error.name}") from None
    except (exc.SQLAlchemyError, exc.SAWarning, TypeError, ValueError):
        raise InvalidUri(
            "the sqlalchemy+ URI cannot be read: write sqlalchemy+ before a URL of SQLAlchemy, such as mysql+pymysql://user:password@host/database"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED" if engine.dialect.name in _LOCKING else "SERIALIZABLE")


def _options(url: sa.URL, timeout: float) -> dict[str, Any]:
    """What is said to each driver in its own words."""
    seconds = math.ceil(timeout)
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": timeout}, "poolclass": sa.QueuePool}
    known = ("connect_timeout", "read_timeout", "write_timeout") if url.get_driver_name() in {"pymysql", "mysqldb"} else ()
    return {"connect_args": dict.fromkeys(known, seconds), "pool_pre_ping": True}


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Python's module would begin a transaction only when something is written, too late for what was read before."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")


def _read(engine: sa.Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        return work(connection)


def _write(engine: sa.Engine, work: Work[T]) -> T:
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        _check_version(connection)
        return work(connection)


def _check_version(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(VERSION.c.version)).all()
    if len(rows) != 1:
        raise StoreCorrupt("the table that says which version the tables have must hold one row: restore it from a backup")
    if rows[0].version != _VERSION:
        raise StoreVersionError(
            f"the store has schema version {rows[0].version}, this optoutkit knows {_VERSION}: update optoutkit to use it"
        )


def _prepare(engine: sa.Engine) -> None:
    """Make the tables, if they are not there; many processes at once too.

    Not every database makes tables in a transaction. So the version is written last: where it stands, all is there.
    """
    for attempt in count(1):
        try:
            if not _is_prepared(engine):
                METADATA.create_all(engine)
                with engine.begin() as connection:
                    connection.execute(sa.insert(VERSION).values(id=1, version=_VERSION))
            _read(engine, _check_version)
        except exc.DBAPIError as error:
            if attempt >= _ATTEMPTS or not (collides(error) or is_there_already(error)):
                raise
            time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - as above
        else:
            return


def _is_prepared(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return sa.inspect(connection).has_table(VERSION.name) and connection.execute(sa.select(VERSION.c.id)).first() is not None
