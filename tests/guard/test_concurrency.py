"""One guard in many threads and tasks, and what a cancellation leaves behind at each step of a send."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from optoutkit.guard import AsyncGuard, Guard, GuardEvent, Verdict
from optoutkit.identities import Address, OrderId
from optoutkit.ledgers import Standing, open_async_ledger, open_ledger
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.memory import AsyncMemoryStore
from optoutkit.stores.opening import open_async_store, open_store

BUYER, ANOTHER = Address("abc123@marketplace.amazon.de"), Address("def456@marketplace.amazon.de")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")
ASKS = {"topic": "review_request", "solicits": True}
REQUEST = Message("Your order", "Please leave us a review!", to=str(BUYER), order_ids=ORDER)
OTHER = Message("Your order", "A review, please!", to=str(ANOTHER), order_ids=OTHER_ORDER)
BUYERS = [Address(f"buyer{number}@marketplace.amazon.de") for number in range(32)]
LISTED = BUYERS[::2]


def mail(to: Address) -> EmailMessage:
    """A mail to a buyer."""
    message = EmailMessage()
    message["To"] = str(to)
    message.set_content("Thank you.")
    return message


def expected(number: int, *, declared: bool) -> bool:
    """Whether a mail to this buyer goes."""
    return declared or BUYERS[number] not in LISTED


def test_many_threads_at_once_get_their_own_answers(saying: Any, tmp_path: Path) -> None:
    """All of them through one guard, one wrapped sender and one store, each with a declaration of its own: nothing is mixed up."""
    threads = 8
    told: list[GuardEvent] = []
    sent: list[str] = []
    barrier = threading.Barrier(threads, timeout=60)
    with open_store(f"sqlite:///{tmp_path}/optouts.db") as store:
        store.record(map(OptOut, LISTED))
        guard = Guard(store, classify=saying("thank_you"), hook=told.append)

        @guard.wrap
        def send(message: EmailMessage) -> None:
            sent.append(message["To"])

        def work(thread: int) -> None:
            for number in range(thread, len(BUYERS), threads):
                barrier.wait()
                declared = number % 4 == 0
                with guard.declare(reply_to_buyer=declared):
                    assert guard.check(mail(BUYERS[number])).sends is expected(number, declared=declared)
                    answers = guard.check_many(map(mail, BUYERS[:4]))
                    assert [verdict.sends for verdict in answers] == [expected(one, declared=declared) for one in range(4)]
                    send(mail(BUYERS[number]))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
    assert sorted(sent) == sorted(str(BUYERS[number]) for number in range(len(BUYERS)) if expected(number, declared=number % 4 == 0))
    assert len(told) == len(BUYERS) * 6


def test_many_tasks_at_once_get_their_own_answers(saying: Any, tmp_path: Path) -> None:
    """The same with one AsyncGuard; while one task waits for the store, the others go on."""
    sent: list[str] = []

    async def main() -> None:
        async with open_async_store(f"sqlite:///{tmp_path}/optouts.db") as store:
            await store.record(map(OptOut, LISTED))
            guard = AsyncGuard(store, classify=saying("thank_you"), hook=lambda _event: None)
            barrier = asyncio.Barrier(len(BUYERS))

            @guard.wrap
            async def send(message: EmailMessage) -> None:
                sent.append(message["To"])

            async def work(number: int) -> None:
                declared = number % 4 == 0
                with guard.declare(reply_to_buyer=declared):
                    await barrier.wait()
                    assert (await guard.check(mail(BUYERS[number]))).sends is expected(number, declared=declared)
                    answers = await guard.check_many(map(mail, BUYERS[:4]))
                    assert [verdict.sends for verdict in answers] == [expected(one, declared=declared) for one in range(4)]
                    await send(mail(BUYERS[number]))

            async with asyncio.TaskGroup() as tasks:
                for number in range(len(BUYERS)):
                    tasks.create_task(work(number))

    asyncio.run(main())
    assert sorted(sent) == sorted(str(BUYERS[number]) for number in range(len(BUYERS)) if expected(number, declared=number % 4 == 0))


class Gate:
    """Stands before a store, a ledger or a sender: lets all pass but one verb, which waits there until it is cancelled."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.reached = asyncio.Event()
        self.calls: list[str] = []

    async def passed(self, verb: str) -> None:
        """Go through, or wait; only the first time."""
        self.calls.append(verb)
        if verb == self.verb and self.calls.count(verb) == 1:
            self.reached.set()
            await asyncio.Event().wait()

    def before(self, place: Any) -> Any:
        """The place with this gate before each of its verbs."""
        gate = self

        class Gated:
            async def lookup(self, *args: Any, **options: Any) -> Any:
                await gate.passed(f"{type(place).__name__}.lookup")
                return await place.lookup(*args, **options)

            def __getattr__(self, name: str) -> Any:
                async def verb(*args: Any, **options: Any) -> Any:
                    await gate.passed(name)
                    return await getattr(place, name)(*args, **options)

                return verb

        return Gated()


class Cancelled:
    """What is left of two requests that leave together, when their task is cancelled at a step."""

    def __init__(self, step: str, classify: Callable[[Message], Any]) -> None:
        self.gate = Gate(step)
        self.store, self.ledger = AsyncMemoryStore(), open_async_ledger("memory://")
        self.told: list[Any] = []
        self.sent = False
        self.guard = AsyncGuard(
            self.gate.before(self.store), ledger=self.gate.before(self.ledger), classify=classify, hook=self.told.append
        )

    async def send(self, _verdicts: tuple[Verdict, ...]) -> None:
        """Send both."""
        await self.gate.passed("send")
        self.sent = True

    async def run(self) -> None:
        """Send, and be cancelled."""
        await self.cancel(self.guard.deliver_together([REQUEST, OTHER], self.send))

    async def cancel(self, waiting: Awaitable[Any]) -> None:
        """Cancel what waits at the gate."""
        task = asyncio.ensure_future(waiting)
        await asyncio.wait_for(self.gate.reached.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def standings(self) -> list[Standing | None]:
        """How the orders stand in the ledger."""
        found = await self.ledger.lookup([ORDER, OTHER_ORDER])
        return [found.get(order) for order in (ORDER, OTHER_ORDER)]

    async def linked(self) -> list[bool]:
        """Whether the orders' buyers are known."""
        await self.store.record([OptOut(ORDER), OptOut(OTHER_ORDER)])
        found = await self.store.lookup([BUYER, ANOTHER])
        return [BUYER in found, ANOTHER in found]


@pytest.mark.parametrize("step", ["AsyncMemoryStore.lookup", "reserve"])
def test_what_is_cancelled_before_it_is_sent_leaves_nothing(saying: Any, step: str) -> None:
    """No request is used up, no link is learnt, and the message can be sent later."""

    async def main() -> None:
        cancelled = Cancelled(step, saying(**ASKS))
        await cancelled.run()
        assert not cancelled.sent
        assert await cancelled.standings() == [None, None]
        await cancelled.guard.deliver_together([REQUEST, OTHER], cancelled.send)
        assert cancelled.sent
        assert await cancelled.standings() == [Standing.SENT, Standing.SENT]
        assert await cancelled.linked() == [True, True]

    asyncio.run(main())


@pytest.mark.parametrize("step", ["confirm", "link"])
def test_what_is_cancelled_after_it_was_sent_loses_nothing_else(saying: Any, step: str) -> None:
    """Only the step that waits, which ledgers and stores of ours do all the same; after all others the cancellation comes out."""

    async def main() -> None:
        cancelled = Cancelled(step, saying(**ASKS))
        await cancelled.run()
        assert cancelled.sent
        first = Standing.PENDING if step == "confirm" else Standing.SENT
        assert await cancelled.standings() == [first, Standing.SENT], "what is pending counts as sent in the end"
        assert await cancelled.linked() == [step != "link", True]

    asyncio.run(main())


def test_what_is_cancelled_while_it_is_sent_may_have_been_sent(saying: Any) -> None:
    """Its requests stay reserved, and no link is learnt."""

    async def main() -> None:
        cancelled = Cancelled("send", saying(**ASKS))
        await cancelled.run()
        assert await cancelled.standings() == [Standing.PENDING, Standing.PENDING]
        assert await cancelled.linked() == [False, False]

    asyncio.run(main())


def test_a_cancellation_while_requests_are_released(saying: Any) -> None:
    """It may cost the one that is being released, and no other one."""

    async def main() -> None:
        cancelled = Cancelled("release", saying(**ASKS))

        async def refuse(_verdicts: tuple[Verdict, ...]) -> None:
            raise ConnectionRefusedError

        await cancelled.cancel(cancelled.guard.deliver_together([REQUEST, OTHER], refuse))
        assert await cancelled.standings() == [Standing.PENDING, None]

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["check", "check_many", "explain"])
def test_a_question_that_is_cancelled_is_no_outage(saying: Any, verb: str) -> None:
    """The cancellation comes out, and no decision is told that nobody took."""

    async def main() -> None:
        cancelled = Cancelled("AsyncMemoryStore.lookup", saying("thank_you"))
        await cancelled.cancel(getattr(cancelled.guard, verb)([REQUEST] if verb == "check_many" else REQUEST))
        assert cancelled.told == []

    asyncio.run(main())


def test_an_interrupted_thread_keeps_what_it_may_have_sent(store: Any, saying: Any) -> None:
    """Ctrl-C while a message is being sent: the request stays reserved, and the interruption comes out."""
    ledger = open_ledger("memory://")
    guard = Guard(store, ledger=ledger, classify=saying(**ASKS))

    def interrupt(_verdict: Verdict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard.deliver(REQUEST, interrupt)
    assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
    assert not store.lookup([BUYER])
