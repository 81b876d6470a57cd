"""The cache around a store: what it keeps for how long, what it forgets, and who asks the store behind."""

# ruff: noqa: D102 - each class says by its name which store it tests

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Address, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import AsyncCachedStore, CachedStore, OptOutStore, RecordReport, cached
from optoutkit.stores.base import Clock, utc_now
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.sqlite import AsyncSqliteStore
from optoutkit.testing.stores import DurableStoreConformance, ManualClock, StoreConformance, StoreFactory

ALIAS, PLAIN, ORDER, SECOND_ORDER = (
    Address("abc123@marketplace.amazon.de"),
    Address("buyer@example.com"),
    OrderId("302-1234567-1234567"),
    OrderId("302-2222222-1234567"),
)


class CachedDifferences:
    """Where a cache is not to do what a plain store does: an opt-out that it knows is not asked about again."""

    def test_then_the_earliest_comes_first(self, store: OptOutStore, clock: ManualClock) -> None:
        """An opt-out that was found by a link stays the one reported, until it is forgotten; one that is told at its own name does not."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
        store.record([OptOut(SECOND_ORDER, since=clock.now)])
        assert store.lookup([ALIAS])[ALIAS].identity == SECOND_ORDER
        store.record([OptOut(ORDER, since=clock.now - timedelta(days=1))])
        assert store.lookup([ALIAS])[ALIAS].identity == SECOND_ORDER
        store.record([OptOut(ALIAS)])
        assert store.lookup([ALIAS])[ALIAS].identity == ALIAS


class TestCachedMemory(CachedDifferences, StoreConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: CachedStore(MemoryStore(clock=clock), 3600, 3600, clock=clock)


class TestAsyncCachedSqlite(CachedDifferences, DurableStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: AsyncCachedStore(AsyncSqliteStore(tmp_path / "optouts.db", clock=clock), 3600, clock=clock)


class Gate(MemoryStore):
    """A store that counts what it is asked, and can be made to wait before it answers, or to fail."""

    def __init__(self, clock: Clock = utc_now) -> None:
        super().__init__(clock=clock)
        self.asked: list[tuple[str, Identity]] = []
        self.error: BaseException | None = None
        self.reached = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        asked = tuple(identities)
        self.asked += [(seller, identity) for identity in asked]
        error = self.error
        found = super().lookup(asked, seller=seller, at=at)
        self.reached.release()
        assert self.open.wait(30)
        if error is not None:
            raise error
        return found

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        report = super().record(opt_outs)
        if self.error is not None:
            raise self.error
        return report


class Timer:
    """Seconds that go by when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gate() -> Gate:
    """The store behind."""
    return Gate()


@pytest.fixture
def timer() -> Timer:
    """The time of the cache."""
    return Timer()


# What is kept for how long


def test_an_opt_out_is_kept_for_its_time(gate: Gate, timer: Timer) -> None:
    """Until ``ttl`` seconds after it was asked for, and then asked for again, whatever became of it."""
    store = CachedStore(gate, 10, timer=timer)
    store.record([OptOut(PLAIN)])
    for seconds, asked in ((0, 1), (9.9, 1), (0.1, 2)):
        timer.now += seconds
        assert store.lookup([PLAIN]) == {PLAIN: OptOut(PLAIN)}
        assert len(gate.asked) == asked
    gate.withdraw([PLAIN])  # by somebody else: what is stale only withholds
    assert PLAIN in store.lookup([PLAIN])
    timer.now += 10
    assert store.lookup([PLAIN]) == {}
    assert store.lookup([PLAIN]) == {}
    assert len(gate.asked) == 4


def test_that_there_is_none_is_not_kept_by_default(gate: Gate) -> None:
    """Another process's new opt-out counts at once."""
    store = CachedStore(gate, 10)
    assert store.lookup([PLAIN]) == {}
    gate.record([OptOut(PLAIN)])
    assert PLAIN in store.lookup([PLAIN])


def test_that_there_is_none_is_kept_as_long_as_was_asked_for(gate: Gate, timer: Timer) -> None:
    """For ``negative_ttl`` seconds from when the store behind was asked, which bounds how long an opt-out can go unseen."""
    store = CachedStore(gate, 100, 5, timer=timer)
    assert store.lookup([PLAIN]) == {}
    gate.record([OptOut(PLAIN)])
    timer.now += 4.9
    assert store.lookup([PLAIN]) == {}
    timer.now += 0.1
    assert PLAIN in store.lookup([PLAIN])


@pytest.mark.parametrize("write", ["record", "link"])
def test_record_and_link_drop_that_there_is_none(gate: Gate, write: str) -> None:
    """What was told through the cache holds at once for everybody it concerns, and opt-outs that are known stay known."""
    store = CachedStore(gate, 100, 100)
    store.record([OptOut(PLAIN)])
    if write == "link":
        gate.record([OptOut(ORDER)])
    else:
        store.link([(ORDER, ALIAS)])
    assert store.lookup([PLAIN, ALIAS]).keys() == {PLAIN}
    if write == "link":
        store.link([(ORDER, ALIAS)])
    else:
        store.record([OptOut(ORDER)])
    del gate.asked[:]
    assert store.lookup([PLAIN, ALIAS]).keys() == {PLAIN, ALIAS}
    assert gate.asked == [("", ALIAS)]


@pytest.mark.parametrize("verb", ["withdraw", "erase"])
def test_withdraw_and_erase_drop_everything(gate: Gate, verb: str) -> None:
    """Who opted in again gets mail at once, whatever links led to the opt-out."""
    store = CachedStore(gate, 100, 100)
    store.record([OptOut(ORDER), OptOut(PLAIN)])
    store.link([(ORDER, ALIAS)])
    assert store.lookup([ALIAS, PLAIN]).keys() == {ALIAS, PLAIN}
    getattr(store, verb)([ORDER])
    del gate.asked[:]
    assert store.lookup([ALIAS, PLAIN]).keys() == {PLAIN}
    assert len(gate.asked) == 2


def test_a_write_that_fails_drops_as_well(gate: Gate) -> None:
    """After an error some of it may be in."""
    store = CachedStore(gate, 100, 100)
    assert store.lookup([PLAIN]) == {}
    gate.error = StoreUnavailable("the answer was lost")
    with pytest.raises(StoreUnavailable):
        store.record([OptOut(PLAIN)])
    gate.error = None
    assert PLAIN in store.lookup([PLAIN])


def test_sellers_are_apart_in_the_cache_as_well(gate: Gate) -> None:
    """What is known of one seller's list says nothing about another's."""
    store = CachedStore(gate, 100, 100)
    store.record([OptOut(PLAIN, "a"), OptOut(ALIAS, SHARED)])
    for _ in range(2):
        assert store.lookup([PLAIN, ALIAS], seller="a").keys() == {PLAIN, ALIAS}
        assert store.lookup([PLAIN, ALIAS], seller="b").keys() == {ALIAS}
        assert store.lookup([PLAIN, ALIAS]).keys() == {ALIAS}
    assert len(gate.asked) == 6


def test_an_opt_out_that_expires_is_not_kept_beyond_that(timer: Timer) -> None:
    """The clock decides, not the ttl; and what is asked for another time is passed on."""
    clock = ManualClock()
    gate = Gate(clock)
    store = CachedStore(gate, 1e9, clock=clock, timer=timer)
    store.record([OptOut(PLAIN, reason=Reason.COMPLAINT, expires_at=clock.now + timedelta(days=1)), OptOut(PLAIN)])
    assert store.lookup([PLAIN])[PLAIN].reason is Reason.COMPLAINT
    assert store.lookup([PLAIN], at=clock.now + timedelta(days=1))[PLAIN].reason is Reason.BUYER_OPT_OUT
    clock.advance(days=1)
    assert store.lookup([PLAIN])[PLAIN].reason is Reason.BUYER_OPT_OUT


def test_the_cache_is_bounded(gate: Gate) -> None:
    """Of each kind of answer those that were asked for last are kept."""
    store = CachedStore(gate, 100, 100, size=10)
    buyers = [Address(f"buyer{number}@example.com") for number in range(40)]
    store.record(OptOut(buyer) for buyer in buyers[:20])
    store.lookup(buyers)
    del gate.asked[:]
    store.lookup(buyers[10:20] + buyers[30:])
    assert gate.asked == []
    store.lookup(buyers[:10])
    assert len(gate.asked) == 10


@pytest.mark.parametrize(("ttl", "negative_ttl", "size"), [(0, 0, 1), (-1, 0, 1), (float("nan"), 0, 1), (1, -1, 1), (1, 0, 0)])
def test_numbers_that_make_no_sense_are_refused(gate: Gate, ttl: float, negative_ttl: float, size: int) -> None:
    """Times and sizes are positive."""
    with pytest.raises(ValueError, match="a cache needs"):
        CachedStore(gate, ttl, negative_ttl, size=size)


# Single flight


class Watched(CachedStore):
    """A cache that tells when somebody joins another one's question."""

    def __init__(self, store: OptOutStore, negative_ttl: float = 0) -> None:
        super().__init__(store, 100, negative_ttl)
        self.joined = threading.Semaphore(0)

    def _perform(self, request: Any) -> Any:
        if isinstance(request, cached._Landing):
            self.joined.release()
        return super()._perform(request)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """People who ask at the same time."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


@contextmanager
def question_under_way(gate: Gate, threads: ThreadPoolExecutor, ask: Callable[[], Any]) -> "Iterator[Future[Any]]":
    """While one has asked and the store behind, which has looked, has not answered yet."""
    gate.open.clear()
    first = threads.submit(ask)
    assert gate.reached.acquire(timeout=30)
    try:
        yield first
    finally:
        gate.open.set()


def test_many_who_ask_at_once_share_one_question(gate: Gate, threads: ThreadPoolExecutor) -> None:
    """The store behind is asked about each buyer once, though each of them asks about others as well."""
    gate.record([OptOut(PLAIN), OptOut(ALIAS), OptOut(ORDER)])
    store = Watched(gate)
    with question_under_way(gate, threads, lambda: store.lookup([PLAIN, ALIAS])) as first:
        others = [threads.submit(store.lookup, [PLAIN]) for _ in range(6)]
        for _ in others:
            assert store.joined.acquire(timeout=30)
        others.append(threads.submit(store.lookup, [ALIAS, ORDER]))
    assert first.result().keys() == {PLAIN, ALIAS}
    assert [other.result() for other in others[:6]] == [{PLAIN: OptOut(PLAIN)}] * 6
    assert others[6].result().keys() == {ALIAS, ORDER}
    assert sorted(map(str, gate.asked)) == sorted(map(str, [("", PLAIN), ("", ALIAS), ("", ORDER)]))


@pytest.mark.parametrize(("negative_ttl", "seen"), [(0, True), (100, False)])
def test_who_joins_does_not_get_an_answer_from_before(gate: Gate, threads: ThreadPoolExecutor, negative_ttl: float, seen: bool) -> None:
    """An opt-out of another process that was there before one asked is found, unless it may go unseen for so long."""
    store = Watched(gate, negative_ttl)
    with question_under_way(gate, threads, lambda: store.lookup([PLAIN])) as first:
        gate.record([OptOut(PLAIN)])
        others = [threads.submit(store.lookup, [PLAIN]) for _ in range(3)]
        for _ in others:
            assert store.joined.acquire(timeout=30)
    assert first.result() == {}
    assert [PLAIN in other.result() for other in others] == [seen] * 3


def test_a_question_from_before_a_write_is_not_joined_and_not_kept(gate: Gate, threads: ThreadPoolExecutor) -> None:
    """What was recorded through the cache is seen by whoever asks afterwards, now and later."""
    store = Watched(gate, 100)
    with question_under_way(gate, threads, lambda: store.lookup([PLAIN])) as first:
        store.record([OptOut(PLAIN)])
        second = threads.submit(store.lookup, [PLAIN])
        assert gate.reached.acquire(timeout=30)  # it asks by itself
    assert first.result() == {}
    assert second.result().keys() == {PLAIN}
    assert store.lookup([PLAIN]).keys() == {PLAIN}


def test_an_error_is_shared_and_not_kept(gate: Gate, threads: ThreadPoolExecutor) -> None:
    """All who wait for an answer get the error; the next who asks tries again."""
    store = Watched(gate, 100)
    gate.error = StoreUnavailable("down")
    with question_under_way(gate, threads, lambda: store.lookup([PLAIN])) as first:
        other = threads.submit(store.lookup, [PLAIN])
        assert store.joined.acquire(timeout=30)
        gate.error = None
    for future in (first, other):
        with pytest.raises(StoreUnavailable, match="down"):
            future.result()
    assert store.lookup([PLAIN]) == {}


def test_a_question_that_is_broken_off_is_asked_by_others(gate: Gate, threads: ThreadPoolExecutor) -> None:
    """Who was interrupted takes nobody along."""
    gate.record([OptOut(PLAIN)])
    store = Watched(gate)
    gate.error = KeyboardInterrupt()
    with question_under_way(gate, threads, lambda: store.lookup([PLAIN])) as first:
        other = threads.submit(store.lookup, [PLAIN])
        assert store.joined.acquire(timeout=30)
        gate.error = None
    with pytest.raises(KeyboardInterrupt):
        first.result()
    assert other.result().keys() == {PLAIN}


FORK = """
import os, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while there are threads, which is what is tested
from optoutkit.identities import Address
from optoutkit.stores import CachedStore
from optoutkit.stores.memory import MemoryStore
class Slow(MemoryStore):
    waiting, go_on, parent = threading.Event(), threading.Event(), os.getpid()
    def lookup(self, *identities, **options):
        if os.getpid() == self.parent:
            self.waiting.set()
            self.go_on.wait(30)
        return super().lookup(*identities, **options)
behind = Slow()
store = CachedStore(behind, 100)
asking = threading.Thread(target=store.lookup, args=[[Address("buyer@example.com")]])
asking.start()
behind.waiting.wait(30)
child = os.fork()
if child == 0:
    sys.exit(len(store.lookup([Address("buyer@example.com")])))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
behind.go_on.set()
asking.join()
"""


def test_a_forked_child_waits_for_nobody() -> None:
    """A question that a thread of the parent was asking is asked anew in the child."""
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


# For asyncio


class AsyncGate(AsyncMemoryStore):
    """The same for asyncio; also what is recorded waits."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        self.asked += 1
        found = await super().lookup(identities, seller=seller, at=at)
        self.reached.set()
        await self.open.wait()
        return found

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        self.reached.set()
        await self.open.wait()
        return await super().record(opt_outs)


def test_tasks_share_one_question_and_survive_a_cancelled_one() -> None:
    """Who waits is not cancelled with the one who asked, nor cancels the others."""

    async def scenario() -> None:
        gate = AsyncGate()
        gate.open.set()
        await gate.record([OptOut(PLAIN)])
        gate.open.clear()
        gate.reached.clear()
        async with AsyncCachedStore(gate, 100) as store:
            tasks = [asyncio.create_task(store.lookup([PLAIN])) for _ in range(5)]
            await gate.reached.wait()
            await asyncio.sleep(0)
            assert gate.asked == 1
            tasks[3].cancel()
            tasks[0].cancel()
            gate.open.set()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False, False, True, False]
            assert [answer for answer in answers if isinstance(answer, dict)] == [{PLAIN: OptOut(PLAIN)}] * 3
            assert gate.asked == 2

    asyncio.run(scenario())


def test_a_cancelled_write_is_finished_and_then_counts() -> None:
    """What says "not opted out" is dropped when the write is done, and closing waits for that."""

    async def scenario() -> None:
        gate = AsyncGate()
        store = AsyncCachedStore(gate, 100, 100)
        writing = asyncio.create_task(store.record([OptOut(PLAIN)]))
        await gate.reached.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        looking = asyncio.create_task(store.lookup([PLAIN]))
        await asyncio.sleep(0)  # it has asked, and the write is not done
        gate.open.set()
        assert await looking == {}
        assert (await store.lookup([PLAIN])).keys() == {PLAIN}
        gate.open.clear()
        writing = asyncio.create_task(store.record([OptOut(ALIAS)]))
        await asyncio.sleep(0)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        assert not closing.done()
        gate.open.set()
        await closing
        assert (await writing).new == 1

    asyncio.run(scenario())


def test_a_program_may_end_while_something_is_written() -> None:
    """A write that the end of the event loop breaks off is no error, and holds nothing up."""

    async def scenario() -> None:
        writing = asyncio.create_task(AsyncCachedStore(AsyncGate(), 100).record([OptOut(PLAIN)]))
        await asyncio.sleep(0)
        assert not writing.done()

    asyncio.run(scenario())
