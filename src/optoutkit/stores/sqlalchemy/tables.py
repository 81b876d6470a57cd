"""The tables of the store for any database, and what is asked of them, in the terms of SQLAlchemy Core.

What stands in the columns: :mod:`optoutkit.stores.rows`. Text is kept as the bytes of its UTF-8, since no two databases agree on
when two texts are equal: case, accents, spaces at the end. Bytes are equal or not, and sort as the keys do.
"""

from typing import Any

from optoutkit.optouts import OptOut
from optoutkit.stores.rows import damaged, micros
from optoutkit.stores.sqlalchemy.core import mysql, oracle, sa

__all__ = [
    "CLUSTER_ADDRESSES",
    "CLUSTER_ORDERS",
    "DELETE_ENTRIES",
    "DELETE_ENTRY",
    "DELETE_LINKS",
    "DELETE_ORDER",
    "DELETE_WITHDRAWALS",
    "ENTRIES_NAMED",
    "ENTRIES_OF",
    "ENTRY",
    "FORGET_LINK",
    "JOIN_ENTRY",
    "KEPT_IN_HISTORY",
    "LINK",
    "LINKS_DUE",
    "LINKS_OF",
    "LINK_PAGE",
    "LOCK_LINKS",
    "LOOK_UP",
    "METADATA",
    "ORDERS_NAMED",
    "PAGE",
    "REFRESH_LINK",
    "RENAME_ADDRESS",
    "RENAME_ENTRY",
    "RENAME_ORDER",
    "RENAME_WITHDRAWALS",
    "SELLERS",
    "UPDATE_ENTRY",
    "UPDATE_LINK",
    "VERSION",
    "WITHDRAWAL",
    "WITHDRAW_ENTRY",
    "values_of",
]

KEPT_IN_HISTORY = ("entry_key", "reason", "since", "expires_at", "recorded_at", "verified", "source")
"""The columns of an entry that are copied when it is withdrawn."""

_SHARED = "*"


def values_of(entry: OptOut, recorded_at: int | None) -> dict[str, Any]:
    """What is written of an entry in force, beside its place."""
    return {
        "since": micros(entry.since),
        "expires_at": micros(entry.expires_at),
        "recorded_at": recorded_at,
        "verified": int(entry.verified),
        "source": entry.source,
        "withdrawn": 0,
    }


class _Text(sa.TypeDecorator[str]):
    """Text as bytes, in a column that an index can be on."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.characters = characters

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The type that databases whose binary column is made for pictures have for short ones."""
        kind = {"mysql": mysql.VARBINARY, "mariadb": mysql.VARBINARY, "oracle": oracle.RAW}.get(dialect.name, sa.LargeBinary)
        return dialect.type_descriptor(kind(self.characters * 4))

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Text on its way to the database."""
        return None if value is None else value.encode()

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Bytes on their way back."""
        try:
            return None if value is None else value.decode()
        except (AttributeError, ValueError) as error:  # SQLite keeps anything in any column
            raise damaged() from error


_SELLER, _KEY, _NOTE = _Text(255), _Text(128), _Text(500)
METADATA = sa.MetaData()

VERSION = sa.Table(
    "optoutkit_version", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("version", sa.Integer, nullable=False)
)


def _told() -> list["sa.Column[Any]"]:
    """The columns of an entry, beside those of its place."""
    return [
        sa.Column("since", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("verified", sa.SmallInteger, nullable=False),
        sa.Column("source", _NOTE, nullable=False),
    ]


ENTRY = sa.Table(
    "optoutkit_entry",
    METADATA,
    sa.Column("seller", _SELLER, primary_key=True),
    sa.Column("entry_key", _KEY, primary_key=True),
    sa.Column("reason", sa.SmallInteger, primary_key=True, autoincrement=False),
    *_told(),
    sa.Column("withdrawn", sa.SmallInteger, nullable=False),
    sa.Column("withdrawn_at", sa.BigInteger),
)
"""A withdrawn entry stays; with it goes the time by which what is told later is judged."""

WITHDRAWAL = sa.Table(
    "optoutkit_withdrawal",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("seller", _SELLER, nullable=False),
    sa.Column("entry_key", _KEY, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("withdrawn_at", sa.BigInteger, nullable=False),
    sa.Column("why", _NOTE, nullable=False),
    *_told(),
    sa.Index("optoutkit_withdrawal_by_key", "seller", "entry_key"),
)
"""The history of an entry, which can be withdrawn more than once."""

LINK = sa.Table(
    "optoutkit_link",
    METADATA,
    sa.Column("seller", _SELLER, primary_key=True),
    sa.Column("order_key", _KEY, primary_key=True),
    sa.Column("address_key", _KEY, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    sa.Index("optoutkit_link_by_address", "seller", "address_key"),
    sa.Index("optoutkit_link_by_day", "day"),
)

_e, _l, _m = ENTRY.alias("e"), LINK.alias("l"), LINK.alias("m")
_seller = sa.bindparam("of_seller", type_=_SELLER)
_keys = sa.bindparam("keys", type_=_KEY, expanding=True)
_entry = (_e.c.entry_key, _e.c.reason, _e.c.since, _e.c.expires_at, _e.c.verified, _e.c.source)


def _look_up(kind: str) -> "sa.CompoundSelect[Any]":
    """Entries, links and both lists in one statement.

    Links of the seller's list lead to entries of that list and of the shared one, links of the shared list to shared entries. Every
    branch seeks by equality.
    """
    branches = []
    for shared in (False, True):
        entries = _e.c.seller == (_SHARED if shared else _seller)
        links = _l.c.seller.in_([_seller, _SHARED]) if shared else _l.c.seller == _seller
        here = sa.literal(int(shared)).label("shared")
        asked = _l.c.address_key if kind == "address" else _l.c.order_key
        linked = sa.select(asked.label("asked"), here, *_entry).where(links, asked.in_(_keys), entries, _e.c.withdrawn == 0)
        branches.append(
            sa.select(_e.c.entry_key.label("asked"), here, *_entry).where(entries, _e.c.entry_key.in_(_keys), _e.c.withdrawn == 0)
        )
        if kind == "address":
            branches.append(linked.select_from(_l.join(_e, _e.c.entry_key == _l.c.order_key)))
        else:
            branches.append(linked.select_from(_l.join(_e, _e.c.entry_key == _l.c.address_key)))
            siblings = (_m.c.seller == _l.c.seller) & (_m.c.address_key == _l.c.address_key) & (_m.c.order_key != _l.c.order_key)
            branches.append(linked.select_from(_l.join(_m, siblings).join(_e, _e.c.entry_key == _m.c.order_key)))
    return sa.union_all(*branches)


LOOK_UP = {kind: _look_up(kind) for kind in ("address", "order")}
"""By the kind of the identities asked. Gives rows as :func:`optoutkit.stores.batches.answer` takes them."""

_last, _reason = sa.bindparam("last", type_=_KEY), sa.bindparam("last_reason", type_=sa.SmallInteger)

# key >= last is what the index is searched by; the rest passes over the few that were told already.
PAGE = (
    sa.select(*_entry)
    .where(_e.c.seller == _seller, _e.c.entry_key >= _last, ~((_e.c.entry_key == _last) & (_e.c.reason <= _reason)), _e.c.withdrawn == 0)
    .order_by(_e.c.entry_key, _e.c.reason)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
LINK_PAGE = (
    sa.select(_l.c.order_key, _l.c.address_key)
    .where(_l.c.seller == _seller, _l.c.order_key > _last)
    .order_by(_l.c.order_key)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
SELLERS = sa.union(sa.select(ENTRY.c.seller), sa.select(LINK.c.seller))

ENTRIES_OF = (
    sa.select(
        *(_e.c.entry_key, _e.c.reason, _e.c.withdrawn, _e.c.withdrawn_at, _e.c.since, _e.c.expires_at, _e.c.verified, _e.c.source),
        _e.c.recorded_at,
    )
    .where(_e.c.seller == _seller, _e.c.entry_key.in_(_keys))
    .order_by(_e.c.entry_key, _e.c.reason)
    .with_for_update()
)
"""Gives what is there, and locks it, where the database has locks."""

_here = (
    (ENTRY.c.seller == _seller)
    & (ENTRY.c.entry_key == sa.bindparam("of_key", type_=_KEY))
    & (ENTRY.c.reason == sa.bindparam("of_reason", type_=sa.SmallInteger))
)
UPDATE_ENTRY = (
    sa.update(ENTRY)
    .where(_here)
    .values({name: sa.bindparam(f"new_{name}") for name in ("since", "expires_at", "verified", "source", "recorded_at", "withdrawn")})
)
WITHDRAW_ENTRY = sa.update(ENTRY).where(_here).values(withdrawn=1, withdrawn_at=sa.bindparam("new_withdrawn_at"))

CLUSTER_ADDRESSES = sa.select(_l.c.address_key).where(_l.c.seller == _seller, _l.c.order_key.in_(_keys))
CLUSTER_ORDERS = sa.select(_l.c.order_key).where(_l.c.seller == _seller, _l.c.address_key.in_(_keys))
DELETE_ENTRIES = sa.delete(ENTRY).where(ENTRY.c.seller == _seller, ENTRY.c.entry_key.in_(_keys))
DELETE_WITHDRAWALS = sa.delete(WITHDRAWAL).where(WITHDRAWAL.c.seller == _seller, WITHDRAWAL.c.entry_key.in_(_keys))
DELETE_LINKS = sa.delete(LINK).where(LINK.c.seller == _seller, LINK.c.order_key.in_(_keys))

LINKS_OF = sa.select(_l.c.order_key, _l.c.address_key, _l.c.day).where(_l.c.seller == _seller, _l.c.order_key.in_(_keys))
LOCK_LINKS = LINKS_OF.order_by(_l.c.order_key).with_for_update()

_this = (LINK.c.seller == _seller) & (LINK.c.order_key == sa.bindparam("of_order", type_=_KEY))
UPDATE_LINK = sa.update(LINK).where(_this).values(address_key=sa.bindparam("new_address_key"), day=sa.bindparam("new_day"))

# Nothing is locked when links are looked at. What somebody learns again in between is not due any more, and stays as it is.
_due = sa.bindparam("due", type_=sa.Integer)
LINKS_DUE = (
    sa.select(
        _l.c.seller,
        _l.c.order_key,
        sa.exists().where(
            _e.c.seller.in_([_l.c.seller, sa.literal(_SHARED, _SELLER)]),
            _e.c.entry_key.in_([_l.c.order_key, _l.c.address_key]),
            _e.c.withdrawn == 0,
            _e.c.expires_at.is_(None) | (_e.c.expires_at > sa.bindparam("now", type_=sa.BigInteger)),
        ),
    )
    .where(_l.c.day < _due)
    .order_by(_l.c.day)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
REFRESH_LINK = sa.update(LINK).where(_this, LINK.c.day < _due).values(day=sa.bindparam("new_day"))
FORGET_LINK = sa.delete(LINK).where(_this, LINK.c.day < _due)

# Giving an identity another name, in all lists.
_sellers = sa.bindparam("sellers", type_=_SELLER, expanding=True)
_old, _new = sa.bindparam("old_key", type_=_KEY), sa.bindparam("new_key", type_=_KEY)
ENTRIES_NAMED = (
    sa.select(ENTRY)
    .where(ENTRY.c.seller.in_(_sellers), ENTRY.c.entry_key.in_([_old, _new]))
    .order_by(ENTRY.c.seller, ENTRY.c.entry_key, ENTRY.c.reason)
    .with_for_update()
)
RENAME_ENTRY = sa.update(ENTRY).where(_here).values(entry_key=_new)
JOIN_ENTRY = sa.update(ENTRY).where(_here).values(withdrawn_at=sa.bindparam("new_withdrawn_at"))
DELETE_ENTRY = sa.delete(ENTRY).where(_here)
RENAME_WITHDRAWALS = sa.update(WITHDRAWAL).where(WITHDRAWAL.c.seller.in_(_sellers), WITHDRAWAL.c.entry_key == _old).values(entry_key=_new)
ORDERS_NAMED = (
    sa.select(LINK.c.seller, LINK.c.order_key).where(LINK.c.seller.in_(_sellers), LINK.c.order_key.in_([_old, _new])).with_for_update()
)
RENAME_ORDER = sa.update(LINK).where(_this).values(order_key=_new)
DELETE_ORDER = sa.delete(LINK).where(_this)
RENAME_ADDRESS = sa.update(LINK).where(LINK.c.seller.in_(_sellers), LINK.c.address_key == _old).values(address_key=_new)
