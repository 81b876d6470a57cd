"""SQLAlchemy as the other modules of the package know it; this is the one that imports it."""

from optoutkit.errors import MissingExtra

try:
    import sqlalchemy as sa
    from sqlalchemy import event, exc
    from sqlalchemy.dialects import mysql, oracle
except ImportError:
    raise MissingExtra("the sqlalchemy+…:// store", "sqlalchemy") from None

__all__ = ["event", "exc", "mysql", "oracle", "sa"]
