"""What is particular to the PostgreSQL store: its rows, its round trips, its connections, and partitions."""

import asyncio
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import psycopg
import pytest

from optoutkit.errors import StoreClosed
from optoutkit.flows import Request
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import OptOutStore, open_async_store, open_store
from optoutkit.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore, sessions
from optoutkit.stores.postgresql import statements as sql
from optoutkit.stores.postgresql.requests import Query
from optoutkit.stores.rows import micros
from optoutkit.testing.stores import ManualClock, StoreFactory, all_at_once
from optoutkit.testing.stores.durable import DurabilityRules
from optoutkit.testing.stores.links import LinkRules

BUYER, OTHER, ORDER = Address("buyer@example.com"), Address("other@example.com"), OrderId("302-1234567-1234567")
KINDS: tuple[Literal["address", "order"], ...] = ("address", "order")
Open = Callable[[str], OptOutStore]
Raw = Callable[..., list[Any]]


def aliases(count: int) -> list[Address]:
    """Buyers as Amazon shows them."""
    return [Address(f"buyer{number:09}@marketplace.amazon.de") for number in range(count)]


# Rows


def test_every_withdrawal_stays(server_uri: str, schema: str, clock: ManualClock, raw: Raw) -> None:
    """Who opted out when, and when and why it was taken back, can be told years later, each time it happened."""
    first, second = clock.now, clock.now
    with PostgresqlStore(server_uri, schema=schema, clock=clock) as store:
        store.record([OptOut(BUYER, since=first, source="mail 1")])
        first_end = clock.advance(days=1)
        store.withdraw([BUYER], why="called us")
        second = clock.advance(days=1)
        store.record([OptOut(BUYER, since=second, source="mail 2")])
        second_end = clock.advance(days=1)
        store.withdraw([BUYER], why="wrote again")
    assert raw("SELECT since, source, recorded_at, withdrawn_at, why FROM @withdrawal ORDER BY withdrawn_at") == [
        (micros(first), "mail 1", micros(first), micros(first_end), "called us"),
        (micros(second), "mail 2", micros(second), micros(second_end), "wrote again"),
    ]


def test_the_time_of_recording_is_the_first(server_uri: str, schema: str, clock: ManualClock, raw: Raw) -> None:
    """When a store learnt of an opt-out does not change when it hears more of it."""
    with PostgresqlStore(server_uri, schema=schema, clock=clock) as store:
        store.record([OptOut(BUYER)])
        recorded_at = clock.now
        store.record([OptOut(BUYER, since=clock.advance(days=1), verified=True, source="x")])
    assert raw("SELECT recorded_at, since, source FROM @entry") == [(micros(recorded_at), micros(clock.now), "x")]


def test_erasing_leaves_no_row(open_either: Open, uri: str, raw: Raw) -> None:
    """Entries, history and links of a buyer are gone from every table."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER), OptOut(ORDER)])
        store.link([(ORDER, BUYER)])
        store.withdraw([BUYER])
        store.erase([BUYER])
    for table in ("entry", "withdrawal", "link"):
        assert raw(f"SELECT count(*) FROM @{table}") == [(0,)]


def test_linking_again_on_the_same_day_writes_nothing(server_uri: str, schema: str, clock: ManualClock, raw: Raw) -> None:
    """A guard links with every message; what is known of today neither writes nor locks a row."""
    with PostgresqlStore(server_uri, schema=schema, clock=clock) as store:
        store.link([(ORDER, BUYER)])
        version = raw("SELECT xmin, xmax FROM @link")
        store.link([(ORDER, BUYER)])
        store.link([(ORDER, OTHER)])
        assert raw("SELECT xmin, xmax FROM @link") == version
        clock.advance(days=1)
        store.link([(ORDER, BUYER)])
        assert raw("SELECT xmin, xmax FROM @link") != version


def test_recording_what_is_known_changes_no_row(open_either: Open, uri: str, raw: Raw) -> None:
    """An import that says nothing new leaves each row as it was."""
    with open_either(uri) as store:
        store.record([OptOut(BUYER)])
        version = raw("SELECT ctid, xmin FROM @entry")
        store.record([OptOut(BUYER)])
        assert raw("SELECT ctid, xmin FROM @entry") == version


def test_a_batch_holds_any_text(open_either: Open, uri: str) -> None:
    """Quotes, backslashes, braces, commas and the word NULL mean nothing but themselves in a batch."""
    sources = ['"', "\\", '\\"', '{NULL,"x"}', "NULL", "", " ", "'); DROP TABLE entry; --", "Käufer, ☂, %s $1 @entry"]
    told = [
        OptOut(buyer, source=source, verified=number % 2 == 0)
        for number, (buyer, source) in enumerate(zip(aliases(9), sources, strict=True))
    ]
    buyer = Address("{o'hara}+%s$1@example.com")
    with open_either(uri) as store:
        store.record([*told, OptOut(buyer)])
        assert list(store.scan()) == [*told, OptOut(buyer)]
        assert store.lookup([buyer, *aliases(9)]).keys() == {buyer, *aliases(9)}


def test_of_two_names_that_were_withdrawn_the_later_time_counts(server_uri: str, schema: str, clock: ManualClock) -> None:
    """Whichever name was withdrawn last; and what was withdrawn under the old name does not end what is in force under the new."""
    old, new = (Digest("address", key_id, b"x" * 16) for key_id in ("2025", "2026"))
    with PostgresqlStore(server_uri, schema=schema, clock=clock) as store:
        for seller, first, second in (("a", old, new), ("b", new, old)):
            store.record([OptOut(old, seller), OptOut(new, seller)])
            store.withdraw([first], seller=seller)
            between = clock.advance(days=1)
            clock.advance(days=1)
            store.withdraw([second], seller=seller)
            store.rekey([(old, new)])
            assert store.record([OptOut(new, seller, since=between)]).known == 1
            assert store.record([OptOut(new, seller, since=clock.advance(days=1))]).new == 1
        store.record([OptOut(old)])
        store.withdraw([old])
        store.record([OptOut(new)])
        store.rekey([(old, new)])
        assert store.lookup([new]) == {new: OptOut(new)}


def test_names_given_by_many_at_once_are_given(open_either: Open, uri: str) -> None:
    """Guards that meet the same buyers at the same time, in whatever order, do not wait for each other in a circle."""
    pairs = [(Digest(kind, "2025", bytes([n]) * 16), Digest(kind, "2026", bytes([n]) * 16)) for n in range(40) for kind in KINDS]
    olds, news = zip(*pairs, strict=True)
    with open_either(f"{uri}&pool_size=8") as store:
        store.record([OptOut(old, seller) for old in olds for seller in ("", "a")])
        store.link(zip(olds[1::2], olds[-2::-2], strict=True))  # orders in the order of the pairs, addresses the other way round

        def call(number: int) -> Callable[[Any], Any]:
            told = random.Random(number).sample(pairs, 60)
            return lambda store: store.rekey(told)

        all_at_once(store, [call(number) for number in range(24)])
        assert store.lookup(olds) == {}
        assert store.lookup(news).keys() == store.lookup(news, seller="a").keys() == {*news}


def test_nothing_is_made_for_a_seller_who_is_only_asked_about(open_either: Open, uri: str, raw: Raw) -> None:
    """Lookups, scans and withdrawals under an unknown name leave no trace."""
    with open_either(uri) as store:
        store.lookup([BUYER], seller="x")
        store.withdraw([BUYER], seller="x")
        store.erase([BUYER], seller="x")
        list(store.scan(seller="x"))
    for table in ("entry", "withdrawal", "link"):
        assert raw(f"SELECT count(*) FROM @{table}") == [(0,)]


def test_a_name_too_long_for_an_index_is_refused(open_either: Open, uri: str) -> None:
    """The longest seller and the longest address fit together; a longer seller is the caller's mistake, in every verb."""
    longest = Address(f"{'😀' * 64}@{'.'.join(['d' * 61] * 4)}")
    with open_either(uri) as store:
        store.record([OptOut(longest, "😀" * 255)])
        store.link([(ORDER, longest)], seller="😀" * 255)
        assert ORDER in store.lookup([ORDER], seller="😀" * 255)
        calls: list[Callable[[str], object]] = [
            lambda seller: store.record([OptOut(BUYER, seller)]),
            lambda seller: store.lookup([BUYER], seller=seller),
            lambda seller: store.link([(ORDER, BUYER)], seller=seller),
            lambda seller: store.withdraw([BUYER], seller=seller),
            lambda seller: store.erase([BUYER], seller=seller),
            lambda seller: list(store.scan(seller=seller)),
        ]
        for call in calls:
            with pytest.raises(ValueError, match="at most 255 characters, not 256"):
                call("x" * 256)


@pytest.mark.parametrize("setting", ["off", "local", "on"])
def test_a_commit_is_durable_whatever_the_default(uri: str, schema: str, raw: Raw, setting: str) -> None:
    """Where commits are not waited for by default, those of the store are; where an administrator asks for something else, that stays."""
    with open_store(f"{uri}&options=-csynchronous_commit%3D{setting}") as store:
        store.health()
        raw("CREATE TABLE @seen (value text)")
        raw(
            "CREATE FUNCTION @see() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN INSERT INTO {schema}.seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END$$"
        )
        raw("CREATE TRIGGER see AFTER INSERT ON @entry FOR EACH ROW EXECUTE FUNCTION @see()")
        store.record([OptOut(BUYER)])
        assert raw("SELECT value FROM @seen") == [("on" if setting == "off" else setting,)]


def test_what_is_erased_while_it_is_told_is_told_anew(uri: str, raw: Raw) -> None:
    """An entry, or a link, that somebody erases between the look at it and the lock on it is made again, and counts as new."""

    class Interrupted(PostgresqlStore):
        """Just before it locks what it has found, another one erases it."""

        def interrupt(self) -> None:
            perform = self._client._perform

            def after_erasing(call: Any, request: Request[Any]) -> Any:
                if isinstance(request, Query) and request.statement in (sql.ENTRIES_OF, sql.LOCK_LINKS):
                    self._client._perform = perform  # type: ignore[method-assign]
                    raw("DELETE FROM @entry")
                    raw("DELETE FROM @link")
                return perform(call, request)

            self._client._perform = after_erasing  # type: ignore[method-assign]

    server_uri, _, name = uri.partition("schema=")
    with Interrupted(server_uri.rstrip("?&"), schema=name) as store:
        store.record([OptOut(BUYER)])
        store.link([(ORDER, BUYER)])
        store.interrupt()
        assert store.record([OptOut(OTHER), OptOut(BUYER)]).new == 2
        store.link([(ORDER, BUYER)])
        store.interrupt()
        assert store.link([(ORDER, OTHER), (OrderId("302-7654321-7654321"), OTHER)]).new == 2
        store.record([OptOut(OTHER)])
        assert store.lookup([ORDER])[ORDER].identity == OTHER


# Round trips


@pytest.fixture
def statements(uri: str) -> Callable[[Callable[[OptOutStore], object]], list[str]]:
    """What is sent to the server while something is done with a store."""

    def record(work: Callable[[OptOutStore], object]) -> list[str]:
        server_uri, _, name = uri.partition("schema=")
        sent: list[str] = []
        with PostgresqlStore(server_uri.rstrip("?&"), schema=name) as store:
            perform = store._client._perform

            def listen(call: Any, request: Any) -> Any:
                sent.append(request.statement)
                return perform(call, request)

            store._client._perform = listen  # type: ignore[method-assign]
            work(store)
        return sent

    return record


@pytest.mark.parametrize("asked", [BUYER, ORDER])
def test_one_identity_is_one_statement(statements: Callable[..., list[str]], asked: Any) -> None:
    """Links, own entries and shared ones are joined in one round trip, outside of any transaction."""
    assert statements(lambda store: store.lookup([asked])) == [sql.LOOK_UP_ONE[asked.kind]]


def test_many_identities_are_looked_up_in_chunks(statements: Callable[..., list[str]]) -> None:
    """10,000 identities take 10 statements."""
    assert statements(lambda store: store.lookup(aliases(10_000))) == [sql.LOOK_UP["address"]] * 10


def test_a_batch_is_one_statement(statements: Callable[..., list[str]]) -> None:
    """10,000 new entries are inserted by one statement, in a transaction that is begun, looks after old links, and is committed."""
    sent = statements(lambda store: store.record(map(OptOut, aliases(10_000))))
    assert len(sent) == 4
    assert sent[1:] == [sql.NEW_ENTRIES, sql.LINKS_DUE, sql.COMMIT]


def test_names_are_given_by_as_many_statements_however_many_they_are(statements: Callable[..., list[str]]) -> None:
    """Entries that are merged, history and links among them; one more set of them where an identity has two old names."""

    def sent(count: int) -> list[str]:
        values = [(count << 16 | number).to_bytes(16) for number in range(count)]
        oldest, old, new = ([Digest(kind, key_id, value) for kind in KINDS for value in values] for key_id in ("2024", "2025", "2026"))

        def work(store: Any) -> None:
            store.record(map(OptOut, [*oldest, *old, *new]))
            store.link(zip(old[count:], old[:count], strict=True))
            store.withdraw(old[:1])
            store.rekey([*zip(old, new, strict=True), *zip(oldest, new, strict=True)])
            assert store.lookup([*oldest, *old]) == {}
            assert store.lookup(new).keys() == {*new}

        return statements(work)

    few = sent(2)
    assert few == sent(300)
    assert few.count(sql.MOVE_ENTRIES) == 2


# Connections


def test_connections_are_used_again_and_are_not_too_many(open_either: Open, uri: str, raw: Raw) -> None:
    """One caller at a time needs one connection, and however many call at once, there are no more than pool_size."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool test'"
    with open_either(f"{uri}&pool_size=3&application_name=pool%20test") as store:
        for buyer in aliases(20):
            store.record([OptOut(buyer)])
        assert raw(count) == [(1,)]
        all_at_once(store, [lambda store: store.lookup([BUYER])] * 40)
        assert raw(count)[0][0] <= 3
        assert len(store.lookup(aliases(20))) == 20
    while raw(count) != [(0,)]:  # the server needs a moment to notice
        pass


def test_a_scan_that_rests_holds_no_connection(open_either: Open, uri: str) -> None:
    """Between two pages others may write, though there is one connection only."""
    with open_either(f"{uri}&pool_size=1") as store:
        store.record(map(OptOut, aliases(2200)))
        entries = store.scan()
        next(entries)
        store.record([OptOut(Address("0@example.com"))])  # behind it
        assert len(list(entries)) == 2199


def test_one_async_store_serves_one_event_loop_after_another(uri: str) -> None:
    """Connections belong to a loop; in another one the store opens its own."""
    store = open_async_store(uri)

    async def use(number: int) -> None:
        assert (await store.record([OptOut(aliases(3)[number])])).new == 1

    for number in range(3):
        asyncio.run(use(number))
    asyncio.run(store.close())
    for connection in _leave_nothing_open():
        connection.pgconn.finish()


def _leave_nothing_open() -> Iterator[Any]:
    """Connections that were left to another process or loop, which the store keeps for good."""
    while sessions._inherited:
        yield sessions._inherited.pop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_takes_connections_of_its_own(uri: str, start: Callable[..., Any]) -> None:
    """Parent and child go on with the same store, and neither disturbs the other."""
    script = (
        "import os, sys\n"
        "from optoutkit import Address, OptOut, open_store\n"
        "store = open_store(sys.argv[1])\n"
        "store.record([OptOut(Address('0@example.com'))])\n"
        "child = os.fork()\n"
        "me = 'child' if child == 0 else 'parent'\n"
        "for number in range(50):\n"
        "    store.record([OptOut(Address(f'{me}{number}@example.com'))])\n"
        "if child == 0:\n"
        "    store.close()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print(len(list(store.scan())))\n"
        "store.close()\n"
    )
    output, errors = start(script, uri).communicate(timeout=60)
    assert (output, errors) == ("101\n", "")


def test_connections_of_a_parent_are_left_to_it(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are neither used nor closed, as that would be noticed there."""
    with open_store(uri) as store:
        store.record([OptOut(BUYER)])
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert store.lookup([BUYER]).keys() == {BUYER}
        (inherited,) = _leave_nothing_open()
        assert inherited.execute("SELECT 1").fetchone() == (1,)
        inherited.close()


# Each of its threads records batches that overlap with those of the other processes, looks some up, links, and scans. It starts
# when it is told to, so that all of them make the schema at once.
HAMMER = """
import sys, threading
from optoutkit import Address, OptOut, OrderId, open_store
print("ready", flush=True)
sys.stdin.readline()
new = []
with open_store(sys.argv[1]) as store:
    def work(thread):
        for batch in range(15):
            buyers = [Address(f"buyer{number}@example.com") for number in range(batch * 10, batch * 10 + 20)]
            new.append(store.record([OptOut(buyer) for buyer in buyers]).new)
            assert store.lookup(buyers).keys() == set(buyers)
            store.link([(OrderId(f"302-{thread:07}-{batch:07}"), buyers[0])], seller=sys.argv[2])
        assert len(list(store.scan())) == 160
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert len(new) == 60
print(sum(new))
"""


def test_many_processes_and_threads_share_a_schema(uri: str, start: Callable[..., Any], raw: Callable[..., list[Any]]) -> None:
    """Nothing is lost or counted twice, though all of them make the schema at the same time."""
    processes = [start(HAMMER, uri, f"seller {number}") for number in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in results] == [""] * len(processes)
    assert sum(int(output) for output, _ in results) == 160
    assert raw("SELECT count(*) FROM @entry") == [(160,)]
    assert raw("SELECT count(*) FROM @link") == [(3 * 4 * 15,)]


# Asyncio


@pytest.fixture
def locked(server_uri: str, schema: str) -> Iterator[Callable[[], "psycopg.Connection[Any]"]]:
    """Lock the entries, until the connection rolls back."""
    with psycopg.connect(server_uri) as connection:

        def lock() -> "psycopg.Connection[Any]":
            connection.execute(f"LOCK TABLE {schema}.entry".encode())
            return connection

        yield lock


def test_nothing_happens_before_the_first_verb(uri: str, raw: Raw, schema: str) -> None:
    """Making a store and closing it unused makes no schema."""
    asyncio.run(open_async_store(uri).close())
    assert raw("SELECT to_regnamespace(%s)", schema) == [(None,)]


def test_a_cancelled_write_is_finished(uri: str, locked: Callable[[], "psycopg.Connection[Any]"]) -> None:
    """Cancelled while it is under way, a record is there afterwards, and an error of it disturbs nobody."""

    async def scenario() -> None:
        async with open_async_store(uri) as store:
            await store.health()
            blocker = locked()
            writing = asyncio.create_task(store.record([OptOut(BUYER)]))
            await asyncio.sleep(0)  # so that it is called
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            await asyncio.to_thread(blocker.rollback)
            while not await store.lookup([BUYER]):
                pass

    asyncio.run(scenario())


def test_a_cancelled_lookup_gives_its_place_back(uri: str, locked: Callable[[], "psycopg.Connection[Any]"], raw: Raw) -> None:
    """With one connection in all, the next verb gets one."""

    async def scenario() -> None:
        async with open_async_store(f"{uri}&pool_size=1") as store:
            await store.health()
            blocker = locked()
            asking = asyncio.create_task(store.lookup([BUYER]))
            waits = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'optoutkit' AND wait_event_type = 'Lock'"
            while not await asyncio.to_thread(raw, waits):
                pass
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            blocker.rollback()
            assert await store.lookup([BUYER]) == {}

    asyncio.run(scenario())


def test_closing_lets_what_was_called_finish(uri: str) -> None:
    """Writes that were under way when the store was closed are done; later ones are refused."""

    async def scenario() -> None:
        store = open_async_store(uri)
        writes = [asyncio.create_task(store.record([OptOut(buyer)])) for buyer in aliases(30)]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert [report.new for report in await asyncio.gather(*writes)] == [1] * 30
        with pytest.raises(StoreClosed):
            await store.record([OptOut(BUYER)])

    asyncio.run(scenario())


def test_a_loop_that_ends_ends_its_writes(uri: str, locked: Callable[[], "psycopg.Connection[Any]"]) -> None:
    """What nobody waits for any more is given up, whole; in the next loop the store goes on."""
    store = open_async_store(uri)

    async def leave() -> None:
        await store.health()
        locked()
        writing = asyncio.create_task(store.record([OptOut(BUYER)]))
        await asyncio.sleep(0)
        assert not writing.done()

    asyncio.run(leave())
    locked().rollback()

    async def go_on() -> None:
        async with store:
            assert await store.lookup([BUYER]) == {}
            assert (await store.record([OptOut(BUYER)])).new == 1

    asyncio.run(go_on())


def test_digests_are_given_new_names_with_asyncio_too(server_uri: str, schema: str) -> None:
    """As with the blocking store, which the conformance suite looks at closely."""
    old, new = (Digest("address", key_id, b"x" * 16) for key_id in ("2025", "2026"))

    async def scenario() -> None:
        async with AsyncPostgresqlStore(server_uri, schema=schema) as store:
            await store.record([OptOut(old, "a"), OptOut(old), OptOut(new)])
            await store.rekey([(old, new)])
            assert await store.lookup([old, new], seller="a") == {new: OptOut(new, "a")}

    asyncio.run(scenario())


def test_many_tasks_share_few_connections(uri: str) -> None:
    """Whoever finds no connection waits for one."""

    async def scenario() -> None:
        async with open_async_store(f"{uri}&pool_size=2") as store:
            reports = await asyncio.gather(*(store.record([OptOut(buyer)]) for buyer in aliases(40)))
            assert sum(report.new for report in reports) == 40

    asyncio.run(scenario())


def test_the_event_loop_goes_on_meanwhile(uri: str, locked: Callable[[], "psycopg.Connection[Any]"]) -> None:
    """A verb that waits for the server does not hold up other tasks."""

    async def scenario() -> None:
        async with open_async_store(uri) as store:
            await store.health()
            blocker = locked()
            slow = asyncio.create_task(store.lookup([BUYER]))
            await asyncio.sleep(0)
            blocker.rollback()  # reached although the verb is not done
            assert await slow == {}

    asyncio.run(scenario())


# Partitions


PARTITIONED = """
    CREATE TABLE @{table}_parts (LIKE @{table} INCLUDING ALL) PARTITION BY HASH ({column});
    CREATE TABLE @{table}_0 PARTITION OF @{table}_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE @{table}_1 PARTITION OF @{table}_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO @{table}_parts SELECT * FROM @{table};
    DROP TABLE @{table};
    ALTER TABLE @{table}_parts RENAME TO {table};
"""


class TestPartitioned(LinkRules, DurabilityRules):
    """The contract holds where an administrator has cut the tables into partitions."""

    @pytest.fixture
    def make_store(self, server_uri: str, schema: str, raw: Raw) -> StoreFactory:
        """As documented: the store makes its tables, and they are replaced."""
        PostgresqlStore(server_uri, schema=schema).close()
        for table, column in (("entry", "key"), ("withdrawal", "key"), ("link", "seller")):
            raw(PARTITIONED.format(table=table, column=column))
        return lambda clock: PostgresqlStore(server_uri, schema=schema, clock=clock)


def test_partitions_are_searched_for_what_they_can_hold(uri: str, raw: Raw) -> None:
    """A lookup of a key in a table that is partitioned by keys visits one partition."""
    with open_store(uri) as store:
        store.record(map(OptOut, aliases(100)))
        raw(PARTITIONED.format(table="entry", column="key"))
        assert len(store.lookup(aliases(100))) == 100
        plan = raw("EXPLAIN SELECT * FROM @entry WHERE seller IN ('', '*') AND key = 'a:buyer@example.com'")
        assert sum("entry_" in line for (line,) in plan) == 1


def test_the_shared_list_is_a_list_like_any_other(open_either: Open, uri: str) -> None:
    """Asked as a seller it has its own entries once, in a batch too."""
    with open_either(uri) as store:
        store.link([(ORDER, BUYER)], seller=SHARED)
        store.record([OptOut(BUYER, SHARED)])
        assert store.lookup([BUYER, ORDER, OTHER], seller=SHARED) == {BUYER: OptOut(BUYER, SHARED), ORDER: OptOut(BUYER, SHARED)}


def test_a_blocking_store_serves_many_threads(uri: str) -> None:
    """Each gets an answer of its own."""
    with open_store(f"{uri}&pool_size=2") as store:
        store.record(map(OptOut, aliases(50)))
        found: dict[int, Any] = {}

        def look_up(number: int) -> None:
            for _ in range(10):
                found[number] = store.lookup(aliases(50)[number : number + 1])

        threads = [threading.Thread(target=look_up, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {number: len(answer) for number, answer in found.items()} == dict.fromkeys(range(8), 1)
