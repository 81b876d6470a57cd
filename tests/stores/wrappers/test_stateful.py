"""Long random histories: what a cache, and two layers, tell of them, beside what plain stores tell."""

# ruff: noqa: D102 - the steps are named after the verbs of a store

from datetime import timedelta
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from optoutkit.identities import Address, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import CachedStore, LayeredStore
from optoutkit.stores.base import LinkPair
from optoutkit.stores.memory import MemoryStore
from optoutkit.testing.stores import ManualClock

IDENTITIES: list[Any] = [Address(f"{name}@marketplace.amazon.de") for name in "abc"] + [OrderId(f"302-{n:07}-1234567") for n in range(3)]
SELLERS = ["", "a", SHARED]
some = st.lists(st.sampled_from(IDENTITIES), max_size=4)
pairs = st.lists(st.tuples(st.sampled_from(IDENTITIES[3:]), st.sampled_from(IDENTITIES[:3])), max_size=3)
sellers = st.sampled_from(SELLERS)


def opt_outs(clock: ManualClock) -> st.SearchStrategy[list[OptOut]]:
    """Some that have dates or ends around the present, some that have none."""
    times = st.none() | st.integers(-3, 3).map(lambda days: clock.now + timedelta(days=days))
    one = st.builds(OptOut, st.sampled_from(IDENTITIES), sellers, since=times, expires_at=times, verified=st.booleans())
    return st.lists(one, max_size=4)


class CacheAgainstPlain(RuleBasedStateMachine):
    """A cache misses no opt-out, and invents none: what it tells too much was an opt-out within its time.

    ``exact`` keeps nothing that says "not opted out", ``bounded`` keeps it for five seconds; a third process writes as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.plain = MemoryStore(clock=self.clock)
        start = self.clock.now

        def timer() -> float:
            return (self.clock.now - start).total_seconds()

        self.exact = CachedStore(self.plain, 3600, clock=self.clock, timer=timer, size=4)
        self.bounded = CachedStore(self.plain, 3600, 5, clock=self.clock, timer=timer)
        self.was_opted_out: set[tuple[str, Identity]] = set()

    @rule(seconds=st.sampled_from([1, 4, 5, 3600, 86_400, 181 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(data=st.data(), by=st.sampled_from(["plain", "exact", "bounded"]))
    def record(self, data: st.DataObject, by: str) -> None:
        getattr(self, by).record(data.draw(opt_outs(self.clock)))

    @rule(told=pairs, seller=sellers, replace=st.booleans(), by=st.sampled_from(["plain", "exact", "bounded"]))
    def link(self, told: list[LinkPair], seller: str, replace: bool, by: str) -> None:
        getattr(self, by).link(told, seller=seller, replace=replace)

    @rule(asked=some, seller=sellers, verb=st.sampled_from(["withdraw", "erase"]))
    def take_back(self, asked: list[Identity], seller: str, verb: str) -> None:
        """Through the cache: then it knows no more than the store."""
        getattr(self.exact, verb)(asked, seller=seller)
        for one in SELLERS:
            assert self.exact.lookup(IDENTITIES, seller=one) == self.plain.lookup(IDENTITIES, seller=one)

    @rule(asked=some, seller=sellers)
    def lookup(self, asked: list[Identity], seller: str) -> None:
        expected = self.plain.lookup(asked, seller=seller)
        found = self.exact.lookup(asked, seller=seller)
        assert found.keys() >= expected.keys()
        assert found.keys() <= set(asked)
        assert {(seller, identity) for identity in found} <= self.was_opted_out
        assert self.exact.lookup(asked, seller=seller, at=self.clock.now) == expected

    @rule(seller=sellers)
    def lookup_after_the_bound(self, seller: str) -> None:
        """Whatever anybody wrote, five seconds later nobody misses it."""
        self.bounded.lookup(IDENTITIES, seller=seller)
        self.clock.advance(seconds=5)
        assert self.bounded.lookup(IDENTITIES, seller=seller).keys() >= self.plain.lookup(IDENTITIES, seller=seller).keys()

    @invariant()
    def note_who_is_opted_out(self) -> None:
        for seller in SELLERS:
            self.was_opted_out |= {(seller, identity) for identity in self.plain.lookup(IDENTITIES, seller=seller)}


class LayersAgainstPlain(RuleBasedStateMachine):
    """Two layers tell what the own store tells, and of the rest what the shared list of the other one tells."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.own, self.shared = MemoryStore(clock=self.clock), MemoryStore(clock=self.clock)
        self.layered = LayeredStore(self.own, self.shared, contribute=True)
        self.model, self.shared_model = MemoryStore(clock=self.clock), MemoryStore(clock=self.clock)

    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        told = data.draw(opt_outs(self.clock))
        assert self.layered.record(told) == self.model.record(told)
        self.shared_model.record(attrs.evolve(one, seller=SHARED) for one in told if one.verified)

    @rule(told=pairs, seller=sellers)
    def link(self, told: list[LinkPair], seller: str) -> None:
        assert self.layered.link(told, seller=seller) == self.model.link(told, seller=seller)

    @rule(asked=some, seller=sellers, verb=st.sampled_from(["withdraw", "erase"]))
    def take_back(self, asked: list[Identity], seller: str, verb: str) -> None:
        assert getattr(self.layered, verb)(asked, seller=seller) == getattr(self.model, verb)(asked, seller=seller)

    @rule(data=st.data())
    def somebody_else_shares(self, data: st.DataObject) -> None:
        told = data.draw(opt_outs(self.clock))
        self.shared.record(told)
        self.shared_model.record(told)

    @invariant()
    def all_is_as_in_the_models(self) -> None:
        for seller in SELLERS:
            expected = {**self.shared_model.lookup(IDENTITIES, seller=SHARED), **self.model.lookup(IDENTITIES, seller=seller)}
            assert self.layered.lookup(IDENTITIES, seller=seller) == expected
            assert list(self.layered.scan(seller=seller)) == list(self.model.scan(seller=seller))


for machine in (CacheAgainstPlain, LayersAgainstPlain):
    machine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


TestCacheAgainstPlain = CacheAgainstPlain.TestCase
TestLayersAgainstPlain = LayersAgainstPlain.TestCase
