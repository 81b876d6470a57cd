"""The caller's word: where it holds, and what it is beside the message's own."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any

import pytest

from optoutkit.classifier import Topic
from optoutkit.errors import InvalidInput, InvalidMessage, InvalidOrderId
from optoutkit.guard import AsyncGuard, DecisionReason, Guard, topic_of_contact_reason
from optoutkit.guard.contact_reasons import contact_reasons
from optoutkit.identities import OrderId
from optoutkit.messages import Message
from optoutkit.stores.memory import AsyncMemoryStore

BUYER = "abc123@marketplace.amazon.de"
ORDER, OTHER_ORDER = "302-1234567-1234567", "302-7654321-7654321"
MESSAGE = Message("s", "b", to=BUYER)


@pytest.fixture
def guard(store: Any, saying: Any) -> Guard:
    """A guard whose classifier finds nothing critical."""
    return Guard(store, classify=saying("thank_you"))


def reason(guard: Guard, message: Message = MESSAGE) -> DecisionReason:
    """Why the message may go."""
    return guard.check(message).decisions[0].reason


def test_a_declaration_holds_inside_its_block(guard: Guard) -> None:
    """Not before, not after, and not after an error inside it either."""
    with guard.declare(reply_to_buyer=True):
        assert reason(guard) is DecisionReason.DECLARED_REPLY
    assert reason(guard) is DecisionReason.NOT_OPTED_OUT
    with pytest.raises(ZeroDivisionError), guard.declare(reply_to_buyer=True):
        raise ZeroDivisionError
    assert reason(guard) is DecisionReason.NOT_OPTED_OUT


def test_blocks_nest(guard: Guard, store: Any) -> None:
    """The inner word counts, what it leaves out is the outer's, and the outer's is back afterwards."""
    with guard.declare(topic="shipping_address", order_ids=ORDER):
        with guard.declare(topic="invoice"):
            assert reason(guard) is DecisionReason.NOT_OPTED_OUT
            assert store.lookups[-1][1:] == (OrderId(ORDER),)
            with guard.declare(reply_to_buyer=True, order_ids=[OTHER_ORDER]):
                assert reason(guard) is DecisionReason.DECLARED_REPLY
                with guard.declare(reply_to_buyer=False):
                    assert reason(guard) is DecisionReason.NOT_OPTED_OUT
                    assert store.lookups[-1][1:] == (OrderId(OTHER_ORDER),)
        assert reason(guard) is DecisionReason.DECLARED_CRITICAL


def test_the_messages_own_word_is_joined(guard: Guard, store: Any) -> None:
    """Its own topic stands, its orders stay, and either's word makes it a reply or a custom order."""
    with guard.declare(topic="shipping_address", order_ids=OTHER_ORDER, reply_to_buyer=False):
        assert reason(guard, Message("s", "b", to=BUYER, topic="invoice", order_ids=ORDER)) is DecisionReason.NOT_OPTED_OUT
        assert store.lookups[-1][1:] == (OrderId(ORDER), OrderId(OTHER_ORDER))
        assert reason(guard, Message("s", "b", to=BUYER, reply_to_buyer=True)) is DecisionReason.DECLARED_REPLY
    with guard.declare(custom_order=True):
        assert reason(guard) is DecisionReason.CUSTOM_ORDER


def test_the_caller_s_message_is_not_changed(guard: Guard) -> None:
    """What is declared is added to a copy."""
    message = Message("s", "b", to=BUYER)
    with guard.declare(topic="shipping_address", order_ids=ORDER):
        guard.check(message)
    assert message == Message("s", "b", to=BUYER)


def test_each_guard_has_its_own_declarations(guard: Guard, store: Any, saying: Any) -> None:
    """A word to one guard is none to another."""
    other = Guard(store, classify=saying("thank_you"))
    with guard.declare(topic="shipping_address"), other.declare(reply_to_buyer=True):
        assert reason(guard) is DecisionReason.DECLARED_CRITICAL
        assert reason(other) is DecisionReason.DECLARED_REPLY


def test_a_wrong_order_is_refused_where_it_is_declared(guard: Guard) -> None:
    """Not when something is sent."""
    with pytest.raises(InvalidOrderId):
        guard.declare(order_ids=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidOrderId):
        guard.declare(order_ids="302")


@pytest.mark.parametrize("word", ["no", 1, []])
def test_only_true_and_false_are_words(guard: Guard, word: Any) -> None:
    """What a table or a form says would count as true, and let everything through."""
    for said in ({"reply_to_buyer": word}, {"custom_order": word}):
        with pytest.raises(InvalidInput, match="is True or False"):
            guard.declare(**said)
        with pytest.raises(InvalidMessage, match="is True or False"):
            Message("s", "b", **said)


def test_threads_declare_for_themselves(guard: Guard) -> None:
    """Two threads inside blocks of their own at the same time, and a third without one."""
    meet = threading.Barrier(3)
    found: dict[str, DecisionReason] = {}

    def work(name: str, said: dict[str, Any]) -> None:
        with guard.declare(**said):
            meet.wait(timeout=30)
            found[name] = reason(guard)
            meet.wait(timeout=30)

    said: dict[str, dict[str, Any]] = {"reply": {"reply_to_buyer": True}, "address": {"topic": "shipping_address"}}
    threads = [threading.Thread(target=work, args=item) for item in said.items()]
    for thread in threads:
        thread.start()
    meet.wait(timeout=30)
    found["neither"] = reason(guard)
    meet.wait(timeout=30)
    for thread in threads:
        thread.join()
    assert found == {
        "reply": DecisionReason.DECLARED_REPLY,
        "address": DecisionReason.DECLARED_CRITICAL,
        "neither": DecisionReason.NOT_OPTED_OUT,
    }


def test_tasks_declare_for_themselves_and_keep_what_held_at_their_start(saying: Any) -> None:
    """Tasks that interleave do not see each other's word; a task started inside a block keeps the block's."""
    guard = AsyncGuard(AsyncMemoryStore(), classify=saying("thank_you"))

    async def sent(inside: asyncio.Event, go_on: asyncio.Event, **said: Any) -> DecisionReason:
        with guard.declare(**said):
            inside.set()
            await go_on.wait()
            return (await guard.check(MESSAGE)).decisions[0].reason

    async def main() -> list[DecisionReason]:
        inside, go_on = [asyncio.Event() for _ in range(3)], asyncio.Event()
        said: list[dict[str, Any]] = [{"reply_to_buyer": True}, {"topic": "shipping_address"}, {}]
        with guard.declare(custom_order=True):
            inheriting = asyncio.create_task(sent(inside[2], go_on))
        tasks = [asyncio.create_task(sent(event, go_on, **words)) for event, words in zip(inside[:2], said[:2], strict=True)]
        for event in inside:
            await event.wait()
        assert (await guard.check(MESSAGE)).decisions[0].reason is DecisionReason.NOT_OPTED_OUT
        go_on.set()
        return await asyncio.gather(*tasks, inheriting)

    assert asyncio.run(main()) == [DecisionReason.DECLARED_REPLY, DecisionReason.DECLARED_CRITICAL, DecisionReason.CUSTOM_ORDER]


def test_a_context_that_is_handed_on_carries_the_word(guard: Guard) -> None:
    """As ``asyncio.to_thread`` does; the worker's own context stays without it."""
    with guard.declare(reply_to_buyer=True):
        context = copy_context()
    assert context.run(reason, guard) is DecisionReason.DECLARED_REPLY
    assert reason(guard) is DecisionReason.NOT_OPTED_OUT


def test_a_declaration_can_be_entered_again(guard: Guard) -> None:
    """One after another, and inside itself: each block ends only what it began."""
    reply = guard.declare(reply_to_buyer=True)
    for _ in range(2):
        with reply:
            with reply:
                assert reason(guard) is DecisionReason.DECLARED_REPLY
            assert reason(guard) is DecisionReason.DECLARED_REPLY
        assert reason(guard) is DecisionReason.NOT_OPTED_OUT


def test_one_declaration_serves_many_threads(guard: Guard) -> None:
    """A thread that leaves its block does not end that of another thread, nor begin one where there is none."""
    reply, meet = guard.declare(reply_to_buyer=True), threading.Barrier(2, timeout=30)
    found: list[DecisionReason] = []

    def work() -> None:
        with reply:
            meet.wait()
        found.append(reason(guard))
        meet.wait()

    thread = threading.Thread(target=work)
    thread.start()
    with reply:
        meet.wait()
        meet.wait()
        assert reason(guard) is DecisionReason.DECLARED_REPLY
    thread.join()
    assert [*found, reason(guard)] == [DecisionReason.NOT_OPTED_OUT] * 2


def test_blocks_that_end_in_another_order_leave_nothing_behind(guard: Guard) -> None:
    """As those of two generators do: the one that is still open holds, and with the last of them all is over."""

    def sending(**said: Any) -> Iterator[None]:
        with guard.declare(**said):
            yield

    address, reply = sending(topic="shipping_address"), sending(reply_to_buyer=True)
    next(address)
    next(reply)
    assert next(address, None) is None
    assert reason(guard) is DecisionReason.DECLARED_REPLY
    assert next(reply, None) is None
    assert reason(guard) is DecisionReason.NOT_OPTED_OUT


def test_a_block_may_end_in_another_context(guard: Guard) -> None:
    """As that of an async generator does which the event loop closes: it ends there without an error, and changes nothing there."""
    elsewhere = Context()
    with guard.declare(custom_order=True):
        block = guard.declare(topic="shipping_address")
        elsewhere.run(block.__enter__)
        block.__exit__(None, None, None)
        assert reason(guard) is DecisionReason.CUSTOM_ORDER
        assert elsewhere.run(reason, guard) is DecisionReason.DECLARED_CRITICAL
    elsewhere.run(block.__exit__, None, None, None)
    assert elsewhere.run(reason, guard) is DecisionReason.NOT_OPTED_OUT


def test_a_contact_reason_stands_for_its_topic(guard: Guard) -> None:
    """Whatever its spaces and capitals; a topic goes before it, and one that is not known, or leaves it open, says nothing."""
    with guard.declare(contact_reason=" confirm  Customization details"):
        assert reason(guard) is DecisionReason.DECLARED_CRITICAL
        with guard.declare(contact_reason="Ask product review"):
            assert reason(guard) is DecisionReason.NOT_OPTED_OUT
        with guard.declare(contact_reason="Ask product review", topic="shipping_address"):
            assert reason(guard) is DecisionReason.DECLARED_CRITICAL
        for silent in ("Follow-up on return request", "Something new"):
            with guard.declare(contact_reason=silent):
                assert reason(guard) is DecisionReason.DECLARED_CRITICAL
    others: list[Any] = ["Follow-up on return request", "Something new", 5]
    for silent in others:
        assert topic_of_contact_reason(silent) is None
        with guard.declare(contact_reason=silent):
            assert reason(guard) is DecisionReason.NOT_OPTED_OUT


def test_contact_reasons_lead_to_topics_of_the_classifier() -> None:
    """Each that leads anywhere."""
    assert {Topic(topic) for topic in contact_reasons().values() if topic}
