"""Recording and looking up opt-outs in PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg

from benchmarks.samples import identity
from benchmarks.servers import PostgresqlServer
from benchmarks.timing import Result, compare
from optoutkit import OptOut, OptOutStore, open_store

__all__ = ["measure"]

_BATCHES, _BATCH = 10, 10_000
_ENTRIES = _BATCHES * _BATCH
_SINCE = datetime(2026, 9, 10, tzinfo=UTC)
_MICROS = 1_789_000_000_000_000
_SOURCE = "<0102019a2b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"

_TABLE = """
    CREATE TABLE bare (
        since bigint, expires_at bigint, reason smallint NOT NULL, verified boolean NOT NULL,
        key text COLLATE "C" PRIMARY KEY, source text NOT NULL
    )
"""
_UPSERT = """
    INSERT INTO bare (key, reason, since, expires_at, verified, source)
    SELECT * FROM unnest(%s::text[], %s::smallint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::text[])
    ON CONFLICT (key) DO UPDATE SET since = excluded.since, expires_at = excluded.expires_at, reason = excluded.reason,
        verified = excluded.verified, source = excluded.source
"""
_SELECT = "SELECT key, reason, since, expires_at, verified, source FROM bare WHERE key = %s"
_SELECT_MANY = "SELECT key, reason, since, expires_at, verified, source FROM bare WHERE key = ANY(%s)"


# What a lookup answers, asked by hand: the identity, the orders of that address, and both in two lists.
_JOIN = """
    SELECT seller, key, reason, since, expires_at, verified, source FROM optoutkit.entry WHERE seller IN ('', '*') AND key = %(key)s
    UNION ALL
    SELECT e.seller, e.key, e.reason, e.since, e.expires_at, e.verified, e.source
    FROM optoutkit.link l JOIN optoutkit.entry e ON e.key = l.order_key
    WHERE l.seller IN ('', '*') AND l.address_key = %(key)s AND e.seller IN (l.seller, '*')
"""


def measure() -> Iterator[Result]:
    """Beside psycopg alone, on a bare table of the same server with the same keys and values. Every second one asked is there."""
    with closing(PostgresqlServer()) as server, open_store(server.uri) as store, psycopg.connect(server.uri, autocommit=True) as bare:
        bare.execute(_TABLE)
        yield _recording(store, bare)
        bare.execute("VACUUM ANALYZE")
        yield from _looking_up(store, bare)
        yield from _sizes(bare)


def _recording(store: OptOutStore, bare: "psycopg.Connection[Any]") -> Result:
    numbers = [range(start, start + _BATCH) for start in range(0, _ENTRIES, _BATCH)]
    batches = iter([[OptOut(identity(number), since=_SINCE, source=_SOURCE) for number in batch] for batch in numbers])
    rows = iter([[(identity(number).key, 20, _MICROS, None, False, _SOURCE) for number in batch] for batch in numbers])

    def upsert() -> None:
        bare.execute(_UPSERT, [list(column) for column in zip(*next(rows), strict=True)])

    peer = f"psycopg: one upsert of {_BATCH:,} by unnest"
    return compare(f"PostgreSQL: record {_BATCH:,}", lambda: store.record(next(batches)), peer, upsert, calls=1)


def _looking_up(store: OptOutStore, bare: "psycopg.Connection[Any]") -> Iterator[Result]:
    many = [identity(number + number % 400 // 200) for number in range(0, 2 * _ENTRIES, 2 * _ENTRIES // 1000)]  # both kinds
    keys = [one.key for one in many]
    address, key = many[1:2], keys[1]
    one = f"PostgreSQL: look up 1 among {_ENTRIES:,}"
    yield compare(one, lambda: store.lookup(address), "psycopg: SELECT by primary key", lambda: bare.execute(_SELECT, (key,)).fetchall())
    joined = {"key": key.replace("address:", "a:")}
    yield compare(
        one,
        lambda: store.lookup(address),
        "psycopg: entries, links and both lists in one SELECT",
        lambda: bare.execute(_JOIN, joined).fetchall(),
    )
    yield compare(
        f"PostgreSQL: look up 1,000 among {_ENTRIES:,}",
        lambda: store.lookup(many),
        "psycopg: SELECT with = ANY of 1,000",
        lambda: bare.execute(_SELECT_MANY, (keys,)).fetchall(),
    )


def _sizes(bare: "psycopg.Connection[Any]") -> Iterator[Result]:
    sizes = bare.execute("SELECT pg_total_relation_size('optoutkit.entry'), pg_total_relation_size('bare')").fetchone()
    assert sizes is not None
    yield Result(
        task="PostgreSQL: an entry, with its index",
        value=sizes[0] / _ENTRIES,
        peer="the same on a bare table",
        peer_value=sizes[1] / _ENTRIES,
        unit="bytes",
    )
