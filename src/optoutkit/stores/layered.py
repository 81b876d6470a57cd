"""A list of one's own, and behind it one that is shared with others."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from optoutkit.flows import Flow, Request, ask
from optoutkit.identities import Identity
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore, RecordReport
from optoutkit.stores.requests import Lookup, Record
from optoutkit.stores.wrapping import AsyncWrapper, Verbs, Wrapper

__all__ = ["AsyncLayeredStore", "LayeredStore"]


@attrs.frozen
class _Shared(Request[Any]):
    """A request to the store that is shared."""

    request: Lookup | Record


class _LayeredVerbs(Verbs):
    def __init__(self, *, contribute: bool) -> None:
        self._contribute = contribute

    def lookup(self, asked: tuple[Identity, ...], seller: str, at: datetime | None) -> Flow[Mapping[Identity, OptOut]]:
        found = yield from super().lookup(asked, seller, at)
        others = tuple(identity for identity in asked if identity not in found)
        if not others:
            return found
        shared = yield from ask(_Shared(Lookup(others, seller=SHARED, at=at)))
        return {**found, **shared}

    def record(self, told: tuple[OptOut, ...]) -> Flow[RecordReport]:
        report = yield from super().record(told)
        if self._contribute and (proved := tuple(attrs.evolve(opt_out, seller=SHARED) for opt_out in told if opt_out.verified)):
            yield from ask(_Shared(Record(proved)))
        return report


class LayeredStore(Wrapper):
    """An :class:`~optoutkit.OptOutStore` of one's own, and behind it another one's shared list, for tools that trust one another.

    Whoever the own store does not know to be opted out is looked for in the list :data:`optoutkit.SHARED` of the shared store. All
    other verbs touch the own store only; with ``contribute``, opt-outs that were proved to be Amazon's (``verified``) are recorded in
    the shared list as well, of whichever seller they are. ``withdraw`` and ``erase`` do not reach it: what is shared is taken
    back there. Links of the own store do not lead to entries of the shared one.

    If the shared store does not answer, neither does this one.

    Args:
        store: One's own; it is closed with this one, and so is the other.
        shared: The one that is shared. It is not written to, unless ``contribute`` says so.
        contribute: Whether proved opt-outs are recorded there, too.

    Example:
        >>> store = LayeredStore(open_store("memory://"), open_store("memory://"), contribute=True)
        >>> store.record([OptOut(Address("buyer@example.com"), verified=True)]).new
        1
    """

    def __init__(self, store: OptOutStore, shared: OptOutStore, *, contribute: bool = False) -> None:
        super().__init__(_LayeredVerbs(contribute=contribute), store, shared)

    def _perform(self, request: Any) -> Any:
        return request.request.call(self._stores[1]) if isinstance(request, _Shared) else super()._perform(request)


class AsyncLayeredStore(AsyncWrapper):
    """The same for asyncio, around two of :class:`~optoutkit.AsyncOptOutStore`: see :class:`LayeredStore`."""

    def __init__(self, store: AsyncOptOutStore, shared: AsyncOptOutStore, *, contribute: bool = False) -> None:
        super().__init__(_LayeredVerbs(contribute=contribute), store, shared)

    async def _perform(self, request: Any) -> Any:
        return await (request.request.call(self._stores[1]) if isinstance(request, _Shared) else super()._perform(request))
