"""The tables of the SQLite store, their version, and how an older file becomes a current one.

``PRAGMA application_id`` tells our files from those of other programs, ``PRAGMA user_version`` counts the steps of
:data:`MIGRATIONS` that a file has seen. A released step is never changed; a new version of the schema appends one.

What stands in the columns: :mod:`optoutkit.stores.sqlite.packing`.
"""

import sqlite3

from optoutkit.errors import StoreCorrupt, StoreVersionError
from optoutkit.stores.sqlite import packing

__all__ = ["APPLICATION_ID", "MIGRATIONS", "OWN_LIST", "SHARED_LIST", "check_version", "prepare"]

APPLICATION_ID = int.from_bytes(b"OOTK", "big")

SHARED_LIST = 0
"""The ``list`` of what holds for all sellers."""

OWN_LIST = 1
"""The ``list`` of the store's owner."""

_VERSION_1 = (
    "CREATE TABLE seller (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "INSERT INTO seller VALUES (0, '*'), (1, '')",  # SHARED_LIST and OWN_LIST
    """
    CREATE TABLE entry (
        list INTEGER NOT NULL, key TEXT NOT NULL, reason INTEGER NOT NULL,
        since INTEGER, expires_at INTEGER, recorded_at INTEGER NOT NULL, verified INTEGER NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY (list, key, reason)
    ) WITHOUT ROWID
    """,
    # Withdrawn entries move here, so that a lookup never meets one. An entry can be withdrawn more than once.
    """
    CREATE TABLE withdrawal (
        list INTEGER NOT NULL, key TEXT NOT NULL, reason INTEGER NOT NULL, withdrawn_at INTEGER NOT NULL, why TEXT NOT NULL,
        since INTEGER, expires_at INTEGER, recorded_at INTEGER NOT NULL, verified INTEGER NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY (list, key, reason, withdrawn_at)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE link (
        order_key TEXT NOT NULL, list INTEGER NOT NULL, address_key TEXT NOT NULL, day INTEGER NOT NULL,
        PRIMARY KEY (order_key, list)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX link_by_address ON link (address_key, list)",
    "CREATE INDEX link_by_day ON link (day)",
)

# Keys, times and sources that take less room. A column without a type takes what it is given.
_VERSION_2 = (
    "ALTER TABLE entry RENAME TO entry_1",
    """
    CREATE TABLE entry (
        list INTEGER NOT NULL, key TEXT NOT NULL, reason INTEGER NOT NULL,
        since INTEGER, expires_at INTEGER, recorded_at INTEGER NOT NULL, verified INTEGER NOT NULL, source NOT NULL,
        PRIMARY KEY (list, key, reason)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO entry
    SELECT list, repacked_key(key), reason, repacked_time(since), expires_at, recorded_at / 1000000, verified, packed_source(source)
    FROM entry_1 ORDER BY list, key, reason
    """,
    "DROP TABLE entry_1",
    "ALTER TABLE withdrawal RENAME TO withdrawal_1",
    """
    CREATE TABLE withdrawal (
        list INTEGER NOT NULL, key TEXT NOT NULL, reason INTEGER NOT NULL, withdrawn_at INTEGER NOT NULL, why TEXT NOT NULL,
        since INTEGER, expires_at INTEGER, recorded_at INTEGER NOT NULL, verified INTEGER NOT NULL, source NOT NULL,
        PRIMARY KEY (list, key, reason, withdrawn_at)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO withdrawal
    SELECT list, repacked_key(key), reason, withdrawn_at, why, repacked_time(since), expires_at, recorded_at / 1000000, verified,
        packed_source(source)
    FROM withdrawal_1
    """,
    "DROP TABLE withdrawal_1",
    "UPDATE link SET order_key = repacked_key(order_key) WHERE order_key LIKE 'd:%'",
    "UPDATE link SET address_key = repacked_key(address_key) WHERE address_key LIKE 'd:%'",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2)
"""Step by step from an empty file to the current schema; step *n* makes version *n* + 1."""


def prepare(connection: sqlite3.Connection) -> None:
    """Bring a file up to the current schema, in one transaction; an empty file too, several processes at once too.

    Raises:
        StoreCorrupt: It is the file of another program.
        StoreVersionError: It was written by a newer optoutkit.
    """
    connection.execute("BEGIN")  # so that all that is asked is of one state: another process may be making the file
    version = _version(connection)
    connection.execute("COMMIT")
    if version == len(MIGRATIONS):
        return
    connection.execute("PRAGMA journal_mode = WAL")  # stays with the file
    for function in (packing.repacked_key, packing.repacked_time, packing.packed_source):
        connection.create_function(function.__name__, 1, function, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")
    for step in MIGRATIONS[_version(connection) :]:  # asked again, as the other may have been faster
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def check_version(connection: sqlite3.Connection) -> None:
    """Make sure that no newer optoutkit has changed the file since :func:`prepare`.

    Raises:
        StoreVersionError: One has.
    """
    if _version(connection) != len(MIGRATIONS):
        raise StoreVersionError("the store was brought to another version while it was open; open it again")


def _version(connection: sqlite3.Connection) -> int:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id == APPLICATION_ID:
        if version > len(MIGRATIONS):
            raise StoreVersionError(
                f"the store has schema version {version}, this optoutkit knows {len(MIGRATIONS)}: update optoutkit to open it"
            )
        return int(version)
    if application_id or version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreCorrupt("the file is the SQLite database of another program, not an opt-out store: name another file")
    return 0
