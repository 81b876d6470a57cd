"""The SQL of the SQLite store.

A lookup is one statement, be it of one identity or of a chunk of them (a JSON array): it joins the links of the identities
asked with the entries that hold for them. Tables are visited in the order written (CROSS JOIN), and every branch of the UNION
seeks by equality; IN, for which SQLite builds a temporary table, stands only where a link has been found.
"""

from collections.abc import Mapping

# ruff: noqa: S608 - put together from constants, numbers and hex digits only

__all__ = [
    "ANY_WITHDRAWN",
    "CLUSTER",
    "COUNT_KEPT",
    "DELETE_ENTRIES",
    "DELETE_LINKS",
    "DELETE_ORDER",
    "DELETE_WITHDRAWALS",
    "ENTRIES_AT",
    "ENTRIES_OF",
    "FORGET_LINK",
    "LINKS_DUE",
    "LINKS_OF",
    "LINK_PAGE",
    "LISTS",
    "LOOK_UP",
    "LOOK_UP_ONE",
    "LOOK_UP_OWN",
    "NEW_SELLER",
    "PAGE",
    "REFRESH_LINK",
    "RENAME_ADDRESS",
    "RENAME_ENTRY",
    "RENAME_ORDER",
    "RENAME_WITHDRAWALS",
    "SELLER",
    "SELLERS",
    "SHARED_HOLDS_ANY",
    "UPSERT_LINK",
    "WITHDRAW",
    "WITHDRAWALS_AT",
    "WITHDRAWALS_OF",
    "insert_entries",
    "upsert_entry",
]

SELLER = "SELECT id FROM seller WHERE name = ?"
SELLERS = "SELECT name FROM seller ORDER BY name"
NEW_SELLER = "INSERT INTO seller (name) VALUES (?)"

_DETAILS = "e.reason, e.since, e.expires_at, e.verified, e.source"
_ENTRY = f"e.key, {_DETAILS}"

# {asked} is the identity, :own the seller's list, 0 the shared one. Links of the seller's list lead to entries of both, shared links to
# shared entries. The + says: compare, but do not seek by this.
_SAME_ADDRESS = "link l CROSS JOIN link m ON m.address_key = l.address_key AND m.list = l.list AND m.order_key <> l.order_key"
_BY_LINK = {
    "address": ["link l CROSS JOIN entry e ON e.list {lists} AND e.key = l.order_key WHERE l.address_key = {asked} AND {seen}"],
    "order": [
        "link l CROSS JOIN entry e ON e.list {lists} AND e.key = l.address_key WHERE l.order_key = {asked} AND {seen}",
        f"{_SAME_ADDRESS} CROSS JOIN entry e ON e.list {{lists}} AND e.key = m.order_key WHERE l.order_key = {{asked}} AND {{seen}}",
    ],
}
_OWN = "entry e WHERE e.list = :own AND e.key = {asked}"
_SHARED = "entry e WHERE e.list = 0 AND e.key = {asked}"
_SEEN_BY_ALL = {"lists": "IN (:own, 0)", "seen": "(+l.list = :own OR +l.list = 0) AND (+e.list = 0 OR +l.list = :own)"}
_SEEN_BY_OWN = {"lists": "= :own", "seen": "l.list = :own"}
_CHUNK = "json_each(:asked) asked CROSS JOIN "


def _union(direct: list[str], by_link: list[str], columns: str, tables: str = "", **words: str) -> str:
    """Of an entry of the identity asked itself, whose key is known, the key is NULL."""
    branches = [("NULL", branch) for branch in direct] + [("e.key", branch) for branch in by_link]
    return " UNION ALL ".join(f"SELECT {columns}, {key}, {_DETAILS} FROM {tables}{branch.format(**words)}" for key, branch in branches)


LOOK_UP_ONE = {kind: _union([_OWN, _SHARED], by_link, "e.list", asked=":asked", **_SEEN_BY_ALL) for kind, by_link in _BY_LINK.items()}
"""By the kind of identity asked. Takes a key and the seller's list; gives the list and the entry, expired ones too."""

LOOK_UP = {
    kind: _union([_OWN, _SHARED], by_link, "asked.value, e.list", _CHUNK, asked="asked.value", **_SEEN_BY_ALL)
    for kind, by_link in _BY_LINK.items()
}
"""The same for a JSON array of keys of one kind; gives the key asked, too."""

LOOK_UP_OWN = {
    kind: _union([_OWN], by_link, "asked.value, e.list", _CHUNK, asked="asked.value", **_SEEN_BY_OWN) for kind, by_link in _BY_LINK.items()
}
"""The same, where there is nothing in the shared list: in half the time."""

SHARED_HOLDS_ANY = "SELECT EXISTS (SELECT 1 FROM entry WHERE list = 0)"

PAGE = f"SELECT {_ENTRY} FROM entry e WHERE list = ? AND (key, reason) > (?, ?) ORDER BY key, reason LIMIT ?"

ENTRIES_OF = f"SELECT {_ENTRY} FROM json_each(?) asked CROSS JOIN entry e ON e.list = ? AND e.key = asked.value"

ANY_WITHDRAWN = "SELECT EXISTS (SELECT 1 FROM withdrawal WHERE list = ?)"

WITHDRAWALS_OF = """
    SELECT w.key, w.reason, max(w.withdrawn_at)
    FROM json_each(?) asked CROSS JOIN withdrawal w ON w.list = ? AND w.key = asked.value
    GROUP BY w.key, w.reason
"""


def insert_entries(list_id: int, recorded_at: int, rows: int, same: Mapping[int, int | str | bytes | None] | None = None) -> str:
    """The statement that keeps so many new entries of one list.

    What is the same for a whole batch stands in the statement: to bind a value takes longer than to store it.

    Args:
        list_id: The list.
        recorded_at: When they are recorded.
        rows: How many they are; the statement takes key, reason, since, expires_at, verified and source of each.
        same: Which of these it does not take, by their places in that order, and what they are instead.
    """
    same = same or {}
    told = ", ".join(_literal(same[place]) if place in same else "?" for place in range(6))
    return "INSERT INTO entry (list, recorded_at, key, reason, since, expires_at, verified, source) VALUES " + ", ".join(
        [f"({list_id:d}, {recorded_at:d}, {told})"] * rows
    )


def _literal(value: int | str | bytes | None) -> str:
    """A value as it stands in SQL; a text by its bytes, so that nothing in it means anything."""
    if isinstance(value, str):
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return "NULL" if value is None else f"{value:d}"


def upsert_entry(list_id: int, recorded_at: int) -> str:
    """The statement that keeps one entry that may be there. Then it keeps the time at which it was first recorded."""
    return (
        insert_entries(list_id, recorded_at, 1)
        + """
    ON CONFLICT (list, key, reason) DO UPDATE
    SET since = excluded.since, expires_at = excluded.expires_at, verified = excluded.verified, source = excluded.source
    """
    )


CLUSTER = """
    SELECT :key
    UNION SELECT order_key FROM link WHERE address_key = :key AND list = :list
    UNION SELECT address_key FROM link WHERE order_key = :key AND list = :list
    UNION SELECT m.order_key FROM link l JOIN link m ON m.address_key = l.address_key AND m.list = l.list
        WHERE l.order_key = :key AND l.list = :list
"""

LISTS = "SELECT id FROM seller"

ENTRIES_AT = f"SELECT {_ENTRY} FROM entry e WHERE list = ? AND key = ?"
WITHDRAWALS_AT = "SELECT key, reason, max(withdrawn_at) FROM withdrawal WHERE list = ? AND key = ? GROUP BY key, reason"

# These take the new key, and the list and the old key, or just the old key.
RENAME_ENTRY = "UPDATE entry SET key = ? WHERE list = ? AND key = ? AND reason = ?"
RENAME_WITHDRAWALS = "UPDATE OR REPLACE withdrawal SET key = ? WHERE list = ? AND key = ?"
RENAME_ORDER = "UPDATE OR IGNORE link SET order_key = ? WHERE order_key = ?"
RENAME_ADDRESS = "UPDATE link SET address_key = ? WHERE address_key = ?"
DELETE_ORDER = "DELETE FROM link WHERE order_key = ?"

# Two withdrawals in the same microsecond are one.
WITHDRAW = """
    INSERT OR REPLACE INTO withdrawal (list, key, reason, withdrawn_at, why, since, expires_at, recorded_at, verified, source)
    SELECT list, key, reason, ?, ?, since, expires_at, recorded_at, verified, source FROM entry WHERE list = ? AND key = ?
"""

COUNT_KEPT = """
    SELECT count(*) FROM (
        SELECT reason FROM entry WHERE list = ? AND key = ? UNION SELECT reason FROM withdrawal WHERE list = ? AND key = ?
    )
"""
DELETE_ENTRIES = "DELETE FROM entry WHERE list = ? AND key = ?"
DELETE_WITHDRAWALS = "DELETE FROM withdrawal WHERE list = ? AND key = ?"
DELETE_LINKS = "DELETE FROM link WHERE list = ? AND order_key = ?"

LINKS_OF = """
    SELECT l.order_key, l.address_key, l.day
    FROM json_each(?) asked CROSS JOIN link l ON l.order_key = asked.value AND l.list = ?
"""

LINK_PAGE = "SELECT order_key, address_key FROM link WHERE list = ? AND order_key > ? ORDER BY order_key LIMIT ?"

UPSERT_LINK = """
    INSERT INTO link (order_key, list, address_key, day) VALUES (?, ?, ?, ?)
    ON CONFLICT (order_key, list) DO UPDATE SET address_key = excluded.address_key, day = excluded.day
"""

# Takes the time now, the oldest day that is not due, and how many at most.
LINKS_DUE = """
    SELECT l.order_key, l.list, EXISTS (
        SELECT 1 FROM entry e
        WHERE e.list IN (l.list, 0) AND e.key IN (l.order_key, l.address_key) AND (e.expires_at IS NULL OR e.expires_at > ?)
    )
    FROM link l WHERE l.day < ? ORDER BY l.day LIMIT ?
"""
REFRESH_LINK = "UPDATE link SET day = ? WHERE order_key = ? AND list = ?"
FORGET_LINK = "DELETE FROM link WHERE order_key = ? AND list = ?"
