"""The verbs of a store as flows, which the blocking store and that for asyncio drive alike."""

from collections.abc import Iterable
from datetime import datetime

from optoutkit.errors import StoreCorrupt, StoreVersionError
from optoutkit.flows import Flow
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores import arguments
from optoutkit.stores.base import Clock, EraseReport, LinkPair, LinkReport, RecordReport
from optoutkit.stores.batches import asked_by_column
from optoutkit.stores.redis.durability import advise
from optoutkit.stores.redis.entries import Entries
from optoutkit.stores.redis.hashes import Hashes
from optoutkit.stores.redis.layout import Layout
from optoutkit.stores.redis.links import Links
from optoutkit.stores.redis.lookups import Scan, look_up
from optoutkit.stores.redis.routing import Router
from optoutkit.stores.redis.settings import Settings

__all__ = ["SCHEMA_VERSION", "Verbs"]

SCHEMA_VERSION = 1
"""What stands under the key ``prefix{schema}``; a new layout counts on."""


class Verbs:
    """What a store can do.

    Args:
        settings: Where its data is.
        clock: Tells the time.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._wait = settings.wait
        self._layout = Layout(settings.prefix)
        self._router = Router(settings)
        self._hashes = Hashes(self._layout, self._router, forced=settings.wait > 0)
        self._links = Links(self._hashes, link_days=settings.link_days)
        self._entries = Entries(self._hashes, self._links)

    def open(self) -> Flow[list[str]]:
        """Make sure that the data is ours to work with, and say what might lose it."""
        yield from self._check_version()
        nodes = yield from self._router.nodes()
        if len(nodes) == 1:  # it may be a node of a cluster that we take for one server: then it has not got all the parts
            yield from self._hashes.send([(slot, (b"EXISTS", key)) for slot, key in self._layout.probes()])
        return (yield from advise(nodes, wait=self._wait))

    def lookup(self, identities: Iterable[Identity], seller: str, at: datetime | None) -> Flow[dict[Identity, OptOut]]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = asked_by_column(identities)
        arguments.checked_seller(seller)
        if at is not None:
            arguments.aware(at)
        return (yield from look_up(self._hashes, asked, seller, lambda: at or self._clock()))

    def record(self, opt_outs: Iterable[OptOut]) -> Flow[RecordReport]:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        now = self._clock()
        new = yield from self._entries.record(told, now)
        yield from self._links.review(now, len(told))
        return RecordReport(new=new, known=len(told) - new)

    def link(self, pairs: Iterable[LinkPair], seller: str, *, replace: bool) -> Flow[LinkReport]:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = arguments.pairs_of(pairs)
        now = self._clock()
        report = yield from self._links.learn(told, arguments.checked_seller(seller), replace=replace, now=now)
        yield from self._links.review(now, len(told))
        return report

    def withdraw(self, identities: Iterable[Identity], seller: str, why: str) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = asked_by_column(identities)
        now = self._clock()
        count = yield from self._entries.withdraw(asked, arguments.checked_seller(seller), arguments.clean(why), now)
        yield from self._links.review(now, len(asked))
        return count

    def erase(self, identities: Iterable[Identity], seller: str) -> Flow[EraseReport]:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        asked = asked_by_column(identities)
        now = self._clock()
        count = yield from self._entries.erase(asked, arguments.checked_seller(seller))
        yield from self._links.review(now, len(asked))
        return EraseReport(erased=count)

    def scan(self, seller: str, after: Identity | None) -> Scan:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        return Scan(self._hashes, arguments.checked_seller(seller), after)

    def health(self) -> Flow[None]:
        """See :meth:`optoutkit.OptOutStore.health`: writes something to every part, which is gone in a moment."""
        yield from self._check_version()
        probes = [(slot, (b"SET", key, b"1", b"PX", b"1")) for slot, key in self._layout.probes()]
        yield from self._hashes.send(probes, durable=True)

    def _check_version(self) -> Flow[None]:
        slot, key = self._layout.schema
        get = (slot, (b"GET", key))
        (version,) = yield from self._hashes.send([get])
        if version is None:
            # Whoever is first says it; the next one to come says it again if that is lost.
            _, version = yield from self._hashes.send([(slot, (b"SET", key, b"%d" % SCHEMA_VERSION, b"NX")), get])
        if not (version.isdigit() and len(version) < 10):  # noqa: PLR2004 - which is more than there will be
            raise StoreCorrupt("there is something else under the store's prefix: choose another one")
        if int(version) > SCHEMA_VERSION:
            raise StoreVersionError(
                f"the store has schema version {int(version)}, this optoutkit knows {SCHEMA_VERSION}: update optoutkit to open it"
            )
