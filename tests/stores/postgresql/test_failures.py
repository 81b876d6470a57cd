"""A server that is down, slow, full, elsewhere, or of another mind: what the store says, and that the next call works."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from benchmarks.servers import PostgresqlServer, free_port

from optoutkit.errors import StoreClosed, StoreCorrupt, StoreError, StoreUnavailable, StoreVersionError
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import OptOutStore, open_store
from optoutkit.stores.postgresql import PostgresqlStore
from optoutkit.stores.postgresql import schema as schema_module

BUYER, OTHER, ORDER = Address("buyer@example.com"), Address("other@example.com"), OrderId("302-1234567-1234567")
Open = Callable[[str], OptOutStore]
Raw = Callable[..., list[Any]]

VERBS: dict[str, Callable[[OptOutStore], object]] = {
    "lookup": lambda store: store.lookup([BUYER]),
    "lookup of many": lambda store: store.lookup([BUYER, OTHER]),
    "record": lambda store: store.record([OptOut(BUYER)]),
    "link": lambda store: store.link([(ORDER, BUYER)]),
    "withdraw": lambda store: store.withdraw([BUYER]),
    "erase": lambda store: store.erase([BUYER]),
    "scan": lambda store: list(store.scan()),
    "health": lambda store: store.health(),
}


def assert_tells_nothing(error: BaseException, *secrets: str) -> None:
    """The error and what it came from are ours, and name neither server nor user nor what was sent."""
    told: BaseException | None = error
    while told is not None:
        assert isinstance(told, StoreError)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    for secret in ("127.0.0.1", "postgres@", "buyer@", *secrets):
        assert secret not in str(error)


# Down, and back again


def test_a_server_that_is_not_there(open_either: Open) -> None:
    """Every verb says so, and nothing of the URI."""
    port = free_port()
    uri = f"postgresql://my_user:my_secret@127.0.0.1:{port}/my_database"
    with pytest.raises(StoreUnavailable, match=r"does not answer.*Connection refused") as raised, open_either(uri) as store:
        store.health()
    assert_tells_nothing(raised.value, "my_user", "my_secret", "my_database", str(port))


def test_a_host_that_does_not_exist(open_either: Open) -> None:
    """A name that cannot be resolved is told without the name."""
    with pytest.raises(StoreUnavailable) as raised, open_either("postgresql://nosuch.invalid/x") as store:
        store.health()
    assert_tells_nothing(raised.value, "nosuch")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_was_restarted_is_met_again(open_either: Open, own_server: PostgresqlServer, how: int) -> None:
    """While it is down every verb says so; once it is back the next call of each works, though all connections were cut."""
    with open_either(own_server.uri) as store:
        store.record([OptOut(BUYER)])
        own_server.stop(how)
        for verb in VERBS.values():
            with pytest.raises(StoreUnavailable) as raised:
                verb(store)
            assert_tells_nothing(raised.value)
        own_server.start()
        assert store.lookup([BUYER]).keys() == {BUYER}
        own_server.stop(how)  # between two calls, so that nobody notices
        own_server.start()
        for verb in VERBS.values():
            verb(store)


@pytest.mark.parametrize("verb", VERBS)
def test_a_connection_that_was_ended_is_replaced(open_either: Open, uri: str, raw: Raw, verb: str) -> None:
    """An administrator, a firewall or a pooler ends an idle connection: the next call takes another one and works."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        raw("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'optoutkit'")
        VERBS[verb](store)


def test_a_write_that_is_cut_off_is_not_taken_for_done(open_either: Open, uri: str, raw: Raw) -> None:
    """A connection that ends in the middle of a transaction is StoreUnavailable, not another attempt: it may or may not be done."""
    with open_either(uri) as store:
        store.health()
        raw(
            "CREATE FUNCTION @cut() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(0); RETURN NEW; END'"
        )
        raw("CREATE TRIGGER cut BEFORE INSERT ON @entry FOR EACH ROW EXECUTE FUNCTION @cut()")
        with pytest.raises(StoreUnavailable, match="stopping or starting"):
            store.record([OptOut(BUYER)])
        raw("DROP TRIGGER cut ON @entry")
        assert store.lookup([BUYER]) == {}
        assert store.record([OptOut(BUYER)]).new == 1


# Slow


@pytest.mark.parametrize("verb", VERBS)
def test_a_table_that_is_locked_is_waited_for_until_the_timeout(
    open_either: Open, uri: str, schema: str, server_uri: str, verb: str
) -> None:
    """Longer than the timeout is StoreUnavailable, and nothing is left waiting on the server; when the lock is gone, all is well."""
    with open_either(f"{uri}&timeout=0.2") as store, psycopg.connect(server_uri) as blocker:
        store.health()
        blocker.execute(f"LOCK TABLE {schema}.entry, {schema}.link".encode())
        with pytest.raises(StoreUnavailable, match="longer than the timeout") as raised:
            VERBS[verb](store)
        assert_tells_nothing(raised.value)
        blocker.rollback()
        VERBS[verb](store)


def test_a_server_that_listens_but_says_nothing(open_either: Open) -> None:
    """Connecting has a limit, too: 2 seconds is the least that libpq knows."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(StoreUnavailable) as raised,
        open_either(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x?timeout=1") as store,
    ):
        store.health()
    assert_tells_nothing(raised.value)


def test_nobody_waits_for_ever_for_a_connection(open_either: Open, uri: str, schema: str, server_uri: str) -> None:
    """Where all connections are in use for longer than the timeout, that is told, with how many there are."""
    with open_either(f"{uri}&pool_size=1") as other, open_either(f"{uri}&pool_size=1&timeout=0.2") as store:
        other.health()
        store.health()
        with psycopg.connect(server_uri) as blocker:
            blocker.execute(f"LOCK TABLE {schema}.entry".encode())
            for _ in range(10):  # on a busy machine the second may ask only when the first has given up
                told = sorted("all 1 connections" in error for error in _errors_of_two(store))
                if any(told):
                    break
    assert told == [False, True]


def _errors_of_two(store: OptOutStore) -> list[str]:
    """What two verbs at once say, of which one waits for the other."""
    barrier = threading.Barrier(2)

    def look_up(_: int) -> str:
        barrier.wait(30)
        with pytest.raises(StoreUnavailable) as raised:
            store.lookup([BUYER])
        return str(raised.value)

    if isinstance(store, PostgresqlStore):
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(look_up, range(2)))

    async def attempt(inner: Any) -> str:
        with pytest.raises(StoreUnavailable) as raised:
            await inner.lookup([BUYER])
        return str(raised.value)

    answers: list[str] = store.all_at_once([attempt, attempt])  # type: ignore[attr-defined]
    return answers


# Refused


@pytest.mark.parametrize(
    ("who", "database", "says"),
    [
        ("shop:wrong", "postgres", "refuses this user or password"),
        ("shop", "postgres", "refuses this user or password"),
        ("outcast", "postgres", "refuses this user or password"),
        ("nobody_here", "postgres", "refuses this user or password"),
        ("postgres", "nosuch_database", "no such database"),
        ("shop:right", "postgres", "this user may not do that: grant"),
    ],
)
def test_who_is_not_let_in_is_told_why(open_either: Open, own_server: PostgresqlServer, who: str, database: str, says: str) -> None:
    """Password, user, database and rights have texts of their own, in which none of them is repeated."""
    with (
        pytest.raises(StoreUnavailable, match=says) as raised,
        open_either(f"postgresql://{who}@127.0.0.1:{own_server.port}/{database}") as store,
    ):
        store.health()
    assert_tells_nothing(raised.value, "shop", "wrong", "outcast", "nobody_here", "nosuch_database")


def test_with_the_right_password_and_rights_all_is_well(open_either: Open, own_server: PostgresqlServer) -> None:
    """A user who may make the schema makes it; one who may only use it uses it."""
    with psycopg.connect(own_server.uri, autocommit=True) as connection:
        connection.execute("GRANT CREATE ON DATABASE postgres TO shop")
        with open_either(f"postgresql://shop:right@127.0.0.1:{own_server.port}/postgres") as store:
            store.record([OptOut(BUYER)])
        connection.execute("REVOKE CREATE ON DATABASE postgres FROM shop")
        with open_either(f"postgresql://shop:right@127.0.0.1:{own_server.port}/postgres") as store:
            for verb in VERBS.values():
                verb(store)


def test_a_server_without_a_free_connection(open_either: Open, own_server: PostgresqlServer) -> None:
    """Too many connections have a text of their own."""
    with pytest.raises(StoreUnavailable, match="no connection left"), open_either(own_server.uri.replace("postgres@", "crowded@")) as store:
        store.health()


# What a server can report


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        ("53100", StoreUnavailable, "disk is full"),
        ("53200", StoreUnavailable, "out of memory"),
        ("53400", StoreUnavailable, "lacks resources"),
        ("55P03", StoreUnavailable, "keeps it locked"),
        ("57P05", StoreUnavailable, "stopping or starting"),
        ("58030", StoreUnavailable, "disk reports an error"),
        ("XX000", StoreUnavailable, "reports an error: try again"),
        ("XX001", StoreCorrupt, "a table is damaged"),
        ("XX002", StoreCorrupt, "REINDEX"),
        ("42804", StoreCorrupt, "not those of an opt-out store"),
        ("40001", StoreUnavailable, "keep getting in the way"),
    ],
)
def test_what_the_server_reports_becomes_an_error_of_ours(
    open_either: Open, uri: str, raw: Raw, code: str, error: type[StoreError], says: str
) -> None:
    """Each kind has a text of its own, with the server's code, and without what it quotes; afterwards the store works."""
    with open_either(uri) as store:
        store.health()
        raw(
            "CREATE FUNCTION @complain() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION 'cannot keep \"buyer@example.com\" on ''127.0.0.1''' USING ERRCODE = '{code}'; END$$"
        )
        raw("CREATE TRIGGER complain BEFORE INSERT ON @entry FOR EACH ROW EXECUTE FUNCTION @complain()")
        with pytest.raises(error, match=rf"{says}.*\({code} cannot keep … on …\)") as raised:
            store.record([OptOut(BUYER)])
        assert_tells_nothing(raised.value)
        raw("DROP TRIGGER complain ON @entry")
        assert store.record([OptOut(BUYER)]).new == 1


@pytest.mark.parametrize("code", ["23505", "40001", "40P01"])
def test_transactions_that_collide_are_tried_again(open_either: Open, uri: str, raw: Raw, code: str) -> None:
    """A deadlock or a failure to serialize is nobody's business but the store's."""
    with open_either(uri) as store:
        store.health()
        raw("CREATE SEQUENCE @attempt")
        raw(
            "CREATE FUNCTION @collide() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN IF nextval('@attempt') < 4 THEN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF; RETURN NEW; END$$"
        )
        raw("CREATE TRIGGER collide BEFORE INSERT ON @entry FOR EACH ROW EXECUTE FUNCTION @collide()")
        assert store.record([OptOut(BUYER)]).new == 1
        assert raw("SELECT last_value FROM @attempt") == [(4,)]


# Read-only, and another server in its place


def test_a_server_that_only_reads(open_either: Open, own_server: PostgresqlServer) -> None:
    """Lookups go on, what writes says why it cannot, and works again as soon as the server does."""

    def only_read(on: str) -> None:
        with psycopg.connect(own_server.uri, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {on}".encode())
            connection.execute("SELECT pg_reload_conf()")
        with psycopg.connect(own_server.uri, autocommit=True) as connection:
            while connection.execute("SHOW default_transaction_read_only").fetchone() != (on,):
                pass

    with open_either(own_server.uri) as store:
        store.record([OptOut(BUYER)])
        only_read("on")
        for name in ("record", "link", "withdraw", "erase", "health"):
            with pytest.raises(StoreUnavailable, match="only reads now"):
                VERBS[name](store)
        assert store.lookup([BUYER]).keys() == {BUYER}
        only_read("off")
        for verb in VERBS.values():
            verb(store)


def await_streaming(server: PostgresqlServer) -> None:
    """Wait until a standby follows the server: only then does its stop wait for the standby."""
    deadline = time.monotonic() + 60
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{server.port}/postgres", autocommit=True) as connection:
        while not connection.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchone():
            assert time.monotonic() < deadline


def test_a_standby_takes_over(open_either: Open, own_server: PostgresqlServer) -> None:
    """With both servers in the URI the store finds the one that writes, and what the first one had acknowledged is there."""
    own_server.stop()
    standby = own_server.standby()
    own_server.start()
    standby.start()
    try:
        await_streaming(own_server)
        hosts = f"postgresql://postgres@127.0.0.1:{own_server.port},127.0.0.1:{standby.port}/postgres?target_session_attrs=read-write"
        with open_either(hosts) as store:
            store.record([OptOut(BUYER)])
            own_server.stop()  # which waits until the standby has everything
            with pytest.raises(StoreUnavailable):
                store.record([OptOut(OTHER)])
            standby.promote()
            assert store.record([OptOut(OTHER)]).new == 1
            assert store.lookup([BUYER, OTHER]).keys() == {BUYER, OTHER}
    finally:
        standby.close()


# Other tables than ours


def test_a_newer_schema_is_left_alone(open_either: Open, uri: str, raw: Raw) -> None:
    """It is refused, with both versions and what to do, and not changed."""
    with open_either(uri) as store:
        store.health()
    raw("UPDATE @schema_version SET version = 99")
    with pytest.raises(StoreVersionError, match=r"version 99.* knows 1: update optoutkit"), open_either(uri) as store:
        store.health()
    assert raw("SELECT version FROM @schema_version") == [(99,)]


def test_a_store_that_is_open_notices_a_newer_schema(open_either: Open, uri: str, raw: Raw) -> None:
    """It stops writing, and says why it cannot read any more."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        raw("UPDATE @schema_version SET version = 99")
        with pytest.raises(StoreVersionError, match="version 99"):
            store.record([OptOut(OTHER)])
        raw("ALTER TABLE @entry RENAME TO suppression")
        with pytest.raises(StoreVersionError, match="version 99"):
            store.lookup([BUYER])
    assert raw("SELECT key FROM @suppression") == [("a:buyer@example.com",)]


def test_a_schema_that_goes_back_is_noticed(open_either: Open, uri: str, raw: Raw) -> None:
    """A version that changes under an open store is not written to."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        raw("UPDATE @schema_version SET version = 0")
        with pytest.raises(StoreVersionError, match="brought to version 0"):
            store.record([OptOut(OTHER)])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("DROP TABLE @entry", "not those of an opt-out store.*42P01"),
        ("ALTER TABLE @entry DROP COLUMN withdrawn", "not those of an opt-out store.*42703"),
        ("DELETE FROM @schema_version", "must hold one row"),
        ("INSERT INTO @schema_version VALUES (1)", "must hold one row"),
        ("UPDATE @entry SET reason = 77", "no optoutkit has written"),
        ("UPDATE @entry SET key = 'x'", "no optoutkit has written"),
    ],
)
def test_tables_that_are_damaged_are_reported(open_either: Open, uri: str, raw: Raw, damage: str, says: str) -> None:
    """What is missing or means nothing is StoreCorrupt, not an empty list."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        raw(damage)
        with pytest.raises(StoreCorrupt, match=says):
            store.record(list(store.scan()))


def test_the_tables_of_another_program_are_left_alone(open_either: Open, uri: str, schema: str, raw: Raw) -> None:
    """A schema in which there is something else by one of our names is refused, and not changed."""
    raw(f"CREATE SCHEMA {schema}")
    raw("CREATE TABLE @link (theirs int)")
    with pytest.raises(StoreCorrupt, match="another program"), open_either(uri) as store:
        store.health()
    assert raw("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace", schema) == [("link",)]


def test_a_database_that_cannot_keep_every_character_is_refused(open_either: Open, own_server: PostgresqlServer) -> None:
    """Its encoding must be UTF8, and that is told before anything is made."""
    with pytest.raises(StoreCorrupt, match="encoding is LATIN1"), open_either(own_server.uri.removesuffix("postgres") + "latin") as store:
        store.health()


def test_a_schema_that_was_dropped_is_made_again(open_either: Open, uri: str, schema: str, raw: Raw) -> None:
    """As a file is that was deleted: the store is empty."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        raw(f"DROP SCHEMA {schema} CASCADE")
        assert store.lookup([BUYER]) == {}
        assert store.record([OptOut(BUYER)]).new == 1


def test_what_is_closed_while_it_is_used_is_closed_afterwards(uri: str, schema: str, server_uri: str, raw: Raw) -> None:
    """A verb under way is done, and its connection is closed then."""
    store = open_store(uri)
    with psycopg.connect(server_uri) as blocker, ThreadPoolExecutor(1) as threads:
        blocker.execute(f"LOCK TABLE {schema}.entry".encode())
        recording = threads.submit(store.record, [OptOut(BUYER)])
        while not raw("SELECT 1 FROM pg_locks WHERE relation = %s::regclass AND NOT granted", f"{schema}.entry"):
            pass
        store.close()
        blocker.rollback()
        assert recording.result().new == 1
    with pytest.raises(StoreClosed):
        store.health()
    while raw("SELECT 1 FROM pg_stat_activity WHERE application_name = 'optoutkit'"):
        pass


# Migrations


def test_an_older_schema_is_brought_up_to_date(open_either: Open, uri: str, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step that it has not seen is done once, whole or not at all, and what was in it is there afterwards."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
    step = ("ALTER TABLE @entry ADD COLUMN kind text", "UPDATE @entry SET kind = left(key, 1)")
    with monkeypatch.context() as patch:
        patch.setattr(schema_module, "MIGRATIONS", (*schema_module.MIGRATIONS, step, ("INSERT INTO @nowhere VALUES (1)",)))
        with pytest.raises(StoreCorrupt, match="42P01"), open_either(uri) as store:
            store.health()
    with pytest.raises(psycopg.errors.UndefinedColumn):
        raw("SELECT kind FROM @entry")
    monkeypatch.setattr(schema_module, "MIGRATIONS", (*schema_module.MIGRATIONS, step))
    for _ in range(2):
        with open_either(uri) as store:
            assert store.lookup([BUYER]).keys() == {BUYER}
    assert raw("SELECT version, kind FROM @schema_version, @entry") == [(2, "a")]
