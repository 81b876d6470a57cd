"""Processes that move the same buyer in opposite directions, as they do while a new secret is given to all of them: nobody is lost."""

import itertools
import random
from typing import Any

import attrs
import pytest
import redis
from tests.stores.redis.test_together import audit

from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import HashedStore
from optoutkit.stores.redis import RedisStore
from optoutkit.stores.redis.exchanges import Exchange, Talk
from optoutkit.testing.stores import ManualClock

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

EXCHANGES = 25
"""How many it takes to move an order with its address."""

WAITS = [[True] * one + [False] * other for one in range(EXCHANGES) for other in range(1, EXCHANGES + 1)]
CHANCE = [random.Random(seed).choices([True, False], k=3 * EXCHANGES) for seed in range(100)]
SCHEDULES = WAITS + CHANCE
"""Whose turn it is to have an exchange; after that the first one has all of its own, and then the other one."""

ORDERS, ADDRESSES = (
    [(Digest(kind, "2025", number.to_bytes(16)), Digest(kind, "2026", number.to_bytes(16))) for number in range(len(SCHEDULES))]
    for kind in ("order", "address")
)  # an old name and a new one for each schedule


@attrs.define
class Mover:
    """Moves names, one exchange with the server at a time."""

    store: Any
    flow: Any
    exchange: Any = None

    @classmethod
    def of(cls, store: Any, *pairs: Any) -> "Mover":
        """One that is about to begin."""
        flow = store._verbs.rekey(pairs)
        return cls(store, flow, next(flow))

    def step(self) -> None:
        """Have the next exchange, if there is one."""
        if self.exchange:
            answer = self.store._connections.perform(self.exchange)
            try:
                self.exchange = self.flow.send(answer)
            except StopIteration:
                self.exchange = None

    def finish(self) -> None:
        """Have all the rest."""
        while self.exchange:
            self.step()


def test_opposite_moves_lose_nothing(server_uri: str, prefix: str, clock: ManualClock) -> None:
    """Wherever the one waits while the other gets on or is done, everybody stays found, and what belongs together stays together."""
    everything = (len(SCHEDULES), len(SCHEDULES))
    with redis.Redis.from_url(server_uri, protocol=2) as client, RedisStore(f"{server_uri}?prefix={prefix}", clock=clock) as store:
        store.record(OptOut(old, "shop") for old, _ in ADDRESSES)
        store.withdraw((old for old, _ in ADDRESSES), seller="shop")
        store.link(((order, address) for (order, _), (address, _) in zip(ORDERS, ADDRESSES, strict=True)), seller="shop")
        store.record(OptOut(old, "shop", since=clock.now, source="a mail") for old, _ in ORDERS)
        for schedule, order, address in zip(SCHEDULES, ORDERS, ADDRESSES, strict=True):
            one, other = Mover.of(store, order, address), Mover.of(store, order[::-1], address[::-1])
            for turn in schedule:
                (one if turn else other).step()
            one.finish()
            other.finish()
            assert all(store.lookup(names, seller="shop") for names in (order, address))
        assert audit(client, prefix) == everything
        store.rekey([*ORDERS, *ADDRESSES])
        assert audit(client, prefix) == everything
        new = [names[1] for names in ORDERS + ADDRESSES]
        assert store.lookup(new, seller="shop").keys() == set(new)
        assert {(entry.since, entry.source) for entry in store.scan(seller="shop")} == {(clock.now, "a mail")}
        assert store.record(OptOut(name, "shop") for _, name in ADDRESSES).new == 0  # as they were withdrawn


@pytest.mark.parametrize("place", ["uri", "uri_in_cluster"])
def test_who_is_moved_while_looked_up_is_found(place: str, request: pytest.FixtureRequest) -> None:
    """Whichever way buyer and order are moved, and after whichever command of a lookup, it finds who is asked about."""
    uri = request.getfixturevalue(place)
    buyer, order = Address("buyer@example.com"), OrderId("302-1234567-1234567")
    both: tuple[Identity, ...] = (buyer, order)
    secrets = {"2025": b"5" * 32, "2026": b"6" * 32}
    opposite = dict(reversed(secrets.items()))
    with RedisStore(uri) as behind, HashedStore(RedisStore(uri), secrets) as forth, HashedStore(RedisStore(uri), opposite) as back:
        perform = behind._connections.perform
        commands = 0

        def one_by_one(exchange: Any) -> list[Any]:
            return [[reply(Talk(talk.node, [command])) for command in talk.commands] for talk in exchange.talks]

        def reply(talk: Talk) -> Any:
            nonlocal commands
            (answer,) = perform(Exchange([talk]))
            commands += 1
            if commands == moment:
                meanwhile.lookup(both)
            return answer[0]  # type: ignore[index]

        forth.link([(order, buyer)])
        forth.record([OptOut(order)])
        behind._connections.perform = one_by_one  # type: ignore[method-assign]
        for first, then in ((forth, back), (back, forth)):
            meanwhile = then
            for asked, after in itertools.product(both, range(1, 7)):
                first.lookup(both)
                commands, moment = 0, after
                assert HashedStore(behind, secrets).lookup([asked]).keys() == {asked}
