"""What the commands share that ask the guard."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from optoutkit.classifier import Topic
from optoutkit.guard import GuardEvent, Policy

__all__ = ["no_log", "policy_option", "topic_option"]

F = TypeVar("F", bound=Callable[..., Any])

_POLICIES = {"amazon": Policy.AMAZON, "strict": Policy.STRICT, "audit": Policy.AUDIT}


def policy_option(command: F) -> F:
    """The rules; the command gets a :class:`optoutkit.Policy`."""
    return click.option(
        "--policy",
        type=click.Choice(list(_POLICIES)),
        default="amazon",
        show_default=True,
        callback=lambda _ctx, _param, name: _POLICIES[name],
        help="The rules to go by.",
    )(command)


def topic_option(command: F) -> F:
    """What the messages are about."""
    return click.option(
        "--topic",
        metavar="TOPIC",
        type=click.Choice([topic.value for topic in Topic]),
        help="What they are about, if you know it, such as shipping_address; a wrong name is answered with all there are.",
    )(command)


def no_log(_event: GuardEvent) -> None:
    """For commands that tell their user all that the guard would log."""
