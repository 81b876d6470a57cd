"""Many at once: whatever they do, nothing is lost, and what stands in different places stays in step."""

import random
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import redis

from optoutkit.identities import Address, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.redis import RedisStore
from optoutkit.stores.redis.cards import Card
from optoutkit.stores.redis.layout import Layout, address_field, is_address, seller_of
from optoutkit.stores.rows import identity_of
from optoutkit.testing.stores import ManualClock

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

ADDRESSES = [Address(f"{name}@marketplace.amazon.de") for name in "abc"]
ORDERS = [OrderId(f"302-{number:07}-1234567") for number in range(5)]
SELLERS = ["", "shop", SHARED]


def audit(client: Any, prefix: str) -> tuple[int, int]:
    """Hold all that is kept in different places against each other; tells how many entries and links there are.

    What must be there is there: an index of all who have entries, and of no others; at an address all orders that are linked to it,
    marked as hot if they have entries; on a day all links that were learnt then. More than that may stand at addresses and days.
    """
    layout = Layout(prefix)
    head = prefix.encode()
    hashes = {key[key.index(b"}") + 1 :].decode(): client.hgetall(key) for key in client.scan_iter(match=head + b"{*}[aod]:*")}
    cards = {
        (seller, column): Card.read(raw, identity_of(column), seller)
        for column, fields in hashes.items()
        for field, raw in fields.items()
        if (seller := seller_of(field)) is not None
    }
    indexed = {
        (seller, column.decode())
        for seller in {seller for seller, _ in cards} | set(SELLERS)
        for _, key in layout.indexes(seller)
        for column in client.zrange(key, 0, -1)
    }
    assert indexed == {place for place, card in cards.items() if card.entries}
    days = {int(day) for day in client.zrange(layout.days[1], 0, -1)}
    links = 0
    for (seller, column), card in cards.items():
        if card.link:
            links += 1
            address, day = card.link
            assert not is_address(column)
            assert address_field(seller, column) in hashes[address]
            assert day in days
            assert client.sismember(layout.day(day)[1], f"{seller}\0{column}")
            shared = cards.get((SHARED, column), Card())
            if card.entries or shared.entries:
                assert column in cards[seller, address].hot
    assert not [column for column, fields in hashes.items() if b"!" in fields]
    return sum(len(card.entries) for card in cards.values()), links


def work(store: Any, seed: int, errors: list[BaseException]) -> None:
    """Do random things to few identities."""
    chance = random.Random(seed)
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    try:
        for number in range(60):
            seller = chance.choice(SELLERS)
            who: list[Identity] = chance.sample([*ADDRESSES, *ORDERS], 3)
            verb = chance.randrange(6)
            if verb < 2:
                since = begin + timedelta(days=1000, seconds=number)  # so that it revives what was withdrawn
                store.record(OptOut(one, seller, since=since) for one in who)
            elif verb < 4:
                store.link([(chance.choice(ORDERS), chance.choice(ADDRESSES))], seller=seller, replace=chance.random() < 0.5)
            elif verb == 4:
                store.withdraw(who[:1], seller=seller)
            else:
                store.erase(who[:1], seller=seller)
    except BaseException as error:  # noqa: BLE001 - told in the main thread
        errors.append(error)


@pytest.mark.parametrize("option", ["", "&link_days=1"])
def test_what_belongs_together_stays_together(server_uri: str, prefix: str, clock: ManualClock, option: str) -> None:
    """Threads that record, link, withdraw and erase the same few identities leave no index, field or mark behind or missing."""
    errors: list[BaseException] = []
    with redis.Redis.from_url(server_uri, protocol=2) as client:
        for round_number in range(4):
            clock.advance(days=3)  # so that with link_days=1 each round reviews the links of those before
            with RedisStore(f"{server_uri}?prefix={prefix}{option}", clock=clock) as store:
                threads = [threading.Thread(target=work, args=(store, round_number * 10 + number, errors)) for number in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            assert errors == []
            audit(client, prefix)
        with RedisStore(f"{server_uri}?prefix={prefix}", clock=clock) as store:
            for seller in SELLERS:
                store.erase([*ADDRESSES, *ORDERS], seller=seller)
        assert audit(client, prefix) == (0, 0)
        assert not list(client.scan_iter(match=f"{prefix}{{*}}[aods]:*"))  # nothing of anybody is left


# Each of its threads records batches that overlap with those of the other processes, looks some up, links, and scans. It starts
# when it is told to, so that all of them open the empty store at once.
HAMMER = """
import sys, threading, warnings
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.redis import DurabilityWarning, RedisStore
warnings.simplefilter("ignore", DurabilityWarning)
print("ready", flush=True)
sys.stdin.readline()
new = []
with RedisStore(sys.argv[1]) as store:
    def work(thread):
        for batch in range(10):
            buyers = [Address(f"buyer{number}@example.com") for number in range(batch * 10, batch * 10 + 20)]
            new.append(store.record([OptOut(buyer) for buyer in buyers]).new)
            assert store.lookup(buyers).keys() == set(buyers)
            store.link([(OrderId(f"302-{thread:07}-{batch:07}"), buyers[0])], seller=sys.argv[2])
        assert len(list(store.scan())) == 110
    threads = [threading.Thread(target=work, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert len(new) == 30
print(sum(new))
"""


def test_many_processes_and_threads_share_a_store(server_uri: str, uri: str, prefix: str) -> None:
    """Nothing is lost or counted twice, though all of them open the empty store at the same time."""
    command = [sys.executable, "-W", "error", "-c", HAMMER, uri]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, f"seller {number}"], **pipes) for number in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in results] == [""] * len(processes)
    assert sum(int(output) for output, _ in results) == 110
    with redis.Redis.from_url(server_uri, protocol=2) as client:
        assert audit(client, prefix) == (110, 3 * 3 * 10)


def test_a_scan_of_more_than_is_fetched_ahead(uri: str) -> None:
    """However many there are, they come in order, from wherever it begins."""
    addresses = sorted((Address(f"buyer{number}@example.com") for number in range(10_000)), key=lambda one: one.key)
    with RedisStore(uri) as store:
        store.record(OptOut(address) for address in addresses)
        assert [entry.identity for entry in store.scan()] == addresses
        assert [entry.identity for entry in store.scan(after=addresses[4999])] == addresses[5000:]


def test_round_trips_do_not_grow_with_the_batch(uri: str) -> None:
    """A lookup takes one round trip for each thousand identities, and at most three times that where links lead on."""
    exchanges: list[Any] = []
    with RedisStore(uri) as store:
        perform = store._connections.perform

        def counted(exchange: Any) -> Any:
            exchanges.append(exchange)
            return perform(exchange)

        store._connections.perform = counted  # type: ignore[method-assign]

        def trips(call: Callable[[], object]) -> int:
            exchanges.clear()
            call()
            return len(exchanges)

        addresses = [Address(f"buyer{number}@example.com") for number in range(2000)]
        orders = [OrderId(f"302-{number:07}-1234567") for number in range(1000)]
        store.link(zip(orders, addresses, strict=False))
        assert [trips(partial(store.lookup, addresses[:number])) for number in (0, 1, 1000, 1001, 2000)] == [0, 1, 1, 2, 2]
        assert trips(lambda: store.lookup([orders[0], addresses[0]])) == 1  # what the guard asks
        assert trips(lambda: store.lookup(orders[:1])) == 2
        store.record([OptOut(orders[0])])
        assert trips(lambda: store.lookup(orders)) == 2
        assert trips(lambda: store.lookup([addresses[0]])) == 2
        store.link([(orders[1], addresses[0])], replace=True)
        assert trips(lambda: store.lookup([orders[1]])) == 3
        assert trips(lambda: store.record([OptOut(address) for address in addresses[:1000]])) == trips(
            lambda: store.record([OptOut(addresses[-1])])
        )
