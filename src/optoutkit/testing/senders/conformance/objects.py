"""What a wrapped sender is as an object: still the library's, and guarded however it is used."""

# ruff: noqa: S101 - these are tests, for others to run

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from optoutkit.errors import UnknownSender
from optoutkit.identities import read_identity
from optoutkit.optouts import OptOut
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders.conformance.driving import AsyncSenderDriver, Letter, SenderDriver
from optoutkit.testing.senders.conformance.fixtures import SenderFixtures

__all__ = ["ObjectRules", "ThreadRules"]

_SENDS = 8


class ObjectRules(SenderFixtures):
    """What the guard does to the sender: nothing but to stand before it."""

    def test_the_answer_is_the_librarys(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """Where nobody is suppressed, it is what it is without a guard."""
        message = driver.compose(Letter(to=(driver.buyer,)))
        without, with_guard = (driver.send(through, message) for through in (sender, guarded))
        assert driver.picture_of_answer(with_guard) == driver.picture_of_answer(without)
        assert type(with_guard) is type(without)

    def test_the_answer_keeps_its_type(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """Where some are suppressed, too."""
        message = driver.compose(Letter(to=(driver.opted_out, driver.outsider)))
        without, with_guard = (driver.send(through, message) for through in (sender, guarded))
        assert type(with_guard) is type(without)

    def test_a_context_manager_gives_a_guarded_sender(self, driver: SenderDriver, guarded: Any) -> None:
        """And leaving it does what leaving it does."""
        with driver.opened(guarded) as opened:
            for to in (driver.opted_out, driver.buyer):
                driver.send(opened, driver.compose(Letter(to=(to,))))
        assert self.recipients(driver) == [(driver.buyer,)]

    def test_whatever_else_it_does_it_still_does(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """Its other methods and attributes are the library's."""
        assert driver.use_otherwise(guarded) == driver.use_otherwise(sender)
        assert isinstance(guarded, type(sender))

    def test_a_subclass_is_guarded_in_its_own_methods(self, driver: SenderDriver, guard: Any) -> None:
        """A method that somebody wrote on top of the library's sends through the guard as well."""
        guarded = guard.wrap(driver.make_subclassed())
        for to in (driver.opted_out, driver.buyer):
            message = driver.compose(Letter(to=(to,)))
            driver.send(guarded, message)
            done = guarded.notify(message)
            if isinstance(driver, AsyncSenderDriver):
                driver.run(done)
        assert self.recipients(driver) == [(driver.buyer,)] * 2

    def test_a_pickle_never_loses_the_guard(self, driver: SenderDriver, guarded: Any) -> None:
        """It cannot be made, and the error says so; or what comes out of it is guarded."""
        try:
            pickled = pickle.dumps(guarded)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            assert str(error)  # noqa: PT017 - either way is right
            return
        driver.send(pickle.loads(pickled), driver.compose(Letter(to=(driver.opted_out,))))  # noqa: S301 - its own
        assert self.recipients(driver) == []

    def test_a_copy_never_loses_the_guard(self, driver: SenderDriver, guarded: Any) -> None:
        """It cannot be made, and the error says so; or it is guarded as well."""
        for make in (copy.copy, copy.deepcopy):
            try:
                copied = make(guarded)
            except TypeError as error:
                assert str(error)  # noqa: PT017 - either way is right
            else:
                driver.send(copied, driver.compose(Letter(to=(driver.opted_out,))))
        assert self.recipients(driver) == []

    def test_two_guards_can_stand_in_a_row(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """Each withholds what it knows of; what is left is sent once."""
        message = driver.compose(Letter(to=(driver.buyer,)))
        both = self.make_guard(driver).wrap(guarded)
        driver.send(both, message)
        assert len(driver.delivered()) == 1
        driver.send(self.make_guard(driver, driver.buyer).wrap(guarded), message)
        guard.store.record([OptOut(read_identity(driver.buyer))])
        driver.send(both, message)
        assert len(driver.delivered()) == 1

    def test_the_wrong_kind_of_guard_is_refused(self, driver: SenderDriver, sender: Any) -> None:
        """At once, rather than at the first message."""
        wrong = RecordingGuard() if isinstance(driver, AsyncSenderDriver) else AsyncRecordingGuard()
        with pytest.raises(UnknownSender):
            wrong.wrap(sender)


class ThreadRules(SenderFixtures):
    """What holds of threads, for a sender that blocks."""

    def test_threads_or_tasks_share_a_guard(self, driver: SenderDriver, guard: Any) -> None:
        """Each sends, through a sender of its own, with what it declared itself."""
        together = Barrier(_SENDS)

        def send(number: int) -> None:
            guarded = guard.wrap(driver.make_sender())
            with guard.declare(reply_to_buyer=number % 2 == 0):
                together.wait(60)
                driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,), subject=str(number))))

        with ThreadPoolExecutor(_SENDS) as threads:
            list(threads.map(send, range(_SENDS)))
        assert self.recipients(driver) == [(driver.opted_out,)] * (_SENDS // 2)
