"""The store behind PgBouncer in transaction mode, where each transaction may meet another server process."""

# ruff: noqa: D102 - each class says by its name which store it tests

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from benchmarks.servers import Unprivileged, free_port

from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import OptOutStore, open_store
from optoutkit.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from optoutkit.testing.stores import StoreFactory
from optoutkit.testing.stores.durable import DurabilityRules
from optoutkit.testing.stores.whole import WholeStoreRules

Open = Callable[[str], OptOutStore]

BUYERS = [Address(f"buyer{number}@example.com") for number in range(20)]

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture(scope="session")
def pooler_uri(server_uri: str) -> Iterator[str]:
    """A database behind PgBouncer, with three connections for all."""
    if shutil.which("pgbouncer") is None or os.environ.get("OPTOUTKIT_TEST_POSTGRESQL"):
        why = "NOT TESTED: PostgreSQL behind PgBouncer, since it is not here (apt-get install pgbouncer), or the server is not ours"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    parts, port, way = urlsplit(server_uri), free_port(), Unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="optoutkit-pgbouncer-"))
    way.own(folder)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(host=parts.hostname, port=parts.port, user=parts.username, listen_port=port, folder=folder)
    )
    configuration.chmod(0o644)
    command = [*way.prefix, "pgbouncer", "-q", str(configuration)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **way.options)
    while True:
        assert process.poll() is None, (folder / "log").read_text()
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 60):
            break
    yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


class TestPostgresql(WholeStoreRules, DurabilityRules):
    @pytest.fixture
    def make_store(self, pooler_uri: str, schema: str) -> StoreFactory:
        return lambda clock: PostgresqlStore(pooler_uri, schema=schema, clock=clock)


class TestAsyncPostgresql(WholeStoreRules, DurabilityRules):
    @pytest.fixture
    def make_store(self, pooler_uri: str, schema: str) -> StoreFactory:
        return lambda clock: AsyncPostgresqlStore(pooler_uri, schema=schema, clock=clock)


def test_nothing_is_prepared_and_nothing_is_left_behind(open_either: Open, pooler_uri: str, schema: str) -> None:
    """Whoever gets a server process after the store finds no prepared statement, no setting and no lock of it."""
    with psycopg.connect(pooler_uri, autocommit=True, prepare_threshold=None) as other:
        asked = (
            "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('statement_timeout'),"
            " current_setting('idle_in_transaction_session_timeout'), current_setting('search_path'),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
        )
        before = other.execute(asked).fetchall()
        with open_either(f"{pooler_uri}?schema={schema}&timeout=7") as store:
            for number in range(30):
                buyer = Address(f"buyer{number}@example.com")
                store.record([OptOut(buyer)])
                store.link([(OrderId(f"302-{number:07}-0000000"), buyer)])
                assert store.lookup([buyer]).keys() == {buyer}
                store.withdraw([buyer])
                assert other.execute(asked).fetchall() == before


@pytest.mark.parametrize("asked", [BUYERS[:1], BUYERS])
def test_a_pooler_that_passes_for_a_server_is_found_out(pooler_uri: str, schema: str, asked: list[Address]) -> None:
    """Should one not be recognised, the first statement that is not where it was prepared tells, and no verb fails."""
    with open_store(f"{pooler_uri}?schema={schema}") as store, psycopg.connect(pooler_uri, prepare_threshold=None) as other:
        assert isinstance(store, PostgresqlStore)
        store.record(map(OptOut, BUYERS))
        store._client._pool.may_prepare = None
        for _ in range(10):
            store.lookup(asked)
        other.execute("SELECT 1")  # takes the server process that was used last, and keeps it
        assert store.lookup(asked).keys() == set(asked)
        assert store._client._pool.may_prepare is False
        other.rollback()
        assert store.lookup(asked).keys() == set(asked)


def test_a_direct_connection_prepares(uri: str) -> None:
    """Where there is no pooler in between, the server plans what is asked again and again only once."""
    with open_store(uri) as store:
        assert isinstance(store, PostgresqlStore)
        for _ in range(10):
            store.lookup([Address("buyer@example.com")])
        assert store._client._pool.may_prepare is None
        (connection,) = store._client._pool._idle
        asked = connection.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'optoutkit%'").fetchall()
        assert [statement.count("$2") for (statement,) in asked] == [2]
