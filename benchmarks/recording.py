"""Recording opt-outs in SQLite, and the room they take."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from benchmarks.samples import identity
from benchmarks.timing import Result, compare
from optoutkit import OptOut, open_store
from optoutkit.stores import HashedStore

__all__ = ["measure"]

T = TypeVar("T")

_BATCH = 10_000
_SINCE = datetime(2026, 9, 10, tzinfo=UTC)
_MICROS = 1_789_000_000_000_000
_TABLE = """
    CREATE TABLE entry (
        seller TEXT, key TEXT, reason INTEGER, since INTEGER, expires_at INTEGER, recorded_at INTEGER, verified INTEGER, source TEXT,
        PRIMARY KEY (seller, key, reason)
    ) WITHOUT ROWID
"""
_UPSERT = """
    INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seller, key, reason) DO UPDATE
    SET since = min(since, excluded.since), expires_at = max(expires_at, excluded.expires_at), verified = max(verified, excluded.verified)
"""
_SCATTER = 2654435761  # a prime, so that the sources are as various as those of notices


def measure() -> Iterator[Result]:
    """Beside ``executemany`` of the same upsert into a bare table, as durable; each entry has a buyer, a date and a notice of its own."""
    with TemporaryDirectory() as folder:
        own, bare = Path(folder, "optouts.db"), Path(folder, "bare.db")
        with open_store(f"sqlite:///{own}") as store, closing(_bare(bare)) as connection:
            batches = ([_opt_out(number) for number in numbers] for numbers in _batches())
            rows = ([_row(number) for number in numbers] for numbers in _batches())
            ready, ready_rows = _ahead(batches), _ahead(rows)

            def insert() -> None:
                with connection:
                    connection.execute("BEGIN")
                    connection.executemany(_UPSERT, next(ready_rows))

            yield compare(
                f"record {_BATCH:,}",
                lambda: store.record(next(ready)),
                f"executemany of {_BATCH:,} upserts, one transaction",
                insert,
                calls=1,
            )
            entries = sum(1 for _ in store.scan())
            (peer_entries,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        digests = Path(folder, "digests.db")
        with HashedStore(open_store(f"sqlite:///{digests}"), {"2026": b"s" * 32}) as hashed:
            for numbers in islice(_batches(), 10):
                hashed.record(OptOut(identity(number), since=_SINCE) for number in numbers)
        for task, path, size in (("an entry", own, entries), ("a digest without a source", digests, 10 * _BATCH)):
            yield Result(
                task=f"{task} in the file",
                value=path.stat().st_size / size,
                peer="an entry on a bare table",
                peer_value=bare.stat().st_size / peer_entries,
                unit="bytes",
            )


def _source(number: int) -> str:
    return f"<0102019a2b3c4d5e-{number * _SCATTER % 2**32:08x}-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"


def _opt_out(number: int) -> OptOut:
    return OptOut(identity(number), since=_SINCE + timedelta(seconds=number), source=_source(number))


def _row(number: int) -> tuple[Any, ...]:
    since = _MICROS + number * 1_000_000
    return ("", identity(number).key, 20, since, None, since, 0, _source(number))


def _batches() -> Iterator[range]:
    return (range(start, start + _BATCH) for start in count(0, _BATCH))


def _ahead(batches: Iterator[list[T]]) -> Iterator[list[T]]:
    """The batches, each of which is made before it is asked for, ten at a time."""
    return iter([next(batches) for _ in range(10)])


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_TABLE)
    return connection
