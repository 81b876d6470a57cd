"""Policies: the named ones, and what is refused as a field."""

from typing import Any

import attrs
import pytest

from optoutkit.classifier.topics import Topic
from optoutkit.guard import Action, Policy
from optoutkit.optouts import Reason


def test_the_named_policies_differ_in_what_their_names_say() -> None:
    """AMAZON is the default, AUDIT is AMAZON that only reports, STRICT is stricter in three fields."""
    assert Policy() == Policy.AMAZON
    assert Policy.AUDIT == attrs.evolve(Policy.AMAZON, report_only=True)  # noqa: SIM300 - AUDIT is what is tested
    strict = attrs.evolve(Policy.STRICT, critical_topics=None, soliciting_replies_exempt=True, guidelines="off")
    assert strict == Policy.AMAZON


def test_strict_counts_the_three_topics_that_amazon_names() -> None:
    """Which are topics of the classifier, and critical there."""
    topics = {Topic(topic) for topic in Policy.STRICT.critical_topics or ()}
    assert topics == {Topic.CUSTOMIZATION, Topic.DELIVERY_SCHEDULING, Topic.SHIPPING_ADDRESS}
    assert all(topic.critical for topic in topics)


def test_fields_take_plain_words() -> None:
    """A policy can be written in words, as in a configuration file; topics of the enum are the same as their words."""
    policy = Policy(critical_topics=[Topic.CUSTOMIZATION], block_always=["complaint"], on_outage="send", outage_elsewhere="hold")
    assert policy.critical_topics == frozenset({"customization"})
    assert policy.block_always == {Reason.COMPLAINT}
    assert (policy.on_outage, policy.outage_elsewhere) == (Action.SEND, Action.HOLD)


@pytest.mark.parametrize(
    "field",
    [
        {"critical_topics": "customization"},
        {"request_topics": "review_request"},
        {"block_always": "complaint"},
        {"block_always": ["grudge"]},
        {"block_always": None},
        {"request_topics": None},
        {"on_outage": "panic"},
        {"guidelines": "maybe"},
        {"on_suppressed": "ignore"},
        *({name: "no"} for name in ("report_only", "learn_links", "replies_exempt", "soliciting_replies_exempt", "custom_orders_exempt")),
    ],
)
def test_a_wrong_field_is_refused(field: dict[str, Any]) -> None:
    """When the policy is made, not when the first message comes."""
    with pytest.raises(ValueError):
        Policy(**field)


def test_a_policy_is_frozen() -> None:
    """So that one policy can serve many guards."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Policy.AMAZON.report_only = True  # type: ignore[misc]
