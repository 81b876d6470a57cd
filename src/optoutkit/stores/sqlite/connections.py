"""Connections to one SQLite file: opened as needed, used by one thread at a time, never used across a fork.

Whatever the driver raises leaves this module as a StoreError that says what to do. A lock that another connection holds is
waited for by asking again, every few milliseconds, until a timeout. SQLite's own busy timeout is kept short: it asks less and
less often, so that among many writers some would wait for ever, and now and then (recovery, two processes that make the file)
it does not wait at all.
"""

import contextlib
import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from optoutkit.errors import StoreClosed, StoreCorrupt, StoreError, StoreUnavailable
from optoutkit.stores.forks import in_each_child
from optoutkit.stores.sqlite import schema

__all__ = ["Connection", "Connections", "begin"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Work = Callable[[sqlite3.Connection], T]

_SETTINGS = (
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns
    "PRAGMA fullfsync = ON",  # on macOS too
    "PRAGMA secure_delete = ON",  # what is erased is overwritten
    "PRAGMA cell_size_check = ON",  # damage is noticed early
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -16384",  # 16 MiB, as a batch touches pages all over the file
    "PRAGMA wal_autocheckpoint = 4000",  # pages, 16 MiB: batches go faster than with the usual 1000
)

_BUSY_TIMEOUT = 0.01
"""How many seconds SQLite itself waits for a lock."""

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}

_MEANINGS: dict[int, tuple[type[StoreError], str]] = {
    **dict.fromkeys(_LOCKED, (StoreUnavailable, "another program keeps it locked: try again, or find out which one it is")),
    sqlite3.SQLITE_FULL: (StoreUnavailable, "the disk is full: make room and try again"),
    sqlite3.SQLITE_READONLY: (StoreUnavailable, "it cannot be written: let this user write the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: (StoreUnavailable, "it cannot be opened: let this user read and write the file and its folder"),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, "the disk reports an error: see that it is sound and not full, and try again"),
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, "it is not an SQLite file: name another file"),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, "it is damaged: restore it from a backup"),
}
_UNKNOWN = (StoreCorrupt, "its tables are not those of an opt-out store: restore it from a backup")


class Connection(sqlite3.Connection):
    """A connection with a cursor at hand: to make one for each lookup would take a tenth of it."""

    reader: sqlite3.Cursor


_inherited: list[Connection] = []
"""Connections of a parent process. Closing one here could remove files under the parent, so they are kept for good."""


class Connections:
    """The connections of one store.

    Args:
        path: The file; it is made, for its owner's eyes only, if it is not there.
        timeout: How many seconds to wait for a lock.

    Raises:
        StoreUnavailable: It can be neither opened nor made.
        StoreCorrupt: It is damaged, or the file of another program.
        StoreVersionError: It was written by a newer optoutkit.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float) -> None:
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 - as it is now: the working directory may change, .. stays as it is
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._closed = False
        in_each_child(self)
        self.read(lambda _: None)

    def read(self, work: Callable[[Connection, *Ts], T], *arguments: *Ts) -> T:
        """Do something that writes nothing. It may be done again if a lock is met, so it must not have other effects."""
        start = None
        while True:
            try:
                connection = self._take()
                try:
                    result = work(connection, *arguments)
                except BaseException as error:
                    self._put_away(connection, error)
                    raise
                self._give_back(connection)
            except sqlite3.Error as error:
                start = start or time.monotonic()
                if not _is_lock(error) or time.monotonic() - start >= self._timeout:
                    raise self._explained(error) from error
            else:
                return result
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311 - so that those who meet do not meet again

    def write(self, work: Work[T]) -> T:
        """Do something in one transaction that is on the disk when this returns. It may be done again if a lock is met."""

        def transaction(connection: Connection) -> T:
            begin(connection)
            result = work(connection)
            connection.execute("COMMIT")
            return result

        return self.read(transaction)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        self._close_idle()

    def _take(self) -> Connection:
        if self._closed:
            raise StoreClosed(f"{self._path}: the store is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _put_away(self, connection: Connection, error: BaseException) -> None:
        """Undo what was begun. After an error the next connection that is opened finds out what state the file is in."""
        if _is_lock(error):
            connection.rollback()
            self._give_back(connection)
        else:
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.close()

    def start_afresh(self) -> None:
        """In a forked child, which leaves to the parent what the parent has opened."""
        _inherited.extend(self._idle)
        self._idle = []

    def _open(self) -> Connection:
        self._make_file()
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        try:
            schema.prepare(connection)
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.reader = connection.cursor()
        except StoreError as error:
            connection.close()
            raise type(error)(f"{self._path}: {error}") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_file(self) -> None:
        # Only if it is not there: to open and close a file that SQLite has open would drop SQLite's locks.
        # The files beside it get the same permissions from SQLite.
        try:
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if self._path.is_dir():
                raise StoreUnavailable(f"{self._path}: it is a folder: name a file in it") from None
        except FileNotFoundError:
            raise StoreUnavailable(f"{self._path}: its folder does not exist: make it, or name a file elsewhere") from None
        except OSError as error:
            what = "let this user write its folder, or name a file elsewhere"
            raise StoreUnavailable(f"{self._path}: it cannot be made, {error.strerror}: {what}") from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        code = _primary_code(error)
        if code == sqlite3.SQLITE_ERROR:
            with contextlib.suppress(sqlite3.Error):
                self._open().close()  # says so if a newer version has changed the tables
        kind, what = _MEANINGS.get(code, _UNKNOWN)
        return kind(f"{self._path}: {what} ({error})")


def begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction that writes; what another one has done before is undone."""
    connection.rollback()
    connection.execute("BEGIN IMMEDIATE")
    schema.check_version(connection)


def _is_lock(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and _primary_code(error) in _LOCKED


def _primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without the details in its upper bits; -1 for errors that the driver makes up itself."""
    return getattr(error, "sqlite_errorcode", -1) & 0xFF
