"""Who gets a message, and how the others are reported."""

# ruff: noqa: S101 - these are tests, for others to run

from typing import Any

import pytest

from optoutkit.testing.senders.conformance.driving import Letter, SenderDriver
from optoutkit.testing.senders.conformance.fixtures import SenderFixtures

__all__ = ["RecipientRules"]


class RecipientRules(SenderFixtures):
    """What the guard does to the recipients of a message."""

    def test_suppressed_recipients_are_reported_and_the_rest_goes(self, driver: SenderDriver, guarded: Any) -> None:
        """As the library reports those that a server refuses; all others get the message."""
        answer = driver.send(guarded, driver.compose(Letter(to=(driver.outsider, driver.opted_out, driver.buyer))))
        driver.assert_reported(answer, [driver.opted_out])
        assert self.recipients(driver) == [(driver.outsider, driver.buyer)]

    def test_with_all_suppressed_nothing_is_sent(self, driver: SenderDriver, guarded: Any) -> None:
        """They are reported, and the sender is good for the next message."""
        answer = driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,))))
        driver.assert_reported(answer, [driver.opted_out])
        assert self.recipients(driver) == []
        driver.send(guarded, driver.compose(Letter(to=(driver.buyer,))))
        assert self.recipients(driver) == [(driver.buyer,)]

    def test_the_order_of_recipients_is_kept(self, driver: SenderDriver, guarded: Any) -> None:
        """Whoever is left stands in the order in which the caller named them."""
        for to in ((driver.buyer, driver.outsider), (driver.outsider, driver.opted_out, driver.buyer)):
            driver.send(guarded, driver.compose(Letter(to=to)))
        assert self.recipients(driver) == [(driver.buyer, driver.outsider), (driver.outsider, driver.buyer)]

    @pytest.mark.parametrize("field", ["cc", "bcc"])
    def test_cc_and_bcc_count(self, driver: SenderDriver, guarded: Any, field: str) -> None:
        """A recipient is one wherever he stands."""
        hidden: dict[str, Any] = {field: (driver.opted_out,)}
        answer = driver.send(guarded, driver.compose(Letter(to=(driver.outsider,), **hidden)))
        driver.assert_reported(answer, [driver.opted_out])
        assert self.recipients(driver) == [(driver.outsider,)]

    def test_bcc_never_leaks(self, driver: SenderDriver, guarded: Any) -> None:
        """Who is left of the Bcc gets the message, and nobody reads of any of them."""
        driver.send(guarded, driver.compose(Letter(to=(driver.outsider,), bcc=(driver.opted_out, driver.buyer))))
        (delivered,) = driver.delivered()
        assert set(delivered.recipients) == {driver.outsider, driver.buyer}
        assert not [told for told in (driver.opted_out, driver.buyer, "bcc") if told.encode() in delivered.content.lower()]

    def test_an_explicit_envelope_wins(self, driver: SenderDriver, guarded: Any) -> None:
        """Over the fields of the message, whichever of the two names who is opted out."""
        driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,))), envelope=[driver.outsider])
        answer = driver.send(guarded, driver.compose(Letter(to=(driver.outsider,))), envelope=[driver.opted_out])
        driver.assert_reported(answer, [driver.opted_out])
        assert self.recipients(driver) == [(driver.outsider,)]

    def test_a_display_name_changes_nothing(self, driver: SenderDriver, guarded: Any) -> None:
        """What is opted out is the address, in whatever case it is written."""
        written = f'"Out, Opted" <{driver.opted_out.upper()}>'
        driver.send(guarded, driver.compose(Letter(to=(written, f"Sales <{driver.outsider}>"))))
        assert self.recipients(driver) == [(driver.outsider,)]
