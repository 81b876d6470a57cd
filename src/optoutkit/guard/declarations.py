"""What only the caller knows of a message, declared round the call that sends it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

import attrs

from optoutkit.identities import OrderId
from optoutkit.messages import Message

__all__ = ["Declaration", "declared", "in_force"]


def _order_ids(values: str | OrderId | Iterable[str | OrderId] | None) -> tuple[OrderId, ...] | None:
    if values is None:
        return None
    if isinstance(values, str | OrderId):
        values = (values,)
    return tuple(value if isinstance(value, OrderId) else OrderId(value) for value in values)


@attrs.frozen(kw_only=True)
class Declaration:
    """The caller's word on whatever is sent while it holds; None is no word."""

    topic: str | None = None
    reply_to_buyer: bool | None = None
    custom_order: bool | None = None
    order_ids: tuple[OrderId, ...] | None = attrs.field(default=None, converter=_order_ids)

    def over(self, outer: "Declaration") -> "Declaration":
        """This one, with the word of the outer where this one has none."""
        said = attrs.asdict(self, recurse=False, filter=lambda _field, value: value is not None)
        return attrs.evolve(outer, **said)

    def added_to(self, message: Message) -> Message:
        """The message with what it does not say itself: its own topic stands, and the orders are joined."""
        if self == _NOTHING:
            return message
        return attrs.evolve(
            message,
            topic=message.topic or self.topic,
            reply_to_buyer=message.reply_to_buyer or bool(self.reply_to_buyer),
            custom_order=message.custom_order or bool(self.custom_order),
            order_ids=(*message.order_ids, *(self.order_ids or ())),
        )


_NOTHING = Declaration()

# One variable for all guards, as context variables are never collected; each guard finds its own entry. Never changed in place: a task
# started inside a block keeps what held when it was started.
_IN_FORCE: ContextVar[Mapping[object, Declaration]] = ContextVar("optoutkit_declarations", default=MappingProxyType({}))


def in_force(guard: object) -> Declaration:
    """What is declared for this guard in the current thread or task."""
    return _IN_FORCE.get().get(guard, _NOTHING)


@contextmanager
def declared(guard: object, declaration: Declaration) -> Iterator[None]:
    """Let a declaration hold for one guard, in this thread or task only, until the block ends."""
    token = _IN_FORCE.set({**_IN_FORCE.get(), guard: declaration.over(in_force(guard))})
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
