"""The async SQLite store: its thread, its order, and cancelled awaits."""

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from optoutkit.errors import StoreClosed, StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import AsyncSqliteStore, SqliteStore

BUYERS = [Address(f"buyer{number}@example.com") for number in range(50)]


def test_nothing_happens_before_the_first_verb(path: Path) -> None:
    """Making a store starts no thread and touches no file, and closing it unused makes none either."""
    threads = threading.active_count()
    store = AsyncSqliteStore(path)
    assert threading.active_count() == threads
    asyncio.run(store.close())
    assert not path.exists()


def test_a_cancelled_write_is_finished(path: Path) -> None:
    """Cancelled while it waits its turn or while it is done, a record is there afterwards."""

    async def scenario() -> None:
        started, go_on = threading.Event(), threading.Event()

        def hold(store: SqliteStore) -> None:
            started.set()
            assert go_on.wait(30)
            store.record([OptOut(BUYERS[0])])

        async with AsyncSqliteStore(path) as store:
            running = asyncio.create_task(store._run(hold))  # type: ignore[arg-type]
            await asyncio.to_thread(started.wait, 30)
            waiting = asyncio.create_task(store.record([OptOut(BUYERS[1])]))
            await asyncio.sleep(0)  # so that it is called
            for task in (running, waiting):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            go_on.set()
            assert (await store.lookup(BUYERS)).keys() == set(BUYERS[:2])

    asyncio.run(scenario())


def test_the_event_loop_goes_on_meanwhile(path: Path) -> None:
    """A verb that takes long does not hold up other tasks."""

    async def scenario() -> None:
        go_on = threading.Event()
        async with AsyncSqliteStore(path) as store:
            slow = asyncio.create_task(store._run(lambda _: go_on.wait(30)))
            await asyncio.sleep(0)
            go_on.set()  # reached although the verb is not done
            assert await slow

    asyncio.run(scenario())


def test_closing_lets_what_was_called_finish(path: Path) -> None:
    """Writes that were under way when the store was closed are done; later ones are refused."""

    async def scenario() -> None:
        store = AsyncSqliteStore(path)
        writes = [asyncio.create_task(store.record([OptOut(buyer)])) for buyer in BUYERS]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert [report.new for report in await asyncio.gather(*writes)] == [1] * len(BUYERS)
        with pytest.raises(StoreClosed):
            await store.record([OptOut(BUYERS[0])])

    asyncio.run(scenario())
    for thread in threading.enumerate():
        if thread.name.startswith("optoutkit-sqlite"):
            thread.join(30)
            assert not thread.is_alive()
    with SqliteStore(path) as store:
        assert len(list(store.scan())) == len(BUYERS)


def test_closing_is_finished_though_its_await_is_cancelled(path: Path) -> None:
    """The file is let go in any case: the log, which SQLite removes with the last connection, is gone."""

    async def scenario() -> None:
        store = AsyncSqliteStore(path)
        await store.record([OptOut(BUYERS[0])])
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        store._worker.shutdown(wait=True)

    asyncio.run(scenario())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_store_serves_one_event_loop_after_another(path: Path) -> None:
    """It is bound to no loop, as scripts call ``asyncio.run`` more than once."""
    store = AsyncSqliteStore(path)
    assert asyncio.run(store.record([OptOut(BUYERS[0])])).new == 1
    assert asyncio.run(store.lookup(BUYERS)).keys() == {BUYERS[0]}
    asyncio.run(store.close())


def test_opening_is_tried_again(path: Path) -> None:
    """What stands in the way of the first verb need not stand in the way of the next."""
    store = AsyncSqliteStore(path)
    path.mkdir()
    with pytest.raises(StoreUnavailable, match="folder"):
        asyncio.run(store.health())
    path.rmdir()
    asyncio.run(store.health())
    asyncio.run(store.close())


def test_a_scan_left_early_leaves_nothing_behind(path: Path) -> None:
    """Who breaks off a scan holds up nobody."""

    async def scenario() -> None:
        async with AsyncSqliteStore(path) as store:
            await store.record(OptOut(buyer) for buyer in BUYERS)
            entries = store.scan()
            assert (await anext(entries)).identity == BUYERS[0]
            await store.record([OptOut(Address("new@example.com"))])

    asyncio.run(scenario())


FORK = """
import asyncio, os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while the worker thread is there, which is what is tested
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import AsyncSqliteStore
store = AsyncSqliteStore(sys.argv[1])
asyncio.run(store.record([OptOut(Address("parent@example.com"))]))
child = os.fork()
asyncio.run(store.record([OptOut(Address("child@example.com" if child == 0 else "afterwards@example.com"))]))
if child == 0:
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
async def keys():
    return [str(entry.identity) async for entry in store.scan()]
print(*asyncio.run(keys()))
asyncio.run(store.close())
"""


def test_a_store_can_be_used_across_a_fork(path: Path, run: Callable[..., str]) -> None:
    """A forked child, which has lost the thread, gets one of its own."""
    assert run(FORK, path) == "afterwards@example.com child@example.com parent@example.com\n"


ABANDONED = """
import asyncio, sys
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import AsyncSqliteStore
async def main():
    store = AsyncSqliteStore(sys.argv[1])
    asyncio.create_task(store.record([OptOut(Address(f"buyer{number}@example.com")) for number in range(5000)]))
    await asyncio.sleep(0)
asyncio.run(main())
"""


def test_a_write_is_finished_though_the_program_ends(path: Path, run: Callable[..., str]) -> None:
    """A script that forgets to await or to close loses nothing it has called."""
    run(ABANDONED, path)
    with SqliteStore(path) as store:
        assert len(list(store.scan())) == 5000


def test_a_cancelled_verb_that_fails_is_passed_over_in_silence(path: Path) -> None:
    """Nobody waits for its error any more, and nothing is logged as if somebody had forgotten it."""
    told: list[object] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        store = AsyncSqliteStore(path)
        go_on = threading.Event()

        def fail(_: object) -> None:
            assert go_on.wait(30)
            raise StoreUnavailable("the disk is gone")

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
