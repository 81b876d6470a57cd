"""What the guard reads of a message, and that it leaves the message as it is."""

# ruff: noqa: S101 - these are tests, for others to run

from typing import Any

from optoutkit.testing.senders.conformance.driving import Letter, SenderDriver
from optoutkit.testing.senders.conformance.fixtures import SenderFixtures

__all__ = ["ContentRules"]

_CRITICAL = "Your address is incomplete."


class ContentRules(SenderFixtures):
    """What the guard does to a message itself: nothing."""

    def test_bytes_pass_untouched(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """What is delivered, and to whom, is what is delivered without a guard; in any script, and with HTML."""
        letters = (
            Letter(to=(driver.buyer,), subject="Grüße, 日本", text="Danke, Jürgen.\n.\n..\nFrom here\n"),
            Letter(to=(driver.buyer,), html="<p>Thank you, <b>Jürgen</b>.</p>"),
            Letter(to=(driver.buyer,), textless=True),
        )
        for through in (sender, guarded):
            for letter in letters:
                driver.send(through, driver.compose(letter))
        delivered = driver.delivered()
        assert len(delivered) == 2 * len(letters)
        assert delivered[: len(letters)] == delivered[len(letters) :]

    def test_what_is_left_out_changes_nothing_else(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """The others get what they get where nobody is opted out, as far as it is not about the recipients."""
        to_both = driver.compose(Letter(to=(driver.outsider,), bcc=(driver.opted_out,)))
        driver.send(sender, to_both)
        driver.send(guarded, to_both)
        without, with_guard = driver.delivered()
        assert with_guard.content == without.content

    def test_the_callers_message_is_unchanged(self, driver: SenderDriver, guarded: Any) -> None:
        """Sent or suppressed: it may be sent again, or to others."""
        for to in (driver.buyer, driver.opted_out):
            message = driver.compose(Letter(to=(to,)))
            before = driver.picture(message)
            driver.send(guarded, message)
            assert driver.picture(message) == before

    def test_a_message_suppressed_in_part_is_unchanged(self, driver: SenderDriver, guarded: Any) -> None:
        """The caller's own still names everybody."""
        message = driver.compose(Letter(to=(driver.outsider, driver.opted_out), bcc=(driver.buyer,)))
        before = driver.picture(message)
        driver.send(guarded, message)
        assert driver.picture(message) == before

    def test_a_critical_message_goes_to_everybody(self, driver: SenderDriver, guarded: Any) -> None:
        """Opted out or not: the guard reads the text that the recipients see, HTML before plain text."""
        driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,), text=_CRITICAL)))
        driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,), html=f"<p>{_CRITICAL}</p>")))
        driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,), text=_CRITICAL, html="<p>Thank you.</p>")))
        assert self.recipients(driver) == [(driver.opted_out,)] * 2

    def test_what_the_caller_declares_counts(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """A topic, critical or not, or that it is a reply; for what is sent within the block only."""
        plain, critical = (driver.compose(Letter(to=(driver.opted_out,), text=text)) for text in ("Thank you.", _CRITICAL))
        with guard.declare(topic="shipping_address"):
            driver.send(guarded, plain)
        with guard.declare(reply_to_buyer=True):
            driver.send(guarded, plain)
        assert len(driver.delivered()) == 2  # noqa: PLR2004 - once for each way
        driver.send(guarded, plain)
        with guard.declare(topic="invoice"):
            driver.send(guarded, critical)
        assert len(driver.delivered()) == 2  # noqa: PLR2004 - once for each way

    def test_without_visible_text_only_a_declared_topic_is_critical(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """A template that the service fills in, or a bare attachment: nobody can read whether it is critical."""
        message = driver.compose(Letter(to=(driver.opted_out,), text=_CRITICAL, textless=True))
        answer = driver.send(guarded, message)
        driver.assert_reported(answer, [driver.opted_out])
        assert self.recipients(driver) == []
        with guard.declare(topic="shipping_address"):
            driver.send(guarded, message)
        assert self.recipients(driver) == [(driver.opted_out,)]
