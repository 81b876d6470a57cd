"""The file: whose it is, which version it has, and how it becomes a newer one."""

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreCorrupt, StoreUnavailable, StoreVersionError
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.sqlite import SqliteStore, schema

BUYER, ORDER = Address("buyer@example.com"), OrderId("302-1234567-1234567")
SES_ID = "<0102019a2b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"
Raw = Callable[..., list[Any]]

# A step as a later version might bring: a column that is filled from what is there, and a table.
STEP = ("ALTER TABLE entry ADD COLUMN kind TEXT", "UPDATE entry SET kind = substr(key, 1, 1)", "CREATE TABLE extra (id INTEGER)")


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make this optoutkit one whose schema has more steps."""

    def be_newer(*steps: tuple[str, ...]) -> None:
        monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + steps)

    return be_newer


def test_a_new_file_says_what_it_is(path: Path, raw: Raw) -> None:
    """It bears our application ID and the version of its schema, and keeps a write-ahead log."""
    SqliteStore(path).close()
    assert raw("PRAGMA application_id") == [(int.from_bytes(b"OOTK", "big"),)]
    assert raw("PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    assert raw("PRAGMA journal_mode") == [("wal",)]


def test_an_older_file_is_brought_up_to_date(path: Path, raw: Raw, newer: Callable[..., None]) -> None:
    """Each step that the file has not seen is done once, and what was in it is there afterwards."""
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER), OptOut(ORDER)])
    newer(STEP, ("INSERT INTO extra VALUES (3)",))
    for _ in range(2):
        with SqliteStore(path) as store:
            assert store.lookup([BUYER, ORDER]).keys() == {BUYER, ORDER}
    assert raw("PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    assert raw("SELECT kind FROM entry") == [("a",), ("o",)]
    assert raw("SELECT id FROM extra") == [(3,)]


def test_a_file_of_version_1_keeps_all_it_has(path: Path, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries, history and links of every kind are the same after the step that packs them, and take part in whatever is told later."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        connection = sqlite3.connect(path, isolation_level=None)
        schema.prepare(connection)
        day = 86_400_000_000
        digest = "d:address:k:" + "6f" * 16
        connection.executemany(
            "INSERT INTO entry VALUES (1, ?, 20, ?, ?, ?, ?, ?)",
            [
                ("a:buyer@example.com", day, None, 5 * day, 1, SES_ID),
                (digest, day + 1, 2**56, 5 * day, 0, "a mail"),
                ("o:302-1234567-1234567", None, None, 5 * day, 0, ""),
            ],
        )
        connection.execute("INSERT INTO withdrawal VALUES (1, ?, 40, ?, 'why', ?, NULL, ?, 0, 'x')", (digest, 7 * day, day, day))
        connection.execute("INSERT INTO link VALUES ('o:302-7654321-1234567', 1, ?, 20000)", (digest,))
        connection.close()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    address, order = Digest("address", "k", b"o" * 16), OrderId("302-7654321-1234567")
    entry = OptOut(
        address, since=epoch + timedelta(days=1, microseconds=1), expires_at=epoch + timedelta(microseconds=2**56), source="a mail"
    )
    with SqliteStore(path) as store:
        assert list(store.scan()) == [OptOut(BUYER, since=epoch + timedelta(days=1), source=SES_ID, verified=True), entry, OptOut(ORDER)]
        assert store.lookup([order]) == {order: entry}
        assert store.record([OptOut(address, reason=Reason.MANUAL, since=epoch + timedelta(days=6))]).known == 1
    assert raw("SELECT withdrawn_at, why, since, recorded_at FROM withdrawal") == [(7 * day, "why", 86_400, 86_400)]
    assert raw("SELECT recorded_at FROM entry") == [(5 * 86_400,)] * 3


def test_a_new_file_goes_through_all_steps(path: Path, raw: Raw, newer: Callable[..., None]) -> None:
    """A file that is new to a newer version ends up like one that was brought up to date."""
    newer(STEP)
    SqliteStore(path).close()
    assert raw("SELECT count(*) FROM extra") == [(0,)]


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is done whole or not at all."""
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER)])
    before = raw("SELECT sql FROM sqlite_master"), raw("PRAGMA user_version")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, STEP, ("INSERT INTO nowhere VALUES (1)",)))
        with pytest.raises(StoreCorrupt, match="no such table: nowhere"):
            SqliteStore(path)
    assert (raw("SELECT sql FROM sqlite_master"), raw("PRAGMA user_version")) == before
    with SqliteStore(path) as store:
        assert BUYER in store.lookup([BUYER])


def test_a_newer_file_is_left_alone(path: Path, raw: Raw) -> None:
    """A file of a newer version is refused, with both versions and what to do."""
    SqliteStore(path).close()
    raw("PRAGMA user_version = 99")
    with pytest.raises(StoreVersionError, match=r"optouts.db: .*version 99.* knows 2: update optoutkit"):
        SqliteStore(path)
    assert raw("PRAGMA user_version") == [(99,)]


def test_a_store_that_is_open_notices_a_newer_version(path: Path, raw: Raw) -> None:
    """When another process brings the file to a newer schema, this one stops writing to it, and says why it cannot read."""
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER)])
        raw("PRAGMA user_version = 99")
        with pytest.raises(StoreVersionError, match="version 99"):
            store.record([OptOut(ORDER)])
        with pytest.raises(StoreVersionError, match="version 99"):
            store.lookup([BUYER])
    assert raw("SELECT key FROM entry") == [("a:buyer@example.com",)]


def test_reading_tables_of_a_newer_version_says_so(path: Path, raw: Raw) -> None:
    """A statement that no longer fits is not taken for damage."""
    with SqliteStore(path) as store:
        raw("PRAGMA user_version = 99")
        raw("ALTER TABLE entry RENAME TO suppression")
        with pytest.raises(StoreVersionError, match="version 99"):
            store.lookup([BUYER])


def test_a_file_set_back_to_an_older_version_is_noticed(path: Path, raw: Raw) -> None:
    """A version that changes under an open store is not written to."""
    with SqliteStore(path) as store:
        raw("PRAGMA user_version = 0")
        with pytest.raises(StoreVersionError, match="open it again"):
            store.record([OptOut(BUYER)])


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (id)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_the_file_of_another_program_is_left_alone(path: Path, raw: Raw, statement: str) -> None:
    """It is refused, and not a byte of it is changed."""
    raw(statement)
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match=r"optouts.db: .* another program"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["optouts.db"]


def test_a_file_is_not_misread_while_another_process_makes_it(path: Path) -> None:
    """Whoever is second sees the file before it was made or after, never its mark without its version."""

    class Interrupted(sqlite3.Connection):
        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
            if statement == "PRAGMA user_version":
                with contextlib.suppress(StoreUnavailable):  # it may well be kept out
                    SqliteStore(path, timeout=0).close()
            return super().execute(statement, *parameters)

    connection = sqlite3.connect(path, isolation_level=None, factory=Interrupted)
    schema.prepare(connection)
    schema.check_version(connection)
    connection.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    """A file that ``touch`` or ``mktemp`` has made is as good as none."""
    path.touch()
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER)])


def test_tables_that_are_missing_are_damage(path: Path, raw: Raw) -> None:
    """A file with our mark but without our tables is corrupt, and the error names what is missing."""
    SqliteStore(path).close()
    raw("DROP TABLE entry")
    with SqliteStore(path) as store, pytest.raises(StoreCorrupt, match="no such table: entry"):
        store.lookup([BUYER])
