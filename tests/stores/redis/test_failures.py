"""Servers that are down, slow, starting, full, read-only, or not ours: each says so, and when all is well again the next call works."""

import itertools
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from benchmarks.servers import free_port
from benchmarks.valkey import ValkeyCluster, ValkeyServer, until

from optoutkit.errors import StoreClosed, StoreCorrupt, StoreError, StoreUnavailable, StoreVersionError
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.base import RecordReport
from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.testing.stores import blocking

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

BUYER, OTHER, ORDER = Address("buyer@example.com"), Address("other@example.com"), OrderId("302-1234567-1234567")

Opener = Callable[[str], Any]


@pytest.fixture(params=[RedisStore, AsyncRedisStore])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Open a store, blocking or for asyncio; both have blocking verbs here, and are closed in the end."""
    stores = []

    def open_it(uri: str) -> Any:
        stores.append(blocking(request.param(uri)))
        return stores[-1]

    yield open_it
    for store in stores:
        store.__exit__(None, None, None)


def fails(opened: Opener, uri: str, says: str, error: type[StoreError] = StoreUnavailable) -> None:
    """A store that cannot be opened says so: a blocking one at once, one for asyncio in its first verb, and again in the next."""
    for _ in range(2):
        with pytest.raises(error, match=says) as raised:
            opened(uri).lookup([BUYER])
        assert "secret" not in str(raised.value)


def test_a_server_that_is_down(opened: Opener) -> None:
    """Nobody listens, or nobody knows the name."""
    fails(opened, f"redis://127.0.0.1:{free_port()}", "cannot be reached.*refused")
    fails(opened, "redis://nowhere.invalid", r"nowhere.invalid:6379: it cannot be reached")
    fails(opened, f"redis://{'x' * 70}", "cannot be reached")
    fails(opened, "unix:///no/such/socket", "^/no/such/socket: it cannot be reached.*No such file")
    fails(opened, f"redis+cluster://127.0.0.1:{free_port()},nowhere.invalid", "cannot be reached")


def test_a_server_that_restarts(opened: Opener, own_server: ValkeyServer) -> None:
    """While it is away each verb says so; when it is back, the next one works, on connections that have died meanwhile too."""
    store = opened(own_server.uri)
    store.record([OptOut(BUYER)])
    store.link([(ORDER, OTHER)])
    own_server.stop()
    verbs: list[Callable[[], Any]] = [
        lambda: store.lookup([BUYER]),
        lambda: store.record([OptOut(OTHER)]),
        lambda: store.link([(ORDER, BUYER)]),
        lambda: store.withdraw([BUYER]),
        lambda: store.erase([BUYER]),
        lambda: list(store.scan()),
        store.health,
    ]
    for verb in verbs:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            verb()
    own_server.start()
    assert store.lookup([BUYER]) == {BUYER: OptOut(BUYER)}
    own_server.stop()
    own_server.start()
    assert store.record([OptOut(BUYER), OptOut(OTHER)]) == RecordReport(new=1, known=1)  # the script is gone, too
    own_server.stop()
    own_server.start()
    assert {entry.identity for entry in store.scan()} == {BUYER, OTHER}


def test_a_server_that_is_slow(opened: Opener, own_server: ValkeyServer) -> None:
    """It is waited for no longer than ``timeout``; what it answers later confuses nobody."""
    store = opened(f"{own_server.uri}?timeout=2")
    store.record([OptOut(BUYER)])
    own_server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(StoreUnavailable, match=r"does not answer within 2 seconds"):
        store.lookup([BUYER])
    with pytest.raises(StoreUnavailable, match=r"does not answer within 2 seconds"):
        store.record([OptOut(OTHER)])
    own_server.process.send_signal(signal.SIGCONT)
    assert store.lookup([BUYER, ORDER]) == {BUYER: OptOut(BUYER)}
    store.health()


def test_a_server_that_still_loads_its_data() -> None:
    """It answers that it is loading."""
    server = ValkeyServer("--enable-debug-command", "yes", "--rdbcompression", "no")
    try:
        server.command("DEBUG", "POPULATE", "1000", "key", "2000")
        server.command("SAVE")
        server.stop()
        server.start("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024", ready=False)
        until(lambda: server.refusal() == "LOADING")
        with pytest.raises(StoreUnavailable, match="still loads its data"):
            RedisStore(server.uri)
    finally:
        server.close()


def test_a_server_that_is_full(opened: Opener, own_server: ValkeyServer) -> None:
    """It takes nothing more, but tells what it has, and lets go of it; with more memory it goes on."""
    store = opened(own_server.uri)
    store.record([OptOut(BUYER), OptOut(OTHER)])
    own_server.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="out of memory: raise maxmemory"):
        store.record([OptOut(ORDER)])
    with pytest.raises(StoreUnavailable, match="out of memory"):
        store.health()
    assert store.lookup([BUYER]).keys() == {BUYER}
    assert store.erase([OTHER]).erased == 1
    own_server.command("CONFIG", "SET", "maxmemory", "0")
    assert store.record([OptOut(ORDER)]) == RecordReport(new=1)


def test_a_server_that_turns_read_only(opened: Opener, own_server: ValkeyServer) -> None:
    """A replica is read from, but not written to; when it is promoted, the next write works."""
    primary = ValkeyServer()
    try:
        store = opened(own_server.uri)
        store.record([OptOut(BUYER)])
        own_server.command("REPLICAOF", "127.0.0.1", primary.port)
        assert store.lookup([OTHER]) == {}
        with pytest.raises(StoreUnavailable, match="a read-only replica"):
            store.record([OptOut(OTHER)])
        own_server.command("REPLICAOF", "NO", "ONE")
        store.record([OptOut(OTHER)])
        assert OTHER in store.lookup([OTHER])
    finally:
        primary.close()


def test_a_replica_is_opened_for_reading(opened: Opener, own_server: ValkeyServer) -> None:
    """Opening writes only where no store is yet."""
    opened(own_server.uri).record([OptOut(BUYER)])
    replica = ValkeyServer("--replicaof", f"127.0.0.1 {own_server.port}")
    try:
        until(lambda: replica.client.info("replication")["master_link_status"] == "up")
        assert opened(replica.uri).lookup([BUYER]).keys() == {BUYER}
        replica.command("CONFIG", "SET", "replica-serve-stale-data", "no")
        own_server.stop()
        until(lambda: replica.refusal("GET", "x") == "MASTERDOWN")
        fails(opened, replica.uri, "a replica that has lost its primary")
    finally:
        replica.close()


def test_replicas_that_are_missing(opened: Opener, own_server: ValkeyServer) -> None:
    """Where the server wants replicas, or ``wait`` does, a write without them is not acknowledged."""
    store = opened(f"{own_server.uri}?wait=1&timeout=1")
    with pytest.raises(StoreUnavailable, match="only 0 of 1 replicas have the write"):
        store.record([OptOut(BUYER)])
    replica = ValkeyServer("--replicaof", f"127.0.0.1 {own_server.port}")
    try:
        store = opened(f"{own_server.uri}?wait=1&timeout=20")
        store.record([OptOut(BUYER)])
        assert BUYER in store.lookup([BUYER])
        store.health()
        own_server.command("CONFIG", "SET", "min-replicas-to-write", "2")
        with pytest.raises(StoreUnavailable, match="too few replicas"):
            store.record([OptOut(OTHER)])
    finally:
        replica.close()


def test_who_is_not_let_in(opened: Opener, own_server: ValkeyServer) -> None:
    """Wrong passwords and users, rights that are missing, and databases that are not there."""
    address = f"127.0.0.1:{own_server.port}"
    fails(opened, f"redis://{address}/999", "refuses the user or the database")
    own_server.command("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+select")
    fails(opened, f"redis://reader:secret@{address}", "widen the user's ACL")
    rights = ["~optoutkit:*", "+@read", "+@write", "+evalsha", "+script|load", "+select", "+wait"]
    own_server.command("ACL", "SETUSER", "writer", "on", ">secret", *rights)
    store = opened(f"redis://writer:secret@{address}/0")
    store.link([(ORDER, BUYER)])
    assert store.record([OptOut(ORDER)]).new == 1
    assert (store.withdraw([BUYER]), store.erase([BUYER]).erased, list(store.scan()), store.health()) == (1, 1, [], None)
    store.record([OptOut(BUYER)])
    fails(opened, f"redis://writer:secret2@{address}", "does not know this user and password")
    own_server.command("CONFIG", "SET", "requirepass", "secret")
    fails(opened, f"redis://:secret2@{address}", "does not know this user and password")
    fails(opened, f"redis://{address}", "does not know this user and password, or wants one")
    assert opened(f"redis://:secret@{address}").lookup([BUYER]).keys() == {BUYER}


def test_a_full_house(opened: Opener, own_server: ValkeyServer) -> None:
    """A server with too many clients sends more of them away, and says so."""
    own_server.command("CONFIG", "SET", "maxclients", "1")
    with own_server.client as guest:
        guest.ping()
        fails(opened, own_server.uri, "cannot be reached, or has closed the connection")
    until(lambda: own_server.refusal() is None)
    opened(own_server.uri).health()


def test_what_is_no_redis_at_all(opened: Opener) -> None:
    """Whoever answers something else is not understood, and that is an error of ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in itertools.count():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        fails(opened, f"redis://127.0.0.1:{listener.getsockname()[1]}", "cannot be reached, or has closed the connection")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("version", "error", "says"),
    [
        ("2", StoreVersionError, "schema version 2, this optoutkit knows 1: update"),
        ("x", StoreCorrupt, "something else under"),
    ],
)
def test_a_store_of_another_version(opened: Opener, own_server: ValkeyServer, version: str, error: type[StoreError], says: str) -> None:
    """A newer layout is not touched, and neither is what is no store; a store that is open notices when it is asked for its health."""
    store = opened(own_server.uri)
    store.record([OptOut(BUYER)])
    own_server.command("SET", "optoutkit:{schema}", version)
    fails(opened, own_server.uri, says, error)
    with pytest.raises(error, match=says):
        store.health()


def test_keys_of_another_program(opened: Opener, own_server: ValkeyServer) -> None:
    """Where a key of the store is something else, it is StoreCorrupt, whether it has another type or another content."""
    store = opened(own_server.uri)
    store.record([OptOut(BUYER), OptOut(OTHER)])
    (buyer,) = own_server.client.keys("*a:buyer@*")
    own_server.command("HSET", buyer, "=", "nonsense")
    with pytest.raises(StoreCorrupt, match="no optoutkit has written"):
        store.lookup([BUYER])
    own_server.command("SET", buyer, "nonsense")
    verbs: list[Callable[[], Any]] = [lambda: store.lookup([BUYER]), lambda: store.record([OptOut(BUYER)])]
    for verb in verbs:
        with pytest.raises(StoreCorrupt, match="choose another prefix"):
            verb()
    own_server.command("ZADD", "optoutkit:{days}", "0", "nonsense")
    with RedisStore(own_server.uri) as fresh, pytest.raises(StoreCorrupt, match="no optoutkit has written"):
        fresh.record([OptOut(ORDER)])
    (index,) = (key for key in own_server.client.keys("*s:") if own_server.command("ZSCORE", key, "a:other@example.com") is not None)
    own_server.command("ZADD", index, "0", b"a:\xff")
    with pytest.raises(StoreCorrupt):
        list(store.scan())


def test_one_server_and_a_cluster_are_told_apart(opened: Opener, server_uri: str, cluster_uri: str) -> None:
    """A node of a cluster is not taken for a server, nor the other way round; the text says what to write."""
    fails(opened, server_uri.replace("redis:", "redis+cluster:").partition("?")[0], "write redis:// in place of")
    fails(opened, f"redis://{cluster_uri.partition('://')[2].partition(',')[0]}", r"write redis\+cluster:// in place of")


def test_a_cluster_without_some_of_its_slots() -> None:
    """It is down until somebody has them."""
    cluster = ValkeyCluster(masters=1)
    try:
        with RedisStore(cluster.uri) as store:
            store.record([OptOut(BUYER)])
            cluster.nodes[0].command("CLUSTER", "DELSLOTSRANGE", 0, 16383)
            with pytest.raises(StoreUnavailable, match="cluster is down"):
                store.lookup([BUYER])
            cluster.nodes[0].command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            cluster.settle()
            assert store.lookup([BUYER]).keys() == {BUYER}
    finally:
        cluster.close()


def test_a_closed_store_is_closed_for_those_within(server_uri: str, prefix: str) -> None:
    """A scan that is under way when the store is closed ends with StoreClosed."""
    with RedisStore(f"{server_uri}?prefix={prefix}") as store:
        store.record(OptOut(Address(f"buyer{number}@example.com")) for number in range(600))
        entries = store.scan()
        next(entries)
    with pytest.raises(StoreClosed):
        list(entries)
