"""What is particular to the store for any database: its URI, its rows, its threads, and many processes."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.errors import InvalidUri, StoreClosed, StoreUnavailable
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import OptOutStore, open_async_store, open_store
from optoutkit.stores.rows import micros
from optoutkit.stores.sqlalchemy import AsyncSqlAlchemyStore, SqlAlchemyStore
from optoutkit.testing.stores import ManualClock

BUYER, OTHER, ORDER = Address("buyer@example.com"), Address("other@example.com"), OrderId("302-1234567-1234567")
BUYERS = [Address(f"buyer{number}@example.com") for number in range(30)]
Open = Callable[[str], OptOutStore]
Raw = Callable[..., list[Any]]


# URIs


@pytest.mark.parametrize("opener", [open_store, open_async_store])
@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("sqlalchemy://h/d", "a dialect is missing"),
        ("sqlalchemy+nosuch://u:my_secret@h/d", "cannot be read: write sqlalchemy"),
        ("sqlalchemy+mysql+nosuch://u:my_secret@h/d", "cannot be read"),
        ("sqlalchemy+mysql+pymysql://u:my_secret@h:port/d", "cannot be read"),
        ("sqlalchemy+sqlite:///x.db?days=1", "cannot be read"),
        ("sqlalchemy+sqlite:///x.db?link_days=0", "link_days must be at least 1"),
        ("sqlalchemy+sqlite:///x.db?pool_size=0", "pool_size must be at least 1"),
        ("sqlalchemy+sqlite:///x.db?timeout=0", "timeout must be"),
        ("sqlalchemy+firebird+nosuch://h/d", "cannot be read"),
    ],
)
def test_a_wrong_uri_is_refused_in_one_clear_line(opener: Callable[[str], Any], uri: str, says: str) -> None:
    """What is wrong is told, with what to write instead, and without the password; nothing is connected to."""
    with pytest.raises(InvalidUri, match=says) as raised:
        opener(uri)
    assert "\n" not in str(raised.value)
    assert "my_secret" not in str(raised.value)


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra brings SQLAlchemy; the driver of a database is for the user to choose."""
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(InvalidUri, match=r"driver .* is not installed: pip install what brings pymysql"):
        open_store("sqlalchemy+mysql+pymysql://h/d")


def test_without_sqlalchemy_the_extra_is_named() -> None:
    """Whoever lacks it is told what to install."""
    script = "import sys; sys.modules['sqlalchemy'] = None; from optoutkit import open_store; open_store('sqlalchemy+sqlite:///x.db')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "pip install 'optoutkit[sqlalchemy]'" in done.stderr


@pytest.mark.parametrize("store", [SqlAlchemyStore, AsyncSqlAlchemyStore])
@pytest.mark.parametrize("option", [{"link_days": 0}, {"pool_size": 0}, {"timeout": 0}])
def test_options_out_of_range_are_the_callers_mistake(store: Callable[..., Any], option: dict[str, Any]) -> None:
    """Made by hand, a store refuses them before it connects."""
    with pytest.raises(ValueError, match=next(iter(option))):
        store("sqlite:///x.db", **option)


# Rows


def test_every_withdrawal_stays(url: str, clock: ManualClock, raw: Raw) -> None:
    """Who opted out when, and when and why it was taken back, can be told years later, twice in one microsecond too."""
    with SqlAlchemyStore(url, clock=clock) as store:
        first, recorded = clock.now, micros(clock.now)
        store.record([OptOut(BUYER, since=first, source="mail 1")])
        first_end = clock.advance(days=1)
        store.withdraw([BUYER], why="called us")
        second = clock.advance(days=1)
        store.record([OptOut(BUYER, since=second, source="mail 2")])
        second_end = clock.advance(days=1)
        store.withdraw([BUYER], why="wrote again")
    asked = "SELECT since, source, recorded_at, withdrawn_at, why FROM optoutkit_withdrawal ORDER BY withdrawn_at"
    assert raw(url, asked) == [
        (micros(first), b"mail 1", recorded, micros(first_end), b"called us"),
        (micros(second), b"mail 2", micros(second), micros(second_end), b"wrote again"),
    ]


def test_linking_again_on_the_same_day_writes_nothing(url: str, clock: ManualClock, raw: Raw) -> None:
    """What is known of today is only read; the next day it is learnt again."""
    with SqlAlchemyStore(url, clock=clock) as store:
        store.link([(ORDER, BUYER)])
        days = raw(url, "SELECT day FROM optoutkit_link")
        store.link([(ORDER, BUYER)])
        clock.advance(days=1)
        store.link([(ORDER, BUYER)])
        assert raw(url, "SELECT day FROM optoutkit_link") == [(days[0][0] + 1,)]


def test_of_two_names_that_were_withdrawn_the_later_time_counts(url: str, clock: ManualClock) -> None:
    """Whichever name was withdrawn last; and what was withdrawn under the old name does not end what is in force under the new."""
    old, new = (Digest("address", key_id, b"x" * 16) for key_id in ("2025", "2026"))
    with SqlAlchemyStore(url, clock=clock) as store:
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


def test_a_name_too_long_for_an_index_is_refused(open_either: Open, url: str) -> None:
    """The longest seller and the longest address fit together; a longer seller is the caller's mistake."""
    longest = Address(f"{'😀' * 64}@{'.'.join(['d' * 61] * 4)}")
    with open_either(url) as store:
        store.record([OptOut(longest, "😀" * 255)])
        store.link([(ORDER, longest)], seller="😀" * 255)
        assert ORDER in store.lookup([ORDER], seller="😀" * 255)
        with pytest.raises(ValueError, match="at most 255 characters"):
            store.record([OptOut(BUYER, "x" * 256)])


# Processes

HAMMER = """
import sys
from optoutkit import Address, OptOut, OrderId, open_store
print("ready", flush=True)
sys.stdin.readline()
new = 0
with open_store("sqlalchemy+" + sys.argv[1]) as store:
    for batch in range(15):
        buyers = [Address(f"buyer{number}@example.com") for number in range(batch * 10, batch * 10 + 20)]
        new += store.record([OptOut(buyer) for buyer in buyers]).new
        assert store.lookup(buyers).keys() == set(buyers)
        store.link([(OrderId(f"302-0000000-{batch:07}"), buyers[0])], seller=sys.argv[2])
print(new)
"""


def test_many_processes_make_the_tables_and_share_them(url: str) -> None:
    """Nothing is lost or counted twice, though all of them begin at the same time with an empty database."""
    command = [sys.executable, "-W", "error", "-c", HAMMER, url]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, f"seller {number}"], **pipes) for number in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in results] == [""] * 3
    assert sum(int(output) for output, _ in results) == 160


def test_a_fork_takes_connections_of_its_own(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a child inherits is neither used nor closed."""
    with SqlAlchemyStore(url) as store:
        store.record([OptOut(BUYER)])
        with store._database._engine.connect() as inherited:
            monkeypatch.setattr(os, "getpid", lambda: -1)
            assert store.lookup([BUYER]).keys() == {BUYER}
            assert inherited.exec_driver_sql("SELECT 1").scalar() == 1


# Asyncio


def test_nothing_happens_before_the_first_verb(mysql_url: str, raw: Raw) -> None:
    """Making a store and closing it unused makes no tables."""
    asyncio.run(open_async_store(f"sqlalchemy+{mysql_url}").close())
    assert raw(mysql_url, "SHOW TABLES") == []


def test_a_cancelled_write_is_finished(url: str) -> None:
    """Cancelled while it is under way, a record is there afterwards; closing waits for it."""

    async def scenario() -> None:
        async with AsyncSqlAlchemyStore(url) as store:
            writing = asyncio.create_task(store.record([OptOut(BUYER)]))
            await asyncio.sleep(0)  # so that it is called
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            await store.close()
        async with AsyncSqlAlchemyStore(url) as store:
            assert await store.lookup([BUYER])

    asyncio.run(scenario())


def test_a_cancelled_verb_that_fails_is_passed_over_in_silence(url: str) -> None:
    """Nobody waits for its error any more, and nothing is logged as if somebody had forgotten it."""
    told: list[object] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        store = AsyncSqlAlchemyStore(url)
        go_on = threading.Event()

        def fail(_: object) -> None:
            assert go_on.wait(30)
            raise StoreUnavailable("the server is gone")

        failing = asyncio.create_task(store._run(fail))
        await asyncio.sleep(0)
        failing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await failing
        go_on.set()
        await store.close()
        del failing
        gc.collect()  # which is when asyncio says so

    asyncio.run(scenario())
    assert told == []


def test_closing_lets_what_was_called_finish(url: str) -> None:
    """Writes that were under way when the store was closed are done; later ones are refused."""

    async def scenario() -> None:
        store = AsyncSqlAlchemyStore(url)
        writes = [asyncio.create_task(store.record([OptOut(buyer)])) for buyer in BUYERS]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert [report.new for report in await asyncio.gather(*writes)] == [1] * len(BUYERS)
        with pytest.raises(StoreClosed):
            await store.record([OptOut(BUYER)])

    asyncio.run(scenario())


def test_digests_are_given_new_names_with_asyncio_too(url: str) -> None:
    """As with the blocking store, which the conformance suite looks at closely."""
    old, new = (Digest("address", key_id, b"x" * 16) for key_id in ("2025", "2026"))

    async def scenario() -> None:
        async with AsyncSqlAlchemyStore(url) as store:
            await store.record([OptOut(old, "a"), OptOut(old), OptOut(new)])
            await store.rekey([(old, new)])
            assert await store.lookup([old, new], seller="a") == {new: OptOut(new, "a")}

    asyncio.run(scenario())


def test_threads_of_a_parent_are_left_to_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child the store starts its own."""

    async def scenario() -> None:
        async with AsyncSqlAlchemyStore(url) as store:
            await store.health()
            threads = store._threads
            monkeypatch.setattr(os, "getpid", lambda: -1)
            await store.health()
            assert store._threads is not threads
            threads.shutdown()

    asyncio.run(scenario())
