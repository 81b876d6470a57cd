"""What makes an adapter an adapter, as tests that every one of them passes, sync or async.

Tell the suite how your library sends, and run pytest::

    import pytest
    from optoutkit.testing.senders.conformance import SenderConformance, SenderDriver

    class MyDriver(SenderDriver):
        ...  # make_sender, compose, send, delivered, assert_reported, fail

    class TestMySender(SenderConformance):
        sender_name = "my_library.Mailer"
        not_allowed = {"an_explicit_envelope_wins": "my_library takes the recipients from the message only"}

        @pytest.fixture
        def driver(self):
            return MyDriver()

Each test is one feature. What a library does not allow at all is named in ``not_allowed``, with the reason; the matrix in the
documentation is made from both. An async library has an :class:`AsyncSenderDriver` and :class:`AsyncSenderConformance`.
"""

# ruff: noqa: E402 - pytest must be told which modules hold assertions before they are imported

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{rules}" for rules in ("contents", "objects", "outcomes", "recipients", "tasks")))

from optoutkit.testing.senders.conformance.contents import ContentRules
from optoutkit.testing.senders.conformance.driving import AsyncSenderDriver, Delivered, Letter, SenderDriver
from optoutkit.testing.senders.conformance.objects import ObjectRules, ThreadRules
from optoutkit.testing.senders.conformance.outcomes import OutcomeRules
from optoutkit.testing.senders.conformance.recipients import RecipientRules
from optoutkit.testing.senders.conformance.tasks import TaskRules

__all__ = [
    "SEVERAL_RECIPIENTS",
    "AsyncSenderConformance",
    "AsyncSenderDriver",
    "Delivered",
    "Letter",
    "SenderConformance",
    "SenderDriver",
]

SEVERAL_RECIPIENTS = (
    "suppressed_recipients_are_reported_and_the_rest_goes",
    "the_order_of_recipients_is_kept",
    "cc_and_bcc_count",
    "bcc_never_leaks",
    "what_is_left_out_changes_nothing_else",
    "a_message_suppressed_in_part_is_unchanged",
    "an_outage_holds_the_whole_message",
    "that_exception_comes_before_anything_is_sent",
    "one_decision_is_made_for_each_recipient",
    "the_answer_keeps_its_type",
)
"""The tests that a sender cannot have whose messages are for one recipient each: ``dict.fromkeys(SEVERAL_RECIPIENTS, "why")``."""


class _Rules(RecipientRules, ContentRules, OutcomeRules, ObjectRules):
    """What holds of all."""


class SenderConformance(_Rules, ThreadRules):
    """The contract of an adapter. Subclass it, with a fixture ``driver`` that gives a :class:`SenderDriver`."""


class AsyncSenderConformance(_Rules, TaskRules):
    """The contract of an adapter for an async sender; ``driver`` gives an :class:`AsyncSenderDriver`."""
