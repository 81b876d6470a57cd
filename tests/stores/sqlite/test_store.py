"""What is particular to the SQLite store: the file, its size, and how it is read."""

import random
import sqlite3
import string
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.rows import micros
from optoutkit.stores.sqlite import SqliteStore
from optoutkit.stores.sqlite.packing import whole_seconds
from optoutkit.testing.stores import ManualClock

BUYER, ORDER = Address("buyer@example.com"), OrderId("302-1234567-1234567")
SES_MESSAGE_ID = "<0102019a2b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"
Raw = Callable[..., list[Any]]


def aliases(count: int) -> list[Address]:
    """Buyers as Amazon shows them."""
    letters = random.Random(7)  # the same in each run
    return [
        Address("".join(letters.choices(string.ascii_lowercase + string.digits, k=14)) + "@marketplace.amazon.de") for _ in range(count)
    ]


def test_every_withdrawal_stays_in_the_file(path: Path, clock: ManualClock, raw: Raw) -> None:
    """Who opted out when, and when and why it was taken back, can be told years later, each time it happened."""
    first, second = clock.now, clock.now
    with SqliteStore(path, clock=clock) as store:
        store.record([OptOut(BUYER, since=first, source="mail 1")])
        first_end = clock.advance(days=1)
        store.withdraw([BUYER], why="called us")
        second = clock.advance(days=1)
        store.record([OptOut(BUYER, since=second, source="mail 2")])
        second_end = clock.advance(days=1)
        store.withdraw([BUYER], why="wrote again")
    assert raw("SELECT since, source, recorded_at, withdrawn_at, why FROM withdrawal ORDER BY withdrawn_at") == [
        (whole_seconds(first), "mail 1", whole_seconds(first), micros(first_end), "called us"),
        (whole_seconds(second), "mail 2", whole_seconds(second), micros(second_end), "wrote again"),
    ]


def test_the_time_of_recording_is_the_first(path: Path, clock: ManualClock, raw: Raw) -> None:
    """When a store learnt of an opt-out does not change when it hears more of it."""
    with SqliteStore(path, clock=clock) as store:
        store.record([OptOut(BUYER)])
        recorded_at = clock.now
        store.record([OptOut(BUYER, since=clock.advance(days=1), verified=True, source="x")])
    assert raw("SELECT recorded_at, since, source FROM entry") == [(whole_seconds(recorded_at), whole_seconds(clock.now), "x")]


def test_what_is_erased_is_gone_from_the_disk(path: Path) -> None:
    """No byte of an erased address is left in the file or in its log, though the store is still open."""
    with SqliteStore(path) as store:
        store.record(OptOut(Address(f"somebody{number}@example.com")) for number in range(300))
        store.link([(OrderId(f"302-{number:07}-1234567"), Address(f"somebody{number}@example.com")) for number in range(300)])
        store.withdraw([Address("somebody7@example.com")], why="no secret")
        store.erase(Address(f"somebody{number}@example.com") for number in range(300))
        files = list(path.parent.iterdir())
        assert len(files) == 3
        assert [file.name for file in files if b"somebody" in file.read_bytes()] == []


def test_a_reader_does_not_stand_in_the_way_of_erasing(path: Path) -> None:
    """Somebody who reads for long keeps the log from being emptied, not the erasure from being done."""
    with SqliteStore(path, timeout=0.05) as store:
        store.record([OptOut(BUYER)])
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM entry").fetchall()
        assert store.erase([BUYER]).erased == 1
        assert store.lookup([BUYER]) == {}
        reader.close()


def size_of_an_entry(path: Path, identities: Sequence[Identity], source: str) -> float:
    """How many bytes of the file one of 20,000 entries takes, recorded in batches in any order, all in all."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    with SqliteStore(path) as store:
        for start in range(0, len(identities), 2000):
            store.record(OptOut(one, since=since, source=source, verified=True) for one in identities[start : start + 2000])
    return path.stat().st_size / len(identities)


@pytest.mark.parametrize(
    "source", ["import of June", "<0102019a2b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"]
)
def test_an_entry_takes_little_room(path: Path, source: str) -> None:
    """An address takes at most 120 bytes, also with the Message-ID of a notice."""
    assert size_of_an_entry(path, aliases(20_000), source) <= 120


def test_a_digest_takes_half_of_that(path: Path) -> None:
    """A digest that was imported takes at most 60 bytes."""
    digests = [Digest("address", "2026", buyer.digest(b"s" * 32)) for buyer in aliases(20_000)]
    assert size_of_an_entry(path, digests, "") <= 60


@pytest.mark.parametrize("source", ["'); DROP TABLE entry; --", 'Käufer "\\" ?1 :own', "<1@a.example>", SES_MESSAGE_ID])
def test_what_a_large_batch_has_in_common_is_kept_to_the_letter(path: Path, source: str) -> None:
    """A value that stands in the statement, instead of being bound for each entry, means nothing but itself."""
    since, expires_at = datetime(2026, 9, 10, microsecond=5, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    told = [OptOut(buyer, since=since, expires_at=expires_at, source=source, verified=True) for buyer in aliases(530)]
    with SqliteStore(path) as store:
        assert store.record(told).new == len(told)
        assert list(store.scan()) == sorted(told, key=lambda entry: entry.identity.key)


def test_a_large_batch_in_which_something_is_known_is_merged(path: Path, clock: ManualClock) -> None:
    """Whether a batch is recorded as new or merged, what comes of it is the same: something known, withdrawn or told twice."""
    buyers = aliases(1000)
    since = clock.now
    with SqliteStore(path, clock=clock) as store:
        assert store.record([OptOut(buyer, since=since) for buyer in buyers] * 2).known == 1000
        store.withdraw(buyers[:1])
        assert store.record(OptOut(buyer, since=since, seller="a") for buyer in buyers).new == 1000
        assert store.record(OptOut(buyer, since=since) for buyer in buyers).new == 0
        assert store.record([OptOut(buyer, seller=seller) for buyer in aliases(1001) for seller in ("a", "b")]).new == 1 + 1001


@pytest.fixture
def statements(path: Path) -> Callable[[Callable[[SqliteStore], object]], list[str]]:
    """What is sent to SQLite while something is done with a store."""

    def record(work: Callable[[SqliteStore], object]) -> list[str]:
        sent: list[str] = []
        with SqliteStore(path) as store:
            store._connections.read(lambda connection: connection.set_trace_callback(sent.append))
            work(store)
            store._connections.read(lambda connection: connection.set_trace_callback(None))
        return sent

    return record


@pytest.mark.parametrize("asked", [BUYER, ORDER])
def test_one_identity_is_one_statement(statements: Callable[..., list[str]], asked: Any) -> None:
    """Links, own entries and shared ones are joined in one statement."""
    assert len(statements(lambda store: store.lookup([asked]))) == 1


def test_many_identities_are_looked_up_in_chunks(statements: Callable[..., list[str]]) -> None:
    """10,000 identities take 20 statements, and one to see whether the shared list is in use."""
    buyers = aliases(10_000)
    assert len(statements(lambda store: store.lookup(buyers))) == 21


def test_a_sellers_number_is_asked_for_once(path: Path, statements: Callable[..., list[str]]) -> None:
    """Once it is known that a seller has a list, a lookup is one statement for that seller too."""
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER, "shop")])

    def work(store: SqliteStore) -> None:
        for _ in range(3):
            store.lookup([BUYER], seller="shop")

    assert len(statements(work)) == 4


def test_linking_again_on_the_same_day_writes_nothing(path: Path, clock: ManualClock) -> None:
    """A guard links with every message; what is known of today costs no write."""
    with SqliteStore(path, clock=clock) as store:
        store.link([(ORDER, BUYER)])
        log = path.with_name("optouts.db-wal")
        size = log.stat().st_size
        store.link([(ORDER, BUYER)])
        assert log.stat().st_size == size
        clock.advance(days=1)
        store.link([(ORDER, BUYER)])
        assert log.stat().st_size > size


def test_a_scan_that_rests_holds_nothing(path: Path, raw: Raw) -> None:
    """Between two pages others may write, and the log can be emptied."""
    with SqliteStore(path) as store:
        store.record(OptOut(buyer) for buyer in aliases(1200))
        entries = store.scan()
        next(entries)
        store.record([OptOut(Address("0@example.com"))])  # behind it
        assert raw("PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]
        assert len(list(entries)) == 1199


def test_nothing_is_made_for_a_seller_who_is_only_asked_about(path: Path, raw: Raw) -> None:
    """Lookups, scans and withdrawals under an unknown name leave no trace."""
    with SqliteStore(path) as store:
        store.lookup([BUYER], seller="x")
        store.withdraw([BUYER], seller="x")
        store.erase([BUYER], seller="x")
        list(store.scan(seller="x"))
    assert raw("SELECT name FROM seller ORDER BY id") == [(SHARED,), ("",)]


@pytest.mark.parametrize(
    "damage",
    [
        "INSERT INTO entry VALUES (1, 'a:buyer@example.com', 77, NULL, NULL, 0, 0, '')",
        "INSERT INTO entry VALUES (1, 'x', 10, NULL, NULL, 0, 0, '')",
    ],
)
def test_rows_that_nobody_wrote_are_damage(path: Path, raw: Raw, damage: str) -> None:
    """A row that means nothing is reported, not passed over."""
    with SqliteStore(path) as store:
        raw(damage)
        with pytest.raises(StoreCorrupt, match="no optoutkit has written"):
            list(store.scan())


def test_text_that_is_no_text_is_damage(path: Path, raw: Raw) -> None:
    """Bytes that are not UTF-8 where text should be are StoreCorrupt."""
    with SqliteStore(path) as store:
        raw("INSERT INTO entry VALUES (1, 'a:buyer@example.com', 10, NULL, NULL, 0, 0, CAST(X'FF' AS TEXT))")
        with pytest.raises(StoreCorrupt):
            store.lookup([BUYER])
