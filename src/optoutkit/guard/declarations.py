"""What only the caller knows of a message, declared round the call that sends it."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import MappingProxyType, TracebackType

import attrs

from optoutkit.errors import InvalidInput
from optoutkit.guard.contact_reasons import topic_of_contact_reason
from optoutkit.identities import OrderId
from optoutkit.messages import Message

__all__ = ["Declaration", "declared", "in_force"]


def _order_ids(values: str | OrderId | Iterable[str | OrderId] | None) -> tuple[OrderId, ...] | None:
    if values is None:
        return None
    if isinstance(values, str | OrderId) or not isinstance(values, Iterable):
        values = (values,)
    return tuple(value if isinstance(value, OrderId) else OrderId(value) for value in values)


def _yes_or_no(_declaration: object, field: "attrs.Attribute[bool | None]", value: bool | None) -> None:
    if not (value is None or isinstance(value, bool)):
        raise InvalidInput(f"{field.name} is True or False, not {value!r}: what counts as true by mistake would let everything through")


@attrs.frozen(kw_only=True)
class Declaration:
    """The caller's word on whatever is sent while it holds; None is no word."""

    topic: str | None = None
    reply_to_buyer: bool | None = attrs.field(default=None, validator=_yes_or_no)
    custom_order: bool | None = attrs.field(default=None, validator=_yes_or_no)
    order_ids: tuple[OrderId, ...] | None = attrs.field(default=None, converter=_order_ids)

    @classmethod
    def made_of(cls, *, topic: str | None, contact_reason: str | None, **said: object) -> "Declaration":
        """One whose topic is the one given, else that of the contact reason, if that is a known one."""
        if topic is None and contact_reason is not None:
            topic = topic_of_contact_reason(contact_reason)
        return cls(topic=topic, **said)  # type: ignore[arg-type]  # what is wrong, the fields refuse

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


class _Block(AbstractContextManager[None]):
    """A ``with`` block, which can be entered again, also while it is entered. It keeps no state of its own."""

    def __init__(self, guard: object, declaration: Declaration) -> None:
        self._guard = guard
        self.declaration = declaration

    def __enter__(self) -> None:
        entered = _ENTERED.get()
        _ENTERED.set(MappingProxyType({**entered, self._guard: (*entered.get(self._guard, ()), self)}))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Generators and event loops may leave blocks in another order than they entered them, or in another context. So just this
        # one is taken out, and only where it is: to put back what was there before would let another's word hold for ever.
        entered = dict(_ENTERED.get())
        blocks = list(entered.pop(self._guard, ()))
        for index in reversed(range(len(blocks))):
            if blocks[index] is self:
                del blocks[index]
                break
        if blocks:
            entered[self._guard] = tuple(blocks)
        _ENTERED.set(MappingProxyType(entered))


# One variable for all guards, as context variables are never collected; each guard finds its own entry. Never changed in place: a task
# started inside a block keeps what held when it was started.
_ENTERED: ContextVar[Mapping[object, tuple[_Block, ...]]] = ContextVar("optoutkit_declarations", default=MappingProxyType({}))


def in_force(guard: object) -> Declaration:
    """What is declared for this guard in the current thread or task."""
    said = _NOTHING
    for block in _ENTERED.get().get(guard, ()):
        said = block.declaration.over(said)
    return said


def declared(guard: object, declaration: Declaration) -> AbstractContextManager[None]:
    """Let a declaration hold for one guard, in this thread or task only, until the block ends."""
    return _Block(guard, declaration)
