"""What a guard tells: every decision, and what became of links. By default it goes to the log, without any address in clear."""

import contextlib
import inspect
import logging
import secrets
from collections.abc import Callable

import attrs

from optoutkit.guard.decisions import Action, Decision, Guidelines, Verdict
from optoutkit.guard.parties import parties
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message

__all__ = [
    "Decided",
    "GuardEvent",
    "Hook",
    "LedgerFailed",
    "LinkContradicted",
    "LinkFailed",
    "LogHook",
    "ManyHooks",
    "checked_hook",
    "log_failure",
    "tell",
]


@attrs.frozen(kw_only=True)
class Decided:
    """The guard decided on a message.

    Attributes:
        seller: Whose lists were asked.
        message: The message, with what was declared for it. It holds addresses and text: mind where they go.
        verdict: The decisions.
        sending: Whether the message is being sent; False for ``check``, which only asks.
    """

    seller: str
    message: Message
    verdict: Verdict
    sending: bool


@attrs.frozen(kw_only=True)
class LinkContradicted:
    """A message named an order and a buyer, but the store knows the order as another buyer's. The store's link stays.

    Attributes:
        seller: In whose list.
        order_id: The order.
        address: The buyer it stood together with.
    """

    seller: str
    order_id: OrderId
    address: Address


@attrs.frozen(kw_only=True)
class LinkFailed:
    """An order and its buyer could not be told to the store. The message had been sent.

    Attributes:
        seller: In whose list.
        order_id: The order.
        address: The buyer.
        error: What the store raised.
    """

    seller: str
    order_id: OrderId
    address: Address
    error: Exception


@attrs.frozen(kw_only=True)
class LedgerFailed:
    """What became of a request could not be told to the ledger. If nothing is heard of it, it counts as sent in the end.

    Attributes:
        seller: Whose orders these are.
        order_ids: The orders of the request.
        sent: Whether it was sent.
        error: What the ledger raised.
    """

    seller: str
    order_ids: tuple[OrderId, ...]
    sent: bool
    error: Exception


GuardEvent = Decided | LinkContradicted | LinkFailed | LedgerFailed
"""What a hook is told."""

Hook = Callable[[GuardEvent], None]
"""Is called in the thread or task that sends, so it should be quick. What it raises is logged and changes nothing."""

_logger = logging.getLogger("optoutkit.guard")
_LEVELS = {Action.SEND: logging.DEBUG, Action.SUPPRESS: logging.INFO, Action.HOLD: logging.WARNING}


def log_failure(level: int, what: str, error: Exception) -> None:
    """Log that something failed, by the type of its error only, as the text may hold an address.

    A program's own log handler may fail as well; that must not stop a message either.
    """
    with contextlib.suppress(Exception):
        _logger.log(level, "%s failed: %s", what, type(error).__name__)


class ManyHooks:
    """Several hooks as one. Each is told everything, whether or not one before it fails.

    Args:
        hooks: The hooks, in the order in which they are called.

    Raises:
        TypeError: One of them is asynchronous: nobody would await it.

    Example:
        >>> counted = []
        >>> hook = ManyHooks(LogHook(), counted.append)
    """

    def __init__(self, *hooks: Hook) -> None:
        self._hooks = tuple(map(checked_hook, hooks))

    def __call__(self, event: GuardEvent) -> None:
        """Tell each."""
        for hook in self._hooks:
            tell(hook, event)


def checked_hook(hook: Hook) -> Hook:
    """The hook, which is something to call, and not asynchronous."""
    if not callable(hook):
        raise TypeError("a hook is a function, or an object that can be called")
    if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__):
        raise TypeError("a hook is called and not awaited: give a plain function, which may start a task")
    return hook


def tell(hook: Hook, event: GuardEvent) -> None:
    """Tell one hook. A hook watches: whatever it raises changes nothing."""
    try:
        hook(event)
    except Exception as error:  # noqa: BLE001 - see above
        log_failure(logging.ERROR, "the guard's hook", error)


class LogHook:
    """The default hook: one log record a decision, recipients and orders as keyed digests only.

    What is sent is logged at DEBUG, what is suppressed at INFO, what must wait, and a link that failed, at WARNING.

    Args:
        secret: Key of the digests, 16 to 64 bytes. By default a random one, so that digests can be compared within one process only.
        logger: Where to log; by default the logger ``optoutkit.guard``.

    Raises:
        ValueError: The secret is too short or too long.
    """

    def __init__(self, *, secret: bytes | None = None, logger: logging.Logger | None = None) -> None:
        self._secret = secrets.token_bytes(32) if secret is None else secret
        self._logger = logger or _logger
        self._digest(OrderId("000-0000000-0000000"))  # tells a wrong secret now, not at the first message

    def __call__(self, event: GuardEvent) -> None:
        """Log one event."""
        if isinstance(event, Decided):
            self._log_verdict(event)
            return
        if isinstance(event, LedgerFailed):
            orders = ", ".join(map(self._digest, event.order_ids))
            what = "sent" if event.sent else "not sent"
            self._logger.warning(
                "the ledger could not be told that the request for %s was %s: %s", orders, what, type(event.error).__name__
            )
            return
        order, address = self._digest(event.order_id), self._digest(event.address)
        if isinstance(event, LinkFailed):
            self._logger.warning("order %s could not be linked to buyer %s: %s", order, address, type(event.error).__name__)
        else:
            self._logger.info("order %s was not linked to buyer %s: it is linked to another one", order, address)

    def _log_verdict(self, event: Decided) -> None:
        if event.verdict.outage is not None:
            self._logger.warning("the store, or the ledger, did not answer: %s", type(event.verdict.outage).__name__)
        if event.verdict.guidelines is Guidelines.NOT_CHECKED:
            self._logger.warning("the policy asks for Amazon's communication guidelines, but they were not checked")
        elif event.verdict.guidelines is Guidelines.INCOMPLETE:
            self._logger.warning("the policy asks for Amazon's communication guidelines, but not all of them could be checked")
        if not any(self._logger.isEnabledFor(_LEVELS[decision.action]) for decision in event.verdict.decisions):
            return
        for party, decision in zip(parties(event.message), event.verdict.decisions, strict=True):
            self._logger.log(
                _LEVELS[decision.action],
                "%s %s (%s): %s",
                decision.action.value if event.sending else f"check: {decision.action.value}",
                self._digest(party.identity) if party.identity else "unreadable recipient",
                _rule(decision),
                decision.explanation,
            )

    def _digest(self, identity: Address | OrderId) -> str:
        return identity.digest(self._secret).hex()


def _rule(decision: Decision) -> str:
    return decision.reason.value if decision.unenforced is None else f"{decision.reason.value}, would be {decision.unenforced.value}"
