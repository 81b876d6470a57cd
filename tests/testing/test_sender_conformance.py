"""The conformance suite for adapters, held against adapters that are wrong in one way each: every test of it can fail."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextvars import Context
from email.utils import parseaddr
from typing import Any, ClassVar, Self

import attrs
import pytest

from optoutkit.errors import Held, Suppressed, UnknownSender
from optoutkit.guard import AsyncGuard, Guard
from optoutkit.identities import Address, OrderId, find_order_ids
from optoutkit.messages import Message
from optoutkit.senders.proxies import SenderProxy, allowed
from optoutkit.testing.senders.conformance import (
    SEVERAL_RECIPIENTS,
    AsyncSenderConformance,
    AsyncSenderDriver,
    Delivered,
    Letter,
    SenderConformance,
    SenderDriver,
)


class Post:
    """A library: it sends dictionaries, and answers with those it refused."""

    def __init__(self, office: "Office") -> None:
        self.office = office

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_args: object) -> None:
        """Leave nothing."""

    def send(self, message: dict[str, Any], to: Sequence[str] | None = None) -> dict[str, str]:
        """Send a message."""
        if self.office.fails:
            raise ConnectionError
        recipients = headers(message) if to is None else to
        content = {name: value for name, value in message.items() if name not in {"to", "cc", "bcc", "written"}}
        self.office.delivered.append(Delivered(tuple(recipients), repr(content).encode()))
        return {}

    def opening_hours(self) -> str:
        """Something else it can do."""
        return "9 to 5"


class Office:
    """What the library delivers to. There is but one of each: a pickle leads back to it."""

    made: ClassVar[list["Office"]] = []

    def __init__(self) -> None:
        self.delivered: list[Delivered] = []
        self.fails = False
        self.made.append(self)

    def __reduce__(self) -> Any:
        return office, (self.made.index(self),)


def office(number: int) -> Office:
    """One that was made before."""
    return Office.made[number]


class GuardedPost(SenderProxy):
    """An adapter, right or wrong in one way.

    Args:
        sender: The sender.
        guard: The guard.
        fault: What is wrong with it; nothing by default.
    """

    def __init__(self, sender: Any, guard: Any, fault: str = "") -> None:
        super().__init__(sender, guard)
        object.__setattr__(self, "_fault", fault)

    def __enter__(self) -> Any:
        return self._sender if self._fault == "the context manager is not guarded" else self

    def __exit__(self, *_args: object) -> None:
        """Leave nothing."""

    def __getattr__(self, name: str) -> Any:
        if self._fault == "other methods are lost" and name == "opening_hours":
            return lambda: "never"
        if self._fault == "methods of subclasses get past" and name == "notify":
            return self._sender.notify
        return super().__getattr__(name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (Post, (self._sender.office,)) if self._fault == "a pickle loses the guard" else super().__reduce_ex__(protocol)

    def __copy__(self) -> Any:
        return self._sender if self._fault == "a copy loses the guard" else super().__copy__()

    def send(self, message: dict[str, Any], to: Sequence[str] | None = None) -> Any:
        """Send through the guard."""
        if self._fault == "there is no guard":
            return self._sender.send(message, to)
        if self._fault == "declarations are not heard":
            return Context().run(self._guarded_send, message, to)
        return self._guarded_send(message, to)

    def _guarded_send(self, message: dict[str, Any], to: Sequence[str] | None) -> Any:
        fault = self._fault
        envelope = self._envelope(message, to)
        if fault == "it is sent before it is decided on":
            self._sender.send(message, envelope)
        if fault == "it is decided on twice":
            self._guard.check(checked(message, envelope))
        if fault == "an outage holds everything" and self._guard.store.down:
            raise Held("later")
        try:
            delivery = self._guard.deliver(
                Message("", "", to=envelope) if fault == "the text is not read" else self._checked(message, envelope),
                lambda verdict: self._pass_on(message, envelope, allowed(envelope, verdict)),
            )
        except (Held, Suppressed):
            if fault == "exceptions are swallowed":
                return {}
            raise
        except ConnectionError:
            if fault == "failures are renamed":
                raise Held("later") from None
            if fault == "it learns of what did not go":
                self._learn(message, envelope)
            raise
        return self._answer(delivery)

    def _envelope(self, message: dict[str, Any], to: Sequence[str] | None) -> list[str]:
        if self._fault == "only To is looked at":
            return list(message["to"])
        if to is None or self._fault == "the envelope is not looked at":
            return headers(message)
        return list(to)

    def _checked(self, message: dict[str, Any], envelope: list[str]) -> Message:
        if self._fault == "what shows no text is taken for critical" and not message["text"]:
            return attrs.evolve(checked(message, envelope), topic="shipping_address")
        if self._fault == "names are looked up":
            return checked(message, [f"name of {recipient}" if "<" in message["written"] else recipient for recipient in envelope])
        return checked(message, envelope)

    def _answer(self, delivery: Any) -> Any:
        if self._fault == "suppressed recipients are not reported":
            return {}
        suppressed = {decision.recipient: decision.explanation for decision in delivery.verdict.suppressed}
        answer = {**(delivery.answer or {}), **suppressed}
        if self._fault == "the answer is another":
            return list(answer)
        return [answer] if self._fault == "the answer changes its type" and suppressed else answer

    def _learn(self, message: dict[str, Any], recipients: list[str]) -> None:
        self._guard.store.link([(order, Address(recipients[0])) for order in orders(message)])

    def _pass_on(self, message: dict[str, Any], envelope: list[str], rest: list[str]) -> Any:
        fault = self._fault
        if fault == "the rest does not go" and len(rest) < len(envelope):
            return {}
        if fault == "the order is changed":
            rest = sorted(rest)
        message = self._written_anew(message, envelope, rest)
        if fault == "it is sent twice":
            self._sender.send(message, rest)
        if fault == "it is sent one by one":
            for recipient in rest:
                self._sender.send(message, [recipient])
            return {}
        if fault == "it learns before it sends":
            self._learn(message, rest)
        return self._sender.send(message, rest)

    def _written_anew(self, message: dict[str, Any], envelope: list[str], rest: list[str]) -> dict[str, Any]:
        fault = self._fault
        if fault == "Bcc leaks":
            return {**message, "hidden": message["bcc"]}
        if fault == "the text is changed":
            return {**message, "text": message["text"].strip()}
        if fault == "the rest gets another text" and len(rest) < len(envelope):
            return {**message, "subject": f"[for some] {message['subject']}"}
        if fault == "the caller's message is changed":
            message["subject"] += " "
        if fault == "the caller's message loses recipients":
            message["to"] = [recipient for recipient in message["to"] if recipient in rest]
        return message


def headers(message: dict[str, Any]) -> list[str]:
    """Whom a message names."""
    return [*message["to"], *message["cc"], *message["bcc"]]


def orders(message: dict[str, Any]) -> list[OrderId]:
    """The orders it names."""
    return [order for _, order in find_order_ids(message["subject"])]


def checked(message: dict[str, Any], envelope: Sequence[str]) -> Message:
    """What the guard is to look at."""
    return Message(message["subject"], message["text"], html=message["html"], to=envelope, order_ids=orders(message))


class PostDriver(SenderDriver):
    """Drives it."""

    def __init__(self) -> None:
        self.office = Office()

    def make_sender(self) -> Any:
        """A sender."""
        return Post(self.office)

    def make_subclassed(self) -> Any:
        """One with a method more."""

        class Notifier(Post):
            def notify(self, message: Any) -> Any:
                return self.send(message)

        return Notifier(self.office)

    def compose(self, letter: Letter) -> Any:
        """A dictionary."""
        text, html = ("", None) if letter.textless else (letter.text, letter.html)
        fields = {name: [parseaddr(item)[1].lower() for item in getattr(letter, name)] for name in ("to", "cc", "bcc")}
        return {**fields, "written": str(letter.to), "subject": letter.subject, "text": text, "html": html}

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        """Send it."""
        return sender.send(message, envelope)

    def delivered(self) -> Sequence[Delivered]:
        """What the office has."""
        return self.office.delivered

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        """They are keys of it."""
        assert list(answer) == list(suppressed)

    def fail(self) -> None:
        """Close the office."""
        self.office.fails = True

    def use_otherwise(self, sender: Any) -> Any:
        """Ask when it is open."""
        return sender.opening_hours()


class AsyncPost(Post):
    """The library for asyncio."""

    async def send(self, message: Any, to: Any = None) -> Any:  # type: ignore[override]
        """Send a message."""
        return super().send(message, to)


class AsyncGuardedPost(SenderProxy):
    """Its adapter, right or wrong in one way."""

    def __init__(self, sender: Any, guard: Any, fault: str = "") -> None:
        super().__init__(sender, guard)
        object.__setattr__(self, "_fault", fault)

    async def send(self, message: Any, to: Any = None) -> Any:
        """Send through the guard."""
        envelope = headers(message) if to is None else list(to)
        sending = asyncio.create_task(
            self._guard.deliver(checked(message, envelope), lambda verdict: self._sender.send(message, allowed(envelope, verdict))),
            context=Context() if self._fault == "declarations are not heard" else None,
        )
        try:
            return (await sending).answer or {}
        except asyncio.CancelledError:
            if self._fault == "a cancelled task sends":
                await self._sender.send(message, envelope)
            raise


class AsyncPostDriver(PostDriver, AsyncSenderDriver):
    """Drives it."""

    def __init__(self) -> None:
        PostDriver.__init__(self)
        AsyncSenderDriver.__init__(self)

    def make_sender(self) -> Any:
        """A sender."""
        return AsyncPost(self.office)

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        """Send it."""
        return await sender.send(message, envelope)

    send = AsyncSenderDriver.send


def run(suite: type[Any], name: str, driver: SenderDriver, wrap: Callable[[Any, Any], Any], *, takes_any_guard: bool = False) -> None:
    """Run one test of the suite with an adapter."""
    right = AsyncGuard if isinstance(driver, AsyncSenderDriver) else Guard

    def refuse_or_wrap(guard: Any, sender: Any) -> Any:
        if not isinstance(guard, right) and not takes_any_guard:
            raise UnknownSender("the other kind")
        return wrap(sender, guard)

    made = suite()
    with pytest.MonkeyPatch.context() as monkeypatch:
        for kind in (Guard, AsyncGuard):
            monkeypatch.setattr(kind, "wrap", refuse_or_wrap)
        guard = made.make_guard(driver)
        sender = driver.make_sender()
        there: dict[str, Any] = {"guard": guard, "sender": sender, "guarded": wrap(driver.make_sender(), guard), "field": "cc"}
        there |= {"driver": driver, "monkeypatch": monkeypatch}
        test = getattr(made, f"test_{name}")
        try:
            test(**{parameter: there[parameter] for parameter in inspect.signature(test).parameters})
        finally:
            driver.close()


def names(suite: type[Any]) -> list[str]:
    """The names of its tests."""
    return [name.removeprefix("test_") for name in dir(suite) if name.startswith("test_")]


FAULTS = [
    ("there is no guard", "a_display_name_changes_nothing"),
    ("there is no guard", "two_guards_can_stand_in_a_row"),
    ("suppressed recipients are not reported", "with_all_suppressed_nothing_is_sent"),
    ("the rest does not go", "suppressed_recipients_are_reported_and_the_rest_goes"),
    ("the order is changed", "the_order_of_recipients_is_kept"),
    ("only To is looked at", "cc_and_bcc_count"),
    ("names are looked up", "a_display_name_changes_nothing"),
    ("Bcc leaks", "bcc_never_leaks"),
    ("the envelope is not looked at", "an_explicit_envelope_wins"),
    ("the text is changed", "bytes_pass_untouched"),
    ("the rest gets another text", "what_is_left_out_changes_nothing_else"),
    ("the caller's message is changed", "the_callers_message_is_unchanged"),
    ("the caller's message loses recipients", "a_message_suppressed_in_part_is_unchanged"),
    ("the text is not read", "a_critical_message_goes_to_everybody"),
    ("the text is not read", "an_outage_never_holds_a_critical_message"),
    ("declarations are not heard", "what_the_caller_declares_counts"),
    ("declarations are not heard", "threads_or_tasks_share_a_guard"),
    ("what shows no text is taken for critical", "without_visible_text_only_a_declared_topic_is_critical"),
    ("exceptions are swallowed", "an_outage_holds"),
    ("exceptions are swallowed", "who_wants_an_exception_for_suppression_gets_it"),
    ("it is sent before it is decided on", "an_outage_holds_the_whole_message"),
    ("it is sent before it is decided on", "that_exception_comes_before_anything_is_sent"),
    ("an outage holds everything", "an_outage_holds_nothing_for_others_than_buyers"),
    ("it is decided on twice", "a_message_is_decided_on_and_sent_once"),
    ("it is sent twice", "a_message_is_decided_on_and_sent_once"),
    ("it is sent one by one", "one_decision_is_made_for_each_recipient"),
    ("failures are renamed", "a_failure_is_the_librarys_own"),
    ("it learns before it sends", "a_link_is_learnt_after_the_send"),
    ("it learns of what did not go", "nothing_is_learnt_of_what_did_not_go"),
    ("the answer is another", "the_answer_is_the_librarys"),
    ("the answer changes its type", "the_answer_keeps_its_type"),
    ("the context manager is not guarded", "a_context_manager_gives_a_guarded_sender"),
    ("other methods are lost", "whatever_else_it_does_it_still_does"),
    ("methods of subclasses get past", "a_subclass_is_guarded_in_its_own_methods"),
    ("a pickle loses the guard", "a_pickle_never_loses_the_guard"),
    ("a copy loses the guard", "a_copy_never_loses_the_guard"),
    ("any guard is taken", "the_wrong_kind_of_guard_is_refused"),
]
FAILS = (AssertionError, Held, pytest.fail.Exception)


@pytest.mark.parametrize("name", names(SenderConformance))
def test_a_right_adapter_passes(name: str) -> None:
    """Every test of the suite."""
    run(SenderConformance, name, PostDriver(), GuardedPost)


@pytest.mark.parametrize(("fault", "name"), FAULTS)
def test_a_wrong_adapter_fails(fault: str, name: str) -> None:
    """In the test that is about what is wrong with it."""
    with pytest.raises(FAILS):
        run(
            SenderConformance,
            name,
            PostDriver(),
            lambda sender, guard: GuardedPost(sender, guard, fault),
            takes_any_guard=fault == "any guard is taken",
        )


@pytest.mark.parametrize("name", ["threads_or_tasks_share_a_guard", "a_task_that_is_cancelled_sends_and_records_nothing"])
def test_a_right_async_adapter_passes(name: str) -> None:
    """What the async suite has beside the other."""
    run(AsyncSenderConformance, name, AsyncPostDriver(), AsyncGuardedPost)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("declarations are not heard", "threads_or_tasks_share_a_guard"),
        ("a cancelled task sends", "a_task_that_is_cancelled_sends_and_records_nothing"),
    ],
)
def test_a_wrong_async_adapter_fails(fault: str, name: str) -> None:
    """In the test that is about what is wrong with it."""
    with pytest.raises(FAILS):
        run(AsyncSenderConformance, name, AsyncPostDriver(), lambda sender, guard: AsyncGuardedPost(sender, guard, fault))


def test_every_test_of_the_suite_can_fail() -> None:
    """There is a fault above for each."""
    assert {name for _, name in FAULTS} == set(names(SenderConformance))


def test_what_a_library_does_not_allow_is_left_out() -> None:
    """By its name; a name that is none of the suite's is a mistake."""

    class Single(SenderConformance):
        not_allowed = dict.fromkeys(SEVERAL_RECIPIENTS, "one recipient a message")

    assert set(names(SenderConformance)) - {name for name in names(Single) if getattr(Single, f"test_{name}")} == set(SEVERAL_RECIPIENTS)
    with pytest.raises(TypeError, match="'flying', which is none of the suite's tests"):
        type("Wrong", (SenderConformance,), {"not_allowed": {"flying": "it has no wings"}})


def test_what_a_driver_need_not_bring_says_so() -> None:
    """Before a test passes for want of it."""

    class Bare(PostDriver):
        make_subclassed = SenderDriver.make_subclassed
        use_otherwise = SenderDriver.use_otherwise

    for name in ("a_subclass_is_guarded_in_its_own_methods", "whatever_else_it_does_it_still_does"):
        with pytest.raises(NotImplementedError):
            run(SenderConformance, name, Bare(), GuardedPost)
