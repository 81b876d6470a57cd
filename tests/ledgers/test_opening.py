"""Opening ledgers by URI, beside a store or alone, and what can be read where they are kept."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from tests.servers import OWN_POSTGRESQL

from optoutkit.errors import InvalidUri, StoreClosed, StoreError, StoreUnavailable
from optoutkit.identities import Address, OrderId
from optoutkit.ledgers import Ledger, Standing, open_async_ledger, open_ledger
from optoutkit.optouts import OptOut
from optoutkit.stores import open_store
from optoutkit.testing.ledgers import blocking_ledger
from optoutkit.testing.stores import ManualClock

ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-1234567")
BUYER = Address("abc123@marketplace.amazon.de")

OPENERS = pytest.mark.parametrize("opener", [open_ledger, open_async_ledger])


@pytest.fixture(params=["sqlite", "postgresql", "valkey"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/optouts.db"
    place: str = request.getfixturevalue(request.param)
    return place


def sent(ledger: Ledger, *orders: OrderId, seller: str = "") -> None:
    """Have requests sent."""
    ledger.confirm(ledger.reserve(orders, seller=seller))


@OPENERS
@pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")
def test_a_ledger_may_be_where_the_opt_outs_are(opener: Any, uri: str) -> None:
    """By the very URI of the store, its options too, whichever of the two is there first; neither sees the other's data."""
    more = "" if "prefix=" in uri else f"{'&' if '?' in uri else '?'}link_days=30"
    with blocking_ledger(opener(uri + more)) as ledger:
        sent(ledger, ORDER)
        with open_store(uri + more) as store:
            store.record([OptOut(BUYER), OptOut(ORDER)])
            store.health()
        ledger.health()
    with open_store(uri) as store, blocking_ledger(opener(uri)) as ledger:
        assert [entry.identity for entry in store.scan()] == [BUYER, ORDER]
        store.erase([ORDER, BUYER])
        assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}


@OPENERS
def test_nothing_is_kept_in_clear(opener: Any, tmp_path: Path) -> None:
    """No order, no seller; and with a secret an order cannot even be guessed by whoever has not got it."""
    path, secret = tmp_path / "requests.db", b"a secret of our own, kept safely"
    with blocking_ledger(opener(f"sqlite:///{path}", secret=secret)) as ledger:
        sent(ledger, ORDER, seller="Some Shop")
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"1234567" not in content
        assert b"Some" not in content
    with blocking_ledger(opener(f"sqlite:///{path}")) as ledger:
        assert ledger.lookup([ORDER], seller="Some Shop") == {}
    with blocking_ledger(opener(f"sqlite:///{path}", secret=secret)) as ledger:
        assert ledger.lookup([ORDER], seller="Some Shop") == {ORDER: Standing.SENT}


def rows(uri: str) -> int:
    """How many requests are written down there."""
    place, _, name = uri.partition("?")
    if uri.startswith("sqlite"):
        connection: Any = sqlite3.connect(place.removeprefix("sqlite:///"))
        (count,) = connection.execute("SELECT count(*) FROM request_1").fetchone()
        connection.close()
    else:
        place, _, name = uri.partition("schema=")
        with psycopg.connect(place.rstrip("?&")) as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM {name}.request_1".encode()).fetchone() or (0,)
    return int(count)


def test_what_is_over_is_removed(uri: str) -> None:
    """A few each time something is reserved, so that it ends without anybody's doing; Redis lets its keys expire by itself."""
    clock = ManualClock()
    orders = [OrderId(f"302-0000000-{number:07}") for number in range(1, 51)]
    with open_ledger(uri, keep_days=10, clock=clock) as ledger:
        sent(ledger, *orders)
        if uri.startswith("redis"):
            with redis.Redis.from_url(uri.partition("?")[0]) as client:
                keys: Any = client.keys(f"{uri.partition('prefix=')[2]}request:*")
                lives: list[Any] = [client.ttl(key) for key in keys]
            assert len(lives) == 50
            assert all(10 * 86_400 - 60 < seconds <= 10 * 86_400 + 1 for seconds in lives)
            return
        clock.advance(days=10)
        assert ledger.lookup(orders) == {}
        for left in (51 - 20, 51 - 40, 1):
            ledger.reserve([ORDER])
            assert rows(uri) == left


@OPENERS
@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("sqlite://optouts.db", "three slashes"),
        ("sqlite:///", "a file is missing"),
        ("sqlite:///x.db?keep=3", "no option 'keep'"),
        ("memory://name", "has no name"),
        ("nosuch://x", "there is no ledger for nosuch://; there is: memory://, postgresql://"),
        ("x.db", "begins with a scheme"),
        ("redis://", "a host is missing"),
        ("postgresql://h/db?pool_size=0", "pool_size"),
    ],
)
def test_a_wrong_uri_is_told_at_once(opener: Any, uri: str, text: str) -> None:
    """When the ledger is opened, in plain words."""
    with pytest.raises(InvalidUri, match=text):
        opener(uri)


@OPENERS
@pytest.mark.parametrize("wrong", [{"keep_days": 0}, {"keep_days": float("nan")}, {"keep_days": 1e9}, {"secret": b"short"}])
def test_a_wrong_option_is_told_at_once(opener: Any, wrong: dict[str, Any]) -> None:
    """Not when the first request is reserved."""
    with pytest.raises(ValueError):
        opener("memory://", **wrong)


@pytest.mark.parametrize("uri", ["postgresql://127.0.0.1:1/nowhere", "redis://127.0.0.1:1", "redis+cluster://127.0.0.1:1"])
def test_a_server_that_is_not_there_is_told(uri: str) -> None:
    """When a blocking ledger is opened; by the first verb of one for asyncio."""
    with pytest.raises(StoreUnavailable):
        open_ledger(uri)
    with blocking_ledger(open_async_ledger(uri)) as ledger:
        for verb in (ledger.reserve, ledger.lookup):
            with pytest.raises(StoreUnavailable):
                verb([ORDER])


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    """The same; once it is mended, the next verb of the ledger for asyncio works."""
    (tmp_path / "requests.db").write_text("no database at all, but long enough to look like something that could be one" * 20)
    uri = f"sqlite:///{tmp_path}/requests.db"
    with pytest.raises(StoreError):
        open_ledger(uri)
    with blocking_ledger(open_async_ledger(uri)) as ledger:
        with pytest.raises(StoreError):
            ledger.reserve([ORDER])
        (tmp_path / "requests.db").unlink()
        assert ledger.reserve([ORDER]).granted == (ORDER,)


@pytest.mark.skipif(OWN_POSTGRESQL in os.environ, reason="roles are not made on a server of the user's own")
def test_a_user_who_may_not_make_tables_can_use_those_that_are_there(postgresql: str, postgresql_uri: str) -> None:
    """As operators like it: one role makes the tables, another one uses them."""
    schema, role = postgresql.partition("schema=")[2], "ledger_clerk"
    with open_ledger(postgresql) as ledger:
        sent(ledger, ORDER)
    with psycopg.connect(postgresql_uri, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}".encode())
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}".encode())
    try:
        with open_ledger(postgresql.replace("postgres@", f"{role}@")) as ledger:
            assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}
            assert ledger.reserve([OTHER_ORDER]).granted == (OTHER_ORDER,)
    finally:
        with psycopg.connect(postgresql_uri, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())


def test_an_async_ledger_that_was_never_used_can_be_closed(tmp_path: Path) -> None:
    """It has opened nothing, and opens nothing any more."""

    async def main() -> None:
        ledger = open_async_ledger(f"sqlite:///{tmp_path}/requests.db")
        await ledger.close()
        with pytest.raises(StoreClosed):
            await ledger.health()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []
