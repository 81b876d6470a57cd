"""The SQL of the PostgreSQL store. An ``@`` stands before the name of each table, for the schema.

A batch is an array for each column, so that it is one statement however large it is. Rows are locked in the order of their keys.
"""

# ruff: noqa: S608 - put together from constants only

__all__ = [
    "BEGIN",
    "COMMIT",
    "ENTRIES_OF",
    "ERASE",
    "FORGET_LINKS",
    "HEALTH",
    "JOIN_WITHDRAWALS",
    "LINKS_DUE",
    "LINKS_OF",
    "LINK_PAGE",
    "LOCK_LINKS",
    "LOCK_LINKS_NAMED",
    "LOOK_UP",
    "LOOK_UP_ONE",
    "MOVE_ENTRIES",
    "MOVE_ORDERS",
    "MOVE_WITHDRAWALS",
    "NEW_ENTRIES",
    "NEW_LINKS",
    "ONE_REKEY_AT_A_TIME",
    "PAGE",
    "REFRESH_LINKS",
    "RENAME_ADDRESSES",
    "SELLERS",
    "UPDATE_ENTRIES",
    "UPDATE_LINKS",
    "WITHDRAW",
]

# The usual isolation, whatever the server's default is: a row is read anew once its lock is there. synchronous_commit is what makes
# a commit durable. All of it ends with the transaction, so that nothing is left on a connection that a pooler hands to somebody else.
BEGIN = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT set_config(name, '{milliseconds}', true)
        FROM (VALUES ('statement_timeout'), ('idle_in_transaction_session_timeout')) AS setting (name);
    SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
    SELECT version FROM @schema_version
"""
"""Gives the version of the schema."""

COMMIT = "COMMIT"

HEALTH = """
    SELECT EXISTS (SELECT FROM @entry), EXISTS (SELECT FROM @withdrawal), EXISTS (SELECT FROM @link) FROM @schema_version FOR SHARE
"""
"""Refused by a server that only reads."""

_ENTRY = "e.seller = '*', e.key, e.reason, e.since, e.expires_at, e.verified, e.source"

# Links of the seller's list lead to entries of that list and of the shared one, links of the shared list to shared entries.
_SIBLINGS = "SELECT m.order_key FROM @link m WHERE m.seller = l.seller AND m.address_key = l.address_key AND m.order_key <> l.order_key"
_ENTRIES = "JOIN LATERAL (SELECT * FROM @entry t WHERE {linked} AND t.key = "
_LINKED = {
    "address": ("l.address_key", f"@link l {_ENTRIES}l.order_key"),
    "order": ("l.order_key", f"@link l CROSS JOIN LATERAL (SELECT l.address_key UNION ALL {_SIBLINGS}) AS o (key) {_ENTRIES}o.key"),
}


def _branches(kind: str, asked: str, *, entries: str, links: str, linked: str, in_this_order: str = "") -> list[str]:
    """A SELECT for the identities asked, and one for what links lead to from them."""
    column, tables = _LINKED[kind]
    tables = f"{tables.format(linked=linked)} {in_this_order}) AS e ON true"
    return [
        f"SELECT e.key, {_ENTRY} FROM @entry e WHERE {entries} AND e.key {asked} AND NOT e.withdrawn",
        f"SELECT {column}, {_ENTRY} FROM {tables} WHERE {links} AND {column} {asked} AND NOT e.withdrawn",
    ]


def _one(kind: str) -> str:
    lists = "IN ($1, '*')"
    return " UNION ALL ".join(
        _branches(kind, "= $2", entries=f"e.seller {lists}", links=f"l.seller {lists}", linked="t.seller IN (l.seller, '*')")
    )


def _many(kind: str) -> str:
    # Own and shared entries apart: where the shared list is empty, which is asked once, half of it need not be done. The array is
    # hidden from the planner: it takes a long one for a reason to start parallel workers, which takes longer than the lookup.
    # OFFSET 0 keeps it from going through the entries first, should it take one of the lists for a short one.
    asked, own = "= ANY(ARRAY(SELECT unnest(%(asked)s::text[])))", "seller = %(seller)s"
    shared = "seller = '*' AND %(seller)s <> '*' AND EXISTS (SELECT FROM @entry WHERE seller = '*')"
    first, both = "OFFSET 0", "l.seller IN (%(seller)s, '*')"
    return " UNION ALL ".join(
        _branches(kind, asked, entries=f"e.{own}", links=f"l.{own}", linked=f"t.{own}", in_this_order=first)
        + _branches(kind, asked, entries=f"e.{shared}", links=both, linked=f"t.{shared}", in_this_order=first)
    )


LOOK_UP_ONE = {kind: _one(kind) for kind in _LINKED}
"""By the kind of identity asked. Takes a seller and an identity; gives rows as :func:`optoutkit.stores.batches.answer` takes them."""

LOOK_UP = {kind: _many(kind) for kind in _LINKED}
"""The same for identities of one kind. Takes ``seller`` and ``asked``, an array."""

PAGE = """
    SELECT key, reason, since, expires_at, verified, source FROM @entry
    WHERE seller = %s AND (key, reason) > (%s, %s) AND NOT withdrawn ORDER BY key, reason LIMIT %s
"""

LINK_PAGE = "SELECT order_key, address_key FROM @link WHERE seller = %s AND order_key > %s ORDER BY order_key LIMIT %s"

# From one seller to the next by the index, so that it takes as long as there are sellers, not entries.
_SELLERS_OF = """
    (WITH RECURSIVE list AS (
        (SELECT seller FROM {table} ORDER BY seller LIMIT 1)
        UNION ALL SELECT (SELECT t.seller FROM {table} t WHERE t.seller > list.seller ORDER BY t.seller LIMIT 1)
        FROM list WHERE list.seller IS NOT NULL
    ) SELECT seller FROM list WHERE seller IS NOT NULL)
"""
SELLERS = f"SELECT seller FROM ({' UNION '.join(_SELLERS_OF.format(table=table) for table in ('@entry', '@link'))}) AS kept ORDER BY seller"

_PLACES = "unnest(%s::text[], %s::text[], %s::smallint[]"
_TOLD = f"{_PLACES}, %s::bigint[], %s::bigint[], %s::boolean[], %s::text[])"

# Gives those that were there already, by their numbers from 1. NOT IN hashes, whatever is thought of the number of rows.
NEW_ENTRIES = f"""
    WITH told AS MATERIALIZED (
        SELECT * FROM {_TOLD} WITH ORDINALITY AS told (seller, key, reason, since, expires_at, verified, source, number)
    ), new AS (
        INSERT INTO @entry (seller, key, reason, since, expires_at, verified, source, recorded_at)
        SELECT seller, key, reason, since, expires_at, verified, source, %s FROM told
        ON CONFLICT (seller, key, reason) DO NOTHING RETURNING seller, key, reason
    )
    SELECT number FROM told WHERE (seller, key, reason) NOT IN (SELECT seller, key, reason FROM new)
"""

ENTRIES_OF = f"""
    SELECT e.seller, e.key, e.reason, e.withdrawn, e.withdrawn_at, e.since, e.expires_at, e.verified, e.source
    FROM {_PLACES}) AS asked (seller, key, reason) JOIN @entry e USING (seller, key, reason)
    ORDER BY e.seller, e.key, e.reason FOR UPDATE OF e
"""
"""Gives what is there, and locks it."""

# What is in force again was recorded now; what merely learns more keeps the time at which it was first recorded.
UPDATE_ENTRIES = f"""
    UPDATE @entry e SET since = told.since, expires_at = told.expires_at, verified = told.verified, source = told.source,
        recorded_at = CASE WHEN e.withdrawn THEN %s ELSE e.recorded_at END, withdrawn = false
    FROM {_TOLD} AS told (seller, key, reason, since, expires_at, verified, source)
    WHERE e.seller = told.seller AND e.key = told.key AND e.reason = told.reason
"""

# An identity, the address it is linked to, and the orders of that address.
_MEMBERS = """
    asked AS (SELECT unnest(%(asked)s::text[]) AS key),
    address AS (
        SELECT key FROM asked
        UNION SELECT l.address_key FROM asked JOIN @link l ON l.seller = %(seller)s AND l.order_key = asked.key
    ),
    member AS (
        SELECT key FROM address
        UNION SELECT l.order_key FROM address JOIN @link l ON l.seller = %(seller)s AND l.address_key = address.key
    )
"""

# Two withdrawals in the same microsecond are one.
WITHDRAW = f"""
    WITH {_MEMBERS}, gone AS (
        UPDATE @entry e SET withdrawn = true, withdrawn_at = greatest(e.withdrawn_at, %(now)s)
        FROM member WHERE e.seller = %(seller)s AND e.key = member.key AND NOT e.withdrawn RETURNING e.*
    ), history AS (
        INSERT INTO @withdrawal (seller, key, reason, withdrawn_at, why, since, expires_at, recorded_at, verified, source)
        SELECT seller, key, reason, %(now)s, %(why)s, since, expires_at, recorded_at, verified, source FROM gone
        ON CONFLICT (seller, key, reason, withdrawn_at) DO UPDATE SET why = excluded.why, since = excluded.since,
            expires_at = excluded.expires_at, recorded_at = excluded.recorded_at, verified = excluded.verified, source = excluded.source
    )
    SELECT count(*) FROM gone
"""
"""Takes ``asked``, ``seller``, ``now`` and ``why``; gives how many."""

ERASE = f"""
    WITH {_MEMBERS}, history AS (
        DELETE FROM @withdrawal w USING member WHERE w.seller = %(seller)s AND w.key = member.key
    ), links AS (
        DELETE FROM @link l USING member WHERE l.seller = %(seller)s AND l.order_key = member.key
    ), gone AS (
        DELETE FROM @entry e USING member WHERE e.seller = %(seller)s AND e.key = member.key RETURNING 1
    )
    SELECT count(*) FROM gone
"""
"""Takes ``asked`` and ``seller``; gives how many entries there were."""

LINKS_OF = """
    SELECT l.order_key, l.address_key, l.day
    FROM unnest(%s::text[]) AS asked (key) JOIN @link l ON l.seller = %s AND l.order_key = asked.key
"""
LOCK_LINKS = f"{LINKS_OF} ORDER BY l.order_key FOR UPDATE OF l"

NEW_LINKS = """
    INSERT INTO @link (seller, day, order_key, address_key) SELECT %s, %s, * FROM unnest(%s::text[], %s::text[])
    ON CONFLICT (seller, order_key) DO NOTHING RETURNING order_key
"""
UPDATE_LINKS = """
    UPDATE @link l SET address_key = told.address_key, day = %s FROM unnest(%s::text[], %s::text[]) AS told (order_key, address_key)
    WHERE l.seller = %s AND l.order_key = told.order_key
"""

# Takes the time now, the oldest day that is not due, and how many at most. What another one is looking at is left to it.
LINKS_DUE = """
    SELECT l.seller, l.order_key, EXISTS (
        SELECT FROM @entry e WHERE e.seller IN (l.seller, '*') AND e.key IN (l.order_key, l.address_key)
            AND NOT e.withdrawn AND (e.expires_at IS NULL OR e.expires_at > %s)
    )
    FROM @link l WHERE l.day < %s ORDER BY l.day LIMIT %s FOR UPDATE OF l SKIP LOCKED
"""
_THESE = "FROM unnest(%s::text[], %s::text[]) AS told (seller, order_key) WHERE l.seller = told.seller AND l.order_key = told.order_key"
REFRESH_LINKS = f"UPDATE @link l SET day = %s {_THESE}"
FORGET_LINKS = f"DELETE FROM @link l {_THESE.replace('FROM', 'USING', 1)}"

# Giving identities other names, in all lists. Each takes the sellers, the old names and the new ones, by name; no name is in it twice.
ONE_REKEY_AT_A_TIME = "SELECT pg_advisory_xact_lock(1330598987, hashtext('@@ rekey'))"
"""Takes nothing. A row is locked by its name, which another one that gives names may be about to change."""

_NAMES = "unnest(%(old)s::text[], %(new)s::text[]) AS named (old, new)"
_MOVED = "since, expires_at, recorded_at, verified, source"

MOVE_ENTRIES = f"""
    WITH held AS MATERIALIZED (
        SELECT e.seller, e.key, e.reason, named.new FROM {_NAMES} JOIN @entry e ON e.seller = ANY(%(sellers)s) AND e.key = named.old
        ORDER BY e.seller, e.key, e.reason FOR UPDATE OF e
    ), gone AS (
        DELETE FROM @entry e USING held WHERE e.seller = held.seller AND e.key = held.key AND e.reason = held.reason
        RETURNING e.*, held.new
    ), moved AS (
        INSERT INTO @entry (seller, key, reason, withdrawn, withdrawn_at, {_MOVED})
        SELECT seller, new, reason, withdrawn, withdrawn_at, {_MOVED} FROM gone ORDER BY seller, new COLLATE "C", reason
        ON CONFLICT (seller, key, reason) DO NOTHING RETURNING seller, key, reason
    )
    SELECT seller, new, reason, withdrawn, withdrawn_at, since, expires_at, verified, source FROM gone
    WHERE (seller, new, reason) NOT IN (SELECT seller, key, reason FROM moved)
"""
"""Gives those in whose new place there is an entry, which stays as it is."""

JOIN_WITHDRAWALS = f"""
    UPDATE @entry e SET withdrawn_at = greatest(e.withdrawn_at, told.withdrawn_at)
    FROM {_PLACES}, %s::bigint[]) AS told (seller, key, reason, withdrawn_at)
    WHERE e.seller = told.seller AND e.key = told.key AND e.reason = told.reason
"""
"""Takes places, and when what has come there was withdrawn."""

MOVE_WITHDRAWALS = f"""
    WITH gone AS (
        DELETE FROM @withdrawal w USING {_NAMES} WHERE w.seller = ANY(%(sellers)s) AND w.key = named.old RETURNING w.*, named.new
    )
    INSERT INTO @withdrawal (seller, key, reason, withdrawn_at, why, {_MOVED})
    SELECT seller, new, reason, withdrawn_at, why, {_MOVED} FROM gone
    ON CONFLICT (seller, key, reason, withdrawn_at) DO NOTHING
"""
LOCK_LINKS_NAMED = """
    SELECT l.order_key FROM @link l
    WHERE l.seller = ANY(%(sellers)s) AND (l.order_key = ANY(%(old)s) OR l.address_key = ANY(%(old)s))
    ORDER BY l.seller, l.order_key FOR UPDATE
"""
MOVE_ORDERS = f"""
    WITH gone AS (
        DELETE FROM @link l USING {_NAMES} WHERE l.seller = ANY(%(sellers)s) AND l.order_key = named.old RETURNING l.*, named.new
    )
    INSERT INTO @link (seller, order_key, address_key, day)
    SELECT seller, new, address_key, day FROM gone ORDER BY seller, new COLLATE "C"
    ON CONFLICT (seller, order_key) DO NOTHING
"""
RENAME_ADDRESSES = f"""
    UPDATE @link l SET address_key = named.new FROM {_NAMES} WHERE l.seller = ANY(%(sellers)s) AND l.address_key = named.old
"""
