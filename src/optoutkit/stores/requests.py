"""What a flow asks of a store; see :mod:`optoutkit.flows`.

Each request calls the verb of its name, of a sync store or of an async one, so that one flow serves both:

    run(flow, lambda request: request.call(store))

    async def perform(request):
        return await request.call(store)
    await run_async(flow, perform)
"""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import overload

import attrs

from optoutkit.flows import Request
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import AsyncOptOutStore, EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport

__all__ = ["Erase", "Link", "Lookup", "Record", "Withdraw"]


@attrs.frozen
class Lookup(Request[Mapping[Identity, OptOut]]):
    """Which of these are opted out? See :meth:`OptOutStore.lookup`."""

    identities: tuple[Identity, ...]
    seller: str = attrs.field(default="", kw_only=True)
    at: datetime | None = attrs.field(default=None, kw_only=True)

    @overload
    def call(self, store: OptOutStore) -> Mapping[Identity, OptOut]: ...
    @overload
    def call(self, store: AsyncOptOutStore) -> Awaitable[Mapping[Identity, OptOut]]: ...
    def call(self, store: OptOutStore | AsyncOptOutStore) -> Mapping[Identity, OptOut] | Awaitable[Mapping[Identity, OptOut]]:
        """Ask the store; an async store's answer is to be awaited."""
        return store.lookup(self.identities, seller=self.seller, at=self.at)


@attrs.frozen
class Record(Request[RecordReport]):
    """Keep these opt-outs. See :meth:`OptOutStore.record`."""

    opt_outs: tuple[OptOut, ...]

    @overload
    def call(self, store: OptOutStore) -> RecordReport: ...
    @overload
    def call(self, store: AsyncOptOutStore) -> Awaitable[RecordReport]: ...
    def call(self, store: OptOutStore | AsyncOptOutStore) -> RecordReport | Awaitable[RecordReport]:
        """Ask the store; an async store's answer is to be awaited."""
        return store.record(self.opt_outs)


@attrs.frozen
class Link(Request[LinkReport]):
    """Learn whose orders these are. See :meth:`OptOutStore.link`."""

    pairs: tuple[LinkPair, ...]
    seller: str = attrs.field(default="", kw_only=True)
    replace: bool = attrs.field(default=False, kw_only=True)

    @overload
    def call(self, store: OptOutStore) -> LinkReport: ...
    @overload
    def call(self, store: AsyncOptOutStore) -> Awaitable[LinkReport]: ...
    def call(self, store: OptOutStore | AsyncOptOutStore) -> LinkReport | Awaitable[LinkReport]:
        """Ask the store; an async store's answer is to be awaited."""
        return store.link(self.pairs, seller=self.seller, replace=self.replace)


@attrs.frozen
class Withdraw(Request[int]):
    """Take these back. See :meth:`OptOutStore.withdraw`."""

    identities: tuple[Identity, ...]
    seller: str = attrs.field(default="", kw_only=True)
    why: str = attrs.field(default="", kw_only=True)

    @overload
    def call(self, store: OptOutStore) -> int: ...
    @overload
    def call(self, store: AsyncOptOutStore) -> Awaitable[int]: ...
    def call(self, store: OptOutStore | AsyncOptOutStore) -> int | Awaitable[int]:
        """Ask the store; an async store's answer is to be awaited."""
        return store.withdraw(self.identities, seller=self.seller, why=self.why)


@attrs.frozen
class Erase(Request[EraseReport]):
    """Forget these. See :meth:`OptOutStore.erase`."""

    identities: tuple[Identity, ...]
    seller: str = attrs.field(default="", kw_only=True)

    @overload
    def call(self, store: OptOutStore) -> EraseReport: ...
    @overload
    def call(self, store: AsyncOptOutStore) -> Awaitable[EraseReport]: ...
    def call(self, store: OptOutStore | AsyncOptOutStore) -> EraseReport | Awaitable[EraseReport]:
        """Ask the store; an async store's answer is to be awaited."""
        return store.erase(self.identities, seller=self.seller)
