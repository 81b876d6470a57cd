"""What the failures of a server mean, and for which of them to try again at once.

The codes are those of PostgreSQL's appendix A, "PostgreSQL Error Codes".
"""

from optoutkit.errors import StoreCorrupt, StoreError, StoreUnavailable
from optoutkit.stores.postgresql.requests import Failure

__all__ = ["COLLISIONS", "NOT_PREPARED", "OUTDATED", "code_of", "explained"]

COLLISIONS = frozenset({"40001", "40P01"})
"""Two transactions stood in each other's way; nothing of this one was done."""

NOT_PREPARED = frozenset({"26000", "42P05"})
"""A pooler that was not recognised hands the connection round: prepared statements do not stay with it."""

OUTDATED = frozenset({"0A000", "25006", "25007", "3F000", "42703", "42P01"})
"""What a connection can meet that was opened before the server changed: another schema, another role in its cluster."""

_MEANINGS: dict[str, tuple[type[StoreError], str]] = {
    "08": (StoreUnavailable, "the connection to the server is lost: try again"),
    "22P05": (StoreCorrupt, "the database cannot keep every character: make one with the encoding UTF8"),
    "25006": (StoreUnavailable, "the server only reads now, as a standby does: try again, or name the primary"),
    "28": (StoreUnavailable, "the server refuses this user or password: see the URI and pg_hba.conf"),
    "3D": (StoreUnavailable, "there is no such database: make it, or name another one"),
    "40": (StoreUnavailable, "other transactions keep getting in the way: try again"),
    "42501": (StoreUnavailable, "this user may not do that: grant it the schema, its tables, and CREATE for the first time"),
    "42P07": (StoreCorrupt, "the schema holds the tables of another program: name another schema"),
    "42": (StoreCorrupt, "its tables are not those of an opt-out store: restore them from a backup, or name another schema"),
    "3F": (StoreCorrupt, "its schema is gone: restore it from a backup"),
    "53100": (StoreUnavailable, "the server's disk is full: make room and try again"),
    "53200": (StoreUnavailable, "the server is out of memory: try again"),
    "53300": (StoreUnavailable, "the server has no connection left: try again, or allow more, or use a pooler"),
    "53": (StoreUnavailable, "the server lacks resources: try again"),
    "55P03": (StoreUnavailable, "somebody keeps it locked: try again"),
    "57014": (StoreUnavailable, "it takes longer than the timeout: try again, or allow more seconds"),
    "57": (StoreUnavailable, "the server is stopping or starting: try again"),
    "58": (StoreUnavailable, "the server's disk reports an error: see that it is sound, and try again"),
    "XX001": (StoreCorrupt, "a table is damaged: restore it from a backup"),
    "XX002": (StoreCorrupt, "an index is damaged: REINDEX it"),
    "": (StoreUnavailable, "the server does not answer: see that it runs, and try again"),
}
"""By code or class of codes, the longest that fits; the empty one is for whatever says nothing."""

_UNKNOWN = (StoreUnavailable, "the server reports an error: try again")

_WORDS = {
    "password authentication failed": "28P01",
    "authentication failed": "28000",
    "pg_hba.conf": "28000",
    "role … does not exist": "28000",
    "no password supplied": "28P01",
    "no such user": "28P01",
    "database … does not exist": "3D000",
    "no such database": "3D000",
    "too many": "53300",
    "connection slots": "53300",
    "the database system is": "57P03",
}
"""What a server, or PgBouncer, says when it refuses a connection, and the code of it, which the driver does not tell."""


def code_of(words: str) -> str:
    """The code of what was said about a connection that was refused; empty if it is not known."""
    return next((code for phrase, code in _WORDS.items() if phrase in words), "")


def explained(failure: Failure) -> StoreError:
    """What leaves the store in place of a failure."""
    known: tuple[str, ...] = (failure.sqlstate, failure.sqlstate[:2]) if failure.sqlstate else ("",)
    kind, what = next((_MEANINGS[code] for code in known if code in _MEANINGS), _UNKNOWN)
    details = " ".join(word for word in (failure.sqlstate, failure.words) if word)
    return kind(f"{what} ({details})" if details else what)
