"""Connections: by TCP, TLS and Unix socket, over forks and event loops, given back and closed."""

import asyncio
import contextlib
import gc
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.servers import free_port
from benchmarks.valkey import ValkeyServer, until

from optoutkit.errors import MissingExtra, StoreClosed, StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.base import RecordReport
from optoutkit.stores.opening import open_store
from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.testing.stores import blocking

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

BUYER, OTHER = Address("buyer@example.com"), Address("other@example.com")
CERTIFICATE = Path(__file__).with_name("localhost.pem")
KINDS = pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])


class TlsFront:
    """Takes TLS connections, and hands on what is in them."""

    def __init__(self, port: int, behind: int) -> None:
        self._behind = behind
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._listener = socket.create_server(("0.0.0.0", port))
        self._open: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            try:
                front = self._context.wrap_socket(raw, server_side=True)
            except OSError:  # whoever it was does not trust us
                raw.close()
                continue
            back = socket.create_connection(("127.0.0.1", self._behind))
            self._open += [front, back]
            for pair in ((front, back), (back, front)):
                self._threads.append(threading.Thread(target=self._copy, args=pair))
                self._threads[-1].start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all that is under way."""
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()


@pytest.fixture(scope="module")
def tls_server() -> Iterator[int]:
    """The port of a cluster of one node that is reached by TLS only, and says so itself."""
    port = free_port()
    server = ValkeyServer("--cluster-enabled", "yes", "--cluster-announce-port", str(port), "--cluster-announce-ip", "127.0.0.1")
    front = TlsFront(port, server.port)
    server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    until(lambda: b"cluster_state:ok" in server.command("CLUSTER", "INFO"))
    yield port
    front.close()
    server.close()


@KINDS
@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
def test_tls(kind: Any, scheme: str, tls_server: int) -> None:
    """A server is spoken to by TLS if its certificate is good, and for the name that was asked for; otherwise not at all."""
    uri = f"{scheme}://localhost:{tls_server}?ssl_ca_certs={CERTIFICATE}"
    with blocking(kind(uri)) as store:
        store.record([OptOut(BUYER)])
        assert store.lookup([BUYER, OTHER]).keys() == {BUYER}
    for wrong, says in ((uri.partition("?")[0], "certificate"), (uri.replace("//localhost", "//127.0.0.2"), "certificate")):
        with pytest.raises(StoreUnavailable, match=says), blocking(kind(wrong)) as store:
            store.health()


@KINDS
def test_a_unix_socket(kind: Any, own_server: ValkeyServer) -> None:
    """The path of a socket does as well as a port, with a number of the database."""
    with blocking(kind(f"unix://{own_server.socket}?db=3")) as store:
        store.record([OptOut(BUYER)])
        assert store.lookup([BUYER]).keys() == {BUYER}
    assert own_server.client.info("keyspace").keys() == {"db3"}


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without redis-py, opening says what to install."""
    for name in [name for name in sys.modules if name.startswith("optoutkit.stores.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtra, match=r"optoutkit\[redis\]"):
        open_store("redis://localhost")


FORK = """
import os, sys, warnings
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.redis import DurabilityWarning, RedisStore
warnings.simplefilter("ignore", DurabilityWarning)
buyer, other = Address("buyer@example.com"), Address("other@example.com")
store = RedisStore(sys.argv[1])
store.record([OptOut(buyer)])
child = os.fork()
for _ in range(50):
    assert store.lookup([buyer, other] if child else [other, buyer]).keys() == {buyer}
if child == 0:
    store.close()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
child = os.fork()
if child == 0:
    store.close()  # without having used it
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
(connection,) = next(iter(store._connections._idle.values()))
connection.send_command("PING")  # which opens no new connection
assert connection.read_response() == b"PONG"
store.close()
"""


def test_a_store_can_be_used_across_a_fork(uri: str) -> None:
    """Parent and child go on with connections of their own at the same time, and a child that ends takes nothing from its parent."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", FORK, uri], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of the loop that was left
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_loop_after_another(uri: str) -> None:
    """An asyncio store that was used in one loop goes on in the next."""
    store = AsyncRedisStore(uri)

    async def use(report: RecordReport) -> None:
        assert await store.record([OptOut(BUYER)]) == report
        assert (await store.lookup([BUYER])).keys() == {BUYER}

    asyncio.run(use(RecordReport(new=1)))
    asyncio.run(use(RecordReport(known=1)))

    async def close() -> None:
        await store.close()

    asyncio.run(close())
    gc.collect()


def test_a_cancelled_write_is_done(own_server: ValkeyServer) -> None:
    """Who does not wait for a write to end has it done all the same; close waits for it."""

    async def use() -> None:
        store = AsyncRedisStore(own_server.uri)
        await store.health()
        own_server.command("CLIENT", "PAUSE", "300", "WRITE")
        writing = asyncio.ensure_future(store.record([OptOut(BUYER)]))
        await store.lookup([BUYER])  # by then the write has begun
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await store.close()
        with pytest.raises(StoreClosed):
            await store.lookup([BUYER])

    asyncio.run(use())
    with RedisStore(own_server.uri) as store:
        assert store.lookup([BUYER]).keys() == {BUYER}


@pytest.mark.parametrize("verb", ["lookup", "withdraw"])
def test_a_cancelled_verb_that_fails_is_passed_over_in_silence(verb: str) -> None:
    """Nobody waits for its error any more, and asyncio logs nothing, be it of a write or of what opens the store."""
    told: list[object] = []

    async def use() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        store = AsyncRedisStore(f"redis://127.0.0.1:{free_port()}")
        asking = asyncio.ensure_future(getattr(store, verb)([BUYER]))
        for _ in range(2):  # until it is about to connect
            await asyncio.sleep(0)
        assert store._opening
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait([store._opening, *store._writes])
        await store.close()
        del store, asking
        gc.collect()  # which is when asyncio says so

    asyncio.run(use())
    assert told == []


def test_a_cancelled_lookup_leaves_no_answer_behind(own_server: ValkeyServer) -> None:
    """Its connection is not used by others, who would read the answer to another question."""

    async def use() -> None:
        async with AsyncRedisStore(own_server.uri) as store:
            await store.record([OptOut(BUYER)])
            own_server.command("CLIENT", "PAUSE", "300", "ALL")
            asking = asyncio.ensure_future(store.lookup([BUYER]))
            for _ in range(100):  # until it waits for the answer
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await store.lookup([OTHER]) == {}
            assert (await store.lookup([BUYER])).keys() == {BUYER}

    asyncio.run(use())


def test_tasks_share_a_bounded_number_of_connections(own_server: ValkeyServer) -> None:
    """A thousand tasks at once do not open a thousand connections."""

    async def use() -> None:
        async with AsyncRedisStore(own_server.uri) as store:
            found = await asyncio.gather(*(store.record([OptOut(Address(f"buyer{number}@example.com"))]) for number in range(1000)))
            assert sum(report.new for report in found) == 1000
            assert len(own_server.command("CLIENT", "LIST").splitlines()) < 60

    asyncio.run(use())


def test_what_is_in_use_is_closed_when_it_is_given_back(own_server: ValkeyServer) -> None:
    """A store that is closed while threads use it leaves no connection open; a verb that is not through says that it is closed."""
    store = RedisStore(own_server.uri)
    outcomes: list[Any] = []

    def write() -> None:
        try:
            outcomes.append(store.record([OptOut(BUYER)]))
        except StoreClosed as error:
            outcomes.append(error)

    own_server.command("CLIENT", "PAUSE", "300", "ALL")
    threads = [threading.Thread(target=lambda: outcomes.append(store.lookup([BUYER]))), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    until(lambda: not store._connections._idle[("127.0.0.1", own_server.port)])
    store.close()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 2
    assert next(outcome for outcome in outcomes if outcome != {}).args == ("the store is closed",)
    until(lambda: len(own_server.command("CLIENT", "LIST").splitlines()) == 1)


def test_a_lookup_under_way_ends_before_its_connection_is_closed(own_server: ValkeyServer) -> None:
    """The same with tasks: what has been asked is answered, and then there is no connection left."""

    async def use() -> None:
        store = AsyncRedisStore(own_server.uri)
        await store.record([OptOut(BUYER)])
        own_server.command("CLIENT", "PAUSE", "300", "ALL")
        asking = asyncio.ensure_future(store.lookup([BUYER]))
        for _ in range(100):  # until it waits for the answer
            await asyncio.sleep(0)
        await store.close()
        assert (await asking).keys() == {BUYER}

    asyncio.run(use())
    until(lambda: len(own_server.command("CLIENT", "LIST").splitlines()) == 1)


def test_an_interrupted_wait_leaves_no_answer_behind(own_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C in a blocking verb the store goes on, and mixes up nothing."""
    with RedisStore(own_server.uri) as store:
        store.record([OptOut(BUYER)])
        (connection,) = store._connections._idle[("127.0.0.1", own_server.port)]

        def interrupted(*arguments: Any, **options: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(connection, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.lookup([BUYER])
        assert store.lookup([OTHER]) == {}
        assert store.lookup([BUYER]).keys() == {BUYER}
