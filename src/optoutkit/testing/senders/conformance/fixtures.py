"""What the tests of adapters begin with: the driver's senders, and guards over a store in memory."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from optoutkit.classifier.results import Classification
from optoutkit.messages import Message
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders.conformance.driving import AsyncSenderDriver, SenderDriver

__all__ = ["SenderFixtures"]


def _classify(message: Message) -> Classification:
    critical = "address" in message.text
    topic = "shipping_address" if critical else "thank_you"
    return Classification(critical=critical, solicits=False, topic=topic, confidence=0.9, language="en")


class SenderFixtures:
    """The fixtures of the conformance suite, but for ``driver``, a :class:`SenderDriver`, which the subclass brings.

    Attributes:
        sender_name: What is tested, as the matrix in the documentation names it.
        not_allowed: What the library does not allow: the names of tests without ``test_``, each with the reason in a few words.
            These tests are left out of the class, and the matrix shows the reason.
    """

    sender_name: ClassVar[str] = ""
    not_allowed: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Leave out the tests of what the library does not allow."""
        super().__init_subclass__(**kwargs)
        for name in cls.not_allowed:
            if not hasattr(cls, f"test_{name}"):
                raise TypeError(f"{cls.__name__}.not_allowed names {name!r}, which is none of the suite's tests")
            setattr(cls, f"test_{name}", None)

    @pytest.fixture(autouse=True)
    def _closed(self, driver: SenderDriver) -> Iterator[None]:
        yield
        driver.close()

    @pytest.fixture
    def guard(self, driver: SenderDriver) -> Any:
        """A guard of the kind that the sender needs, which knows one buyer who opted out."""
        return self.make_guard(driver)

    @pytest.fixture
    def sender(self, driver: SenderDriver) -> Any:
        """A sender without a guard."""
        return driver.make_sender()

    @pytest.fixture
    def guarded(self, driver: SenderDriver, guard: Any) -> Any:
        """A sender behind the guard."""
        return guard.wrap(driver.make_sender())

    def make_guard(self, driver: SenderDriver, *opted_out: str, **options: Any) -> Any:
        """Make a guard of the kind that the sender needs; by default the driver's buyer is opted out."""
        kind = AsyncRecordingGuard if isinstance(driver, AsyncSenderDriver) else RecordingGuard
        return kind(*(opted_out or (driver.opted_out,)), classify=_classify, **options)

    def recipients(self, driver: SenderDriver) -> list[tuple[str, ...]]:
        """Whom everything so far was delivered to."""
        return [delivered.recipients for delivered in driver.delivered()]
