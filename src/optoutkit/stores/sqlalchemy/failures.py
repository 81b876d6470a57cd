"""What the errors of SQLAlchemy and of drivers mean.

MariaDB's and MySQL's numbers are those of their "error reference", SQLite's its primary result codes, five characters are an SQLSTATE.
"""

from optoutkit.errors import StoreCorrupt, StoreError, StoreUnavailable
from optoutkit.stores.sqlalchemy.core import exc

__all__ = ["collides", "explained", "is_there_already"]

_COLLISIONS = {"mysql 1020", "mysql 1213", "40001", "40P01", "sqlite 5", "sqlite 6"}

_REFUSED = "the server refuses this user or password: see the URI"
_FULL = "the disk is full: make room and try again"
_CROWDED = "the server has no connection left: try again, or allow more"
_READ_ONLY = "the server only reads now: try again, or name the one that writes"
_SLOW = "it takes longer than the timeout: try again, or allow more seconds"
_MEANINGS = {
    "mysql 1021": _FULL,
    "mysql 1114": _FULL,
    "53100": _FULL,
    "sqlite 13": _FULL,
    "mysql 1040": _CROWDED,
    "mysql 1203": _CROWDED,
    "mysql 1226": _CROWDED,
    "53300": _CROWDED,
    "mysql 1044": _REFUSED,
    "mysql 1045": _REFUSED,
    "mysql 1698": _REFUSED,
    "mysql 1049": "there is no such database: make it, or name another one",
    "mysql 1142": "this user may not do that: grant it the tables, and CREATE for the first time",
    "42501": "this user may not do that: grant it the tables, and CREATE for the first time",
    "mysql 1290": _READ_ONLY,
    "mysql 1792": _READ_ONLY,
    "mysql 1836": _READ_ONLY,
    "25006": _READ_ONLY,
    "sqlite 8": "the file cannot be written: let this user write it and its folder",
    "sqlite 14": "the file cannot be opened: let this user read and write it and its folder",
    "sqlite 5": "another program keeps it locked: try again",
    "mysql 1205": _SLOW,
    "mysql 1969": _SLOW,
    "mysql 3024": _SLOW,
    "57014": _SLOW,
}
_DAMAGED = "its tables are not those of an opt-out store: restore them from a backup, or name another database"


def collides(error: exc.DBAPIError) -> bool:
    """Whether another transaction got in the way, so that nothing was done, and trying again at once is right."""
    return isinstance(error, exc.IntegrityError) or _code(error) in _COLLISIONS


def is_there_already(error: exc.DBAPIError) -> bool:
    """Whether a table that was to be made was made by somebody else meanwhile."""
    return isinstance(error, exc.ProgrammingError) or _code(error) in {"mysql 1050", "mysql 1061", "sqlite 1"}


def explained(error: exc.SQLAlchemyError) -> StoreError:
    """What leaves the store in place of an error, with the code of it, but none of its words."""
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable("all connections were in use for longer than the timeout: try again, or set a larger pool_size")
    code = _code(error)
    details = f" ({code})" if code else ""
    if code in _MEANINGS:
        return StoreUnavailable(_MEANINGS[code] + details)
    if isinstance(error, exc.ProgrammingError | exc.DataError) or code in {"mysql 1054", "sqlite 1", "sqlite 11", "sqlite 26"}:
        return StoreCorrupt(_DAMAGED + details)
    if isinstance(error, exc.IntegrityError) or code in _COLLISIONS:
        return StoreUnavailable(f"other transactions keep getting in the way: try again{details}")
    return StoreUnavailable(f"the database does not answer: see that it runs, and try again{details}")


def _code(error: exc.SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    if number := getattr(original, "sqlite_errorcode", None):
        return f"sqlite {number & 0xFF}"
    number = next(iter(getattr(original, "args", ())), None)
    if isinstance(number, int):
        return f"mysql {number}"
    return str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
