"""The tables of the PostgreSQL store, their version, and how an older schema becomes a current one.

A released step of :data:`MIGRATIONS` is never changed; a new version of the schema appends one. An ``@`` stands before the name of
each table, for the schema, ``@@`` for the schema itself. What stands in the columns: :mod:`optoutkit.stores.rows`.

Each primary key begins with the seller and contains the identity, so that the tables can be partitioned by either.
"""

from optoutkit.errors import StoreCorrupt, StoreVersionError
from optoutkit.flows import Flow, ask
from optoutkit.stores.postgresql.requests import Query, Rows
from optoutkit.stores.postgresql.statements import COMMIT

__all__ = ["MIGRATIONS", "check_version", "prepare"]

# "C" compares bytes: the order of the keys, the same on every server, and no letter counts as another.
_VERSION_1 = (
    """
    CREATE TABLE @entry (
        since bigint, expires_at bigint, recorded_at bigint NOT NULL, withdrawn_at bigint,
        reason smallint NOT NULL, verified boolean NOT NULL, withdrawn boolean NOT NULL DEFAULT false,
        seller text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, source text NOT NULL,
        PRIMARY KEY (seller, key, reason)
    )
    """,
    # The history of an entry, which can be withdrawn more than once.
    """
    CREATE TABLE @withdrawal (
        since bigint, expires_at bigint, recorded_at bigint NOT NULL, withdrawn_at bigint NOT NULL,
        reason smallint NOT NULL, verified boolean NOT NULL,
        seller text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, source text NOT NULL, why text NOT NULL,
        PRIMARY KEY (seller, key, reason, withdrawn_at)
    )
    """,
    """
    CREATE TABLE @link (
        day integer NOT NULL, seller text COLLATE "C" NOT NULL, order_key text COLLATE "C" NOT NULL, address_key text COLLATE "C" NOT NULL,
        PRIMARY KEY (seller, order_key)
    )
    """,
    "CREATE INDEX ON @link (seller, address_key)",
    "CREATE INDEX ON @link (day)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1,)
"""Step by step from an empty schema to the current one; step *n* makes version *n* + 1."""

# From the tables of the catalog, as to_regclass may answer from a cache that knows nothing of what another process has just made.
_STATE = """
    SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = 'schema_version'), n.oid IS NOT NULL,
        current_setting('server_encoding'), pg_backend_pid()
    FROM (VALUES (btrim('@@', '"'))) AS wanted (name) LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.name
"""
_LOCK = "SELECT pg_advisory_xact_lock(1330598987, hashtext('@@'))"  # the letters OOTK; one lock for each schema


def prepare() -> Flow[int]:
    """Bring a schema up to the current version, in one transaction; an empty one too, many processes at once too.

    Returns:
        The process ID of the server at the other end. A pooler names another one as its own.

    Raises:
        StoreCorrupt: The database cannot keep every character.
        StoreVersionError: The schema was written by a newer optoutkit.
    """
    ((has_tables, _, encoding, process_id),) = yield from ask(Query(_STATE))
    if encoding != "UTF8":
        raise StoreCorrupt(f"the database's encoding is {encoding}: make one with the encoding UTF8")
    if not has_tables or (yield from _version()) < len(MIGRATIONS):
        yield from ask(Query("BEGIN ISOLATION LEVEL READ COMMITTED"))
        yield from ask(Query(_LOCK))
        yield from _migrate()
        yield from ask(Query(COMMIT))
    return int(process_id)


def check_version(rows: Rows) -> None:
    """Make sure that no other optoutkit has changed the schema since :func:`prepare`.

    Raises:
        StoreVersionError: One has.
    """
    version = _read(rows)
    if version != len(MIGRATIONS):
        raise StoreVersionError(
            f"the schema was brought to version {version} while the store was open, not {len(MIGRATIONS)}: open it again"
        )


def _read(rows: Rows) -> int:
    if len(rows) != 1:
        raise StoreCorrupt("the table that says which version the schema has must hold one row: restore it from a backup")
    return int(rows[0][0])


def _migrate() -> Flow[None]:
    ((has_tables, has_schema, _, _),) = yield from ask(Query(_STATE))  # asked again, as another process may have been faster
    if not has_schema:  # which needs fewer rights than IF NOT EXISTS
        yield from ask(Query("CREATE SCHEMA @@"))
    if not has_tables:
        yield from ask(Query("CREATE TABLE @schema_version (version integer NOT NULL)"))
        yield from ask(Query("INSERT INTO @schema_version VALUES (0)"))
    version = yield from _version()
    for step in MIGRATIONS[version:]:
        for statement in step:
            yield from ask(Query(statement))
    yield from ask(Query("UPDATE @schema_version SET version = %s", (len(MIGRATIONS),)))


def _version() -> Flow[int]:
    version = _read((yield from ask(Query("SELECT version FROM @schema_version"))))
    if version > len(MIGRATIONS):
        raise StoreVersionError(
            f"the store has schema version {version}, this optoutkit knows {len(MIGRATIONS)}: update optoutkit to open it"
        )
    return version
