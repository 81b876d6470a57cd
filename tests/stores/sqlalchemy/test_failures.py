"""A database that is down, slow, full, read-only, or of another mind: what the store says, and that the next call works."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from benchmarks.servers import free_port

from optoutkit.errors import StoreCorrupt, StoreError, StoreUnavailable, StoreVersionError
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import OptOutStore
from optoutkit.stores.sqlalchemy import SqlAlchemyStore, database

BUYER, OTHER, ORDER = Address("buyer@example.com"), Address("other@example.com"), OrderId("302-1234567-1234567")
Open = Callable[[str], OptOutStore]
Raw = Callable[..., list[Any]]

READING: dict[str, Callable[[OptOutStore], object]] = {
    "lookup": lambda store: store.lookup([BUYER]),
    "scan": lambda store: list(store.scan()),
}
WRITING: dict[str, Callable[[OptOutStore], object]] = {
    "record": lambda store: store.record([OptOut(BUYER)]),
    "link": lambda store: store.link([(ORDER, BUYER)]),
    "withdraw": lambda store: store.withdraw([BUYER]),
    "erase": lambda store: store.erase([BUYER]),
    "health": lambda store: store.health(),
}
VERBS = READING | WRITING


def assert_tells_nothing(error: BaseException, *secrets: str) -> None:
    """The error and what it came from are ours, and name neither server nor user nor what was sent."""
    told: BaseException | None = error
    while told is not None:
        assert isinstance(told, StoreError)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    for secret in ("127.0.0.1", "root@", "buyer@", *secrets):
        assert secret not in str(error)


# Down, and refused


def test_a_server_that_was_restarted_is_met_again(open_either: Open, own_mariadb: Any) -> None:
    """While it is down every verb says so; once it is back the next call works, though all connections were cut."""
    with open_either(f"{own_mariadb.url}shop") as store:
        store.record([OptOut(BUYER)])
        own_mariadb.stop()
        for verb in VERBS.values():
            with pytest.raises(StoreUnavailable, match="does not answer") as raised:
                verb(store)
            assert_tells_nothing(raised.value)
        own_mariadb.start()
        assert store.lookup([BUYER]).keys() == {BUYER}
        own_mariadb.stop()  # between two calls, so that nobody notices
        own_mariadb.start()
        for verb in VERBS.values():
            verb(store)


@pytest.mark.parametrize("dialect", ["mysql+pymysql", "postgresql+psycopg"])
def test_a_server_that_is_not_there(open_either: Open, dialect: str) -> None:
    """Whatever the driver says about it, it is said in our words."""
    url = f"{dialect}://my_user:my_secret@127.0.0.1:{free_port()}/my_database"
    with pytest.raises(StoreUnavailable, match="does not answer") as raised, open_either(url) as store:
        store.health()
    assert_tells_nothing(raised.value, "my_user", "my_secret", "my_database")


@pytest.mark.parametrize(
    ("who", "name", "says"),
    [
        ("shop:wrong", "shop", "refuses this user or password"),
        ("nobody_here", "shop", "refuses this user or password"),
        ("shop:right", "shop", "refuses this user or password"),
        ("root", "nosuch_database", "no such database"),
    ],
)
def test_who_is_not_let_in_is_told_why(open_either: Open, own_mariadb: Any, who: str, name: str, says: str) -> None:
    """Password, rights and database have texts of their own, in which none of them is repeated."""
    with (
        pytest.raises(StoreUnavailable, match=says) as raised,
        open_either(f"mysql+pymysql://{who}@127.0.0.1:{own_mariadb.port}/{name}") as store,
    ):
        store.health()
    assert_tells_nothing(raised.value, "wrong", "nobody_here", "nosuch_database")


def test_a_server_without_a_free_connection(open_either: Open, own_mariadb: Any) -> None:
    """Too many connections have a text of their own."""
    url = f"mysql+pymysql://crowded@127.0.0.1:{own_mariadb.port}/shop"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect(), pytest.raises(StoreUnavailable, match="no connection left"), open_either(url) as store:
        store.health()


def test_a_server_that_only_reads(open_either: Open, own_mariadb: Any, raw: Raw) -> None:
    """Lookups go on, what writes says why it cannot, and works again as soon as the server does."""
    root = f"{own_mariadb.url}shop"
    raw(root, "GRANT ALL ON shop.* TO crowded@'127.0.0.1' WITH MAX_USER_CONNECTIONS 100")
    with open_either(f"mysql+pymysql://crowded@127.0.0.1:{own_mariadb.port}/shop") as store:
        store.record([OptOut(BUYER)])
        raw(root, "SET GLOBAL read_only = 1")
        with pytest.raises(StoreUnavailable, match="only reads now"):
            store.record([OptOut(OTHER)])
        assert store.lookup([BUYER]).keys() == {BUYER}
        raw(root, "SET GLOBAL read_only = 0")
        for verb in VERBS.values():
            verb(store)
    raw(root, "GRANT ALL ON shop.* TO crowded@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1")


# Locked, slow, full


@pytest.mark.parametrize("verb", WRITING)
def test_rows_that_are_locked_are_waited_for(open_either: Open, used_mysql_url: str, verb: str) -> None:
    """Longer than the timeout is StoreUnavailable; when the lock is gone, all is well."""
    engine = sa.create_engine(used_mysql_url)
    with open_either(f"{used_mysql_url}?timeout=1") as store:
        store.health()
        with engine.connect() as blocker:
            blocker.exec_driver_sql("LOCK TABLES optoutkit_entry WRITE, optoutkit_link WRITE, optoutkit_withdrawal WRITE")
            with pytest.raises(StoreUnavailable) as raised:
                WRITING[verb](store)
            assert_tells_nothing(raised.value)
            blocker.exec_driver_sql("UNLOCK TABLES")
        WRITING[verb](store)
    engine.dispose()


def test_a_file_that_is_locked_is_waited_for(open_either: Open, sqlite_url: str, tmp_path: Path) -> None:
    """SQLite says so, too."""
    with open_either(f"{sqlite_url}?timeout=0.01") as store:
        store.health()
        other = sqlite3.connect(tmp_path / "optouts.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"keeps it locked.*sqlite 5"):
            store.record([OptOut(BUYER)])
        other.close()
        assert store.record([OptOut(BUYER)]).new == 1


@pytest.mark.parametrize(
    ("number", "error", "says"),
    [
        (1021, StoreUnavailable, "disk is full"),
        (1114, StoreUnavailable, "disk is full"),
        (1205, StoreUnavailable, "longer than the timeout"),
        (1213, StoreUnavailable, "keep getting in the way"),
        (1054, StoreCorrupt, "not those of an opt-out store"),
        (1317, StoreUnavailable, "does not answer"),
    ],
)
def test_what_the_server_reports_becomes_an_error_of_ours(
    open_either: Open, used_mysql_url: str, raw: Raw, number: int, error: type[StoreError], says: str
) -> None:
    """Each kind has a text of its own, with the server's number and none of its words; afterwards the store works."""
    with open_either(used_mysql_url) as store:
        store.health()
        signal = f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'cannot keep buyer@example.com'"
        raw(used_mysql_url, f"CREATE TRIGGER complain BEFORE INSERT ON optoutkit_entry FOR EACH ROW {signal}")
        with pytest.raises(error, match=rf"{says}.*\(mysql {number}\)") as raised:
            store.record([OptOut(BUYER)])
        assert_tells_nothing(raised.value)
        raw(used_mysql_url, "DROP TRIGGER complain")
        assert store.record([OptOut(BUYER)]).new == 1


def test_nobody_waits_for_ever_for_a_connection(sqlite_url: str) -> None:
    """Where all connections are in use for longer than the timeout, that is told."""
    full = pytest.raises(StoreUnavailable, match="all connections were in use")
    with SqlAlchemyStore(sqlite_url, pool_size=1, timeout=0.01) as store, store._database._engine.connect(), full:
        store.lookup([BUYER])


# Other tables than ours


def test_a_newer_schema_is_left_alone(open_either: Open, url: str, raw: Raw) -> None:
    """It is refused, with both versions and what to do; a store that is open stops writing."""
    with open_either(url) as store:
        store.record([OptOut(BUYER)])
        raw(url, "UPDATE optoutkit_version SET version = 99")
        with pytest.raises(StoreVersionError, match=r"version 99.* knows 1: update optoutkit"):
            store.record([OptOut(OTHER)])
    with pytest.raises(StoreVersionError, match="version 99"), open_either(url) as store:
        store.health()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("DROP TABLE optoutkit_entry", "not those of an opt-out store"),
        ("DELETE FROM optoutkit_version", "must hold one row"),
        ("UPDATE optoutkit_entry SET reason = 77", "no optoutkit has written"),
        ("UPDATE optoutkit_entry SET entry_key = X'78'", "no optoutkit has written"),
        ("UPDATE optoutkit_entry SET source = X'FF'", "no optoutkit has written"),
    ],
)
def test_tables_that_are_damaged_are_reported(open_either: Open, url: str, raw: Raw, damage: str, says: str) -> None:
    """What is missing or means nothing is StoreCorrupt, not an empty list."""
    with open_either(url) as store:
        store.record([OptOut(BUYER)])
        raw(url, damage)
        with pytest.raises(StoreCorrupt, match=says):
            store.record(list(store.scan()))


def test_a_file_of_another_kind_is_refused(open_either: Open, tmp_path: Path) -> None:
    """What is no database is StoreCorrupt."""
    (tmp_path / "letter").write_text("Dear Sir or Madam, this is not a database. " * 30)
    with pytest.raises(StoreCorrupt), open_either(f"sqlite:///{tmp_path}/letter") as store:
        store.health()


def test_a_folder_that_is_missing(open_either: Open, tmp_path: Path) -> None:
    """A file that cannot be opened has a text of its own."""
    with pytest.raises(StoreUnavailable, match="cannot be opened"), open_either(f"sqlite:///{tmp_path}/nowhere/x.db") as store:
        store.health()


def test_tables_that_cannot_be_made_are_reported(open_either: Open, mysql_url: str, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of another program by our names are left alone, after a few attempts, as they could be our own in the making."""
    monkeypatch.setattr(database, "_ATTEMPTS", 2)
    raw(mysql_url, "CREATE TABLE optoutkit_version (theirs int)")
    with pytest.raises(StoreCorrupt, match="not those of an opt-out store"), open_either(mysql_url) as store:
        store.health()
    assert raw(mysql_url, "SHOW TABLES") == [("optoutkit_version",)]
