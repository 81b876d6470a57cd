"""Long random histories: the memory store and the SQLite store behave as a model that is too simple to be wrong."""

# ruff: noqa: D102 - the steps are named after the verbs of a store

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport
from optoutkit.stores.memory import MemoryStore
from optoutkit.stores.sqlite import SqliteStore
from optoutkit.testing.stores import ManualClock

ADDRESSES: list[Any] = [Address(f"{name}@marketplace.amazon.de") for name in "abc"] + [Digest("address", "k", b"a" * 16)]
ORDERS: list[Any] = [OrderId(f"302-{number:07}-1234567") for number in range(4)] + [Digest("order", "k", b"o" * 16)]
SELLERS = ["", "a", SHARED]
NEVER = datetime.max.replace(tzinfo=UTC)

identities = st.lists(st.sampled_from(ADDRESSES + ORDERS), max_size=4)
sellers = st.sampled_from(SELLERS)
offsets = st.none() | st.integers(-3, 3).map(lambda days: timedelta(days=days))
pairs = st.lists(st.tuples(st.sampled_from(ORDERS), st.sampled_from(ADDRESSES)), max_size=4)


class Model:
    """The contract, word by word, over plain dictionaries, with no thought of speed."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.entries: dict[tuple[str, Identity, Reason], OptOut] = {}
        self.withdrawn: dict[tuple[str, Identity, Reason], datetime] = {}
        self.links: dict[tuple[str, Identity], tuple[Identity, int]] = {}

    def cluster(self, seller: str, identity: Identity) -> set[Identity]:
        links = {order: address for (owner, order), (address, _) in self.links.items() if owner == seller}
        address = links.get(identity, identity)
        return {identity, address} | {order for order, other in links.items() if other == address}

    def lookup(self, asked: list[Identity], seller: str, at: datetime) -> dict[Identity, OptOut]:
        found = {}
        for identity in asked:
            own = self.cluster(seller, identity)
            shared = own | self.cluster(SHARED, identity)
            hits = [e for (s, i, _), e in self.entries.items() if (s == seller and i in own) or (s == SHARED and i in shared)]
            hits = [e for e in hits if (e.expires_at or NEVER) > at]
            hits.sort(key=lambda e: e.identity.key)
            hits.sort(key=lambda e: e.since or NEVER)
            hits.sort(key=lambda e: e.identity != identity)
            hits.sort(key=lambda e: list(Reason).index(e.reason))
            hits.sort(key=lambda e: e.seller == SHARED)
            if hits:
                found[identity] = hits[0]
        return found

    def record(self, told: list[OptOut]) -> RecordReport:
        new = 0
        for one in told:
            place = one.seller, one.identity, one.reason
            if place in self.withdrawn and (one.since is None or one.since <= self.withdrawn[place]):
                continue
            known = self.entries.get(place)
            if known is None:
                self.entries[place] = one
                new += 1
                continue
            since = min(known.since or NEVER, one.since or NEVER)
            expiry = max(known.expires_at or NEVER, one.expires_at or NEVER)
            self.entries[place] = OptOut(
                one.identity,
                one.seller,
                reason=one.reason,
                since=None if since == NEVER else since,
                expires_at=None if expiry == NEVER else expiry,
                source=one.source if one.verified and not known.verified else known.source,
                verified=known.verified or one.verified,
            )
            new += (known.expires_at or NEVER) <= self.clock.now < expiry
        self.review_links()
        return RecordReport(new=new, known=len(told) - new)

    def link(self, told: list[LinkPair], seller: str, replace: bool) -> LinkReport:
        new, known, contradicted = 0, 0, []
        for order, address in told:
            there = self.links.get((seller, order), (None, 0))[0]
            if there == address:
                known += 1
            elif there is None or replace:
                new += 1
            else:
                contradicted.append(order)
                continue
            self.links[seller, order] = address, self.clock.now.toordinal()
        self.review_links()
        return LinkReport(new=new, known=known, contradicted=tuple(contradicted))

    def withdraw(self, asked: list[Identity], seller: str) -> int:
        members = set().union(*(self.cluster(seller, identity) for identity in asked))
        gone = [place for place in self.entries if place[0] == seller and place[1] in members]
        for place in gone:
            del self.entries[place]
            self.withdrawn[place] = self.clock.now
        self.review_links()
        return len(gone)

    def erase(self, asked: list[Identity], seller: str) -> EraseReport:
        members = set().union(*(self.cluster(seller, identity) for identity in asked))
        gone = {place for place in self.entries | self.withdrawn if place[0] == seller and place[1] in members}
        for place in gone:
            self.entries.pop(place, None)
            self.withdrawn.pop(place, None)
        for owner, order in list(self.links):
            if owner == seller and order in members:
                del self.links[owner, order]
        self.review_links()
        return EraseReport(erased=len(gone))

    def review_links(self) -> None:
        today = self.clock.now.toordinal()
        for (seller, order), (address, day) in list(self.links.items()):
            if day < today - 180:
                leads = any(
                    s in (seller, SHARED) and i in (order, address) and (e.expires_at or NEVER) > self.clock.now
                    for (s, i, _), e in self.entries.items()
                )
                if leads:
                    self.links[seller, order] = address, today
                else:
                    del self.links[seller, order]

    def scan(self, seller: str) -> list[OptOut]:
        own = [entry for entry in self.entries.values() if entry.seller == seller]
        return sorted(own, key=lambda entry: (entry.identity.key, list(Reason).index(entry.reason)))


class StoresAgainstModel(RuleBasedStateMachine):
    """Whatever is done in whatever order, stores and model agree in every answer, and in all they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.model = Model(self.clock)
        self.folder = tempfile.TemporaryDirectory()
        self.stores: list[OptOutStore] = []

    @initialize()
    def open(self) -> None:
        self.stores = [MemoryStore(clock=self.clock), self.open_file()]

    def open_file(self) -> SqliteStore:
        return SqliteStore(Path(self.folder.name, "optouts.db"), clock=self.clock)

    @rule()
    def reopen(self) -> None:
        self.stores[1].close()
        self.stores[1] = self.open_file()

    @rule(seconds=st.sampled_from([1, 3600, 86_400, 100 * 86_400, 181 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(data=st.data(), who=identities)
    def record(self, data: st.DataObject, who: list[Identity]) -> None:
        told = [
            OptOut(
                identity,
                data.draw(sellers),
                reason=data.draw(st.sampled_from([Reason.COMPLAINT, Reason.MANUAL])),
                since=None if (since := data.draw(offsets)) is None else self.clock.now + since,
                expires_at=None if (expiry := data.draw(offsets)) is None else self.clock.now + expiry,
                source=data.draw(st.sampled_from("xyz")),
                verified=data.draw(st.booleans()),
            )
            for identity in who
        ]
        expected = self.model.record(told)
        for store in self.stores:
            assert store.record(told) == expected

    @rule(told=pairs, seller=sellers, replace=st.booleans())
    def link(self, told: list[LinkPair], seller: str, replace: bool) -> None:
        expected = self.model.link(told, seller, replace)
        for store in self.stores:
            assert store.link(told, seller=seller, replace=replace) == expected

    @rule(asked=identities, seller=sellers)
    def withdraw(self, asked: list[Identity], seller: str) -> None:
        expected = self.model.withdraw(asked, seller)
        for store in self.stores:
            assert store.withdraw(asked, seller=seller) == expected

    @rule(asked=identities, seller=sellers)
    def erase(self, asked: list[Identity], seller: str) -> None:
        expected = self.model.erase(asked, seller)
        for store in self.stores:
            assert store.erase(asked, seller=seller) == expected

    @rule(asked=identities, seller=sellers, offset=offsets)
    def lookup(self, asked: list[Identity], seller: str, offset: timedelta | None) -> None:
        at = None if offset is None else self.clock.now + offset
        expected = self.model.lookup(asked, seller, at or self.clock.now)
        for store in self.stores:
            assert store.lookup(asked, seller=seller, at=at) == expected

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        for seller in SELLERS:
            everybody = self.model.lookup(ADDRESSES + ORDERS, seller, self.clock.now)
            entries = self.model.scan(seller)
            for store in self.stores:
                assert store.lookup(ADDRESSES + ORDERS, seller=seller) == everybody
                assert list(store.scan(seller=seller)) == entries

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.folder.cleanup()


StoresAgainstModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


TestStoresAgainstModel = StoresAgainstModel.TestCase
