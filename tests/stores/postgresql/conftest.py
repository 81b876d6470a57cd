"""PostgreSQL servers for the tests: one for all, and others that a test may stop; or one that the user names."""

# ruff: noqa: D103 - fixtures

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from benchmarks.servers import PostgresqlServer
from tests.servers import FAST, OWN_POSTGRESQL, started

from optoutkit.stores import OptOutStore, open_async_store, open_store
from optoutkit.testing.stores import ManualClock, blocking

_schemas = itertools.count(1)


@pytest.fixture(scope="session")
def server_uri(postgresql_uri: str) -> str:
    """A database on a server that is not to be stopped."""
    return postgresql_uri


@pytest.fixture(scope="session")
def _own_server() -> Iterator[PostgresqlServer]:
    server = started("PostgreSQL", lambda: PostgresqlServer(FAST), OWN_POSTGRESQL)
    access = server.root / "data" / "pg_hba.conf"
    access.write_text(f"host all shop 127.0.0.1/32 scram-sha-256\nhost all outcast 127.0.0.1/32 reject\n{access.read_text()}")
    server.stop()
    server.start()
    with psycopg.connect(server.uri, autocommit=True) as connection:
        for role in ("shop LOGIN PASSWORD 'right'", "outcast LOGIN", "crowded LOGIN CONNECTION LIMIT 0"):
            connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    yield server
    server.close()


@pytest.fixture
def own_server(_own_server: PostgresqlServer) -> Iterator[PostgresqlServer]:
    """A server that a test may stop. It asks the user ``shop`` for a password, and lets ``outcast`` and ``crowded`` in never."""
    yield _own_server
    _own_server.stop()
    _own_server.start()
    with psycopg.connect(_own_server.uri, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS optoutkit CASCADE")


@pytest.fixture(scope="session")
def _connection(server_uri: str) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(server_uri, autocommit=True) as connection:
        yield connection


@pytest.fixture
def schema(_connection: "psycopg.Connection[Any]") -> Iterator[str]:
    """The name of a schema that is not there yet, and is dropped in the end."""
    name = f"optoutkit_test_{os.getpid()}_{next(_schemas)}"
    yield name
    _connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@pytest.fixture
def uri(server_uri: str, schema: str) -> str:
    """A store of its own for each test."""
    return f"{server_uri}{'&' if '?' in server_uri else '?'}schema={schema}"


@pytest.fixture
def raw(_connection: "psycopg.Connection[Any]", schema: str) -> Callable[..., list[Any]]:
    """Run a statement as another program would; ``@`` stands for the schema."""

    def run(statement: str, *parameters: Any) -> list[Any]:
        cursor = _connection.execute(statement.replace("@", f"{schema}.").encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sync", "async"])
def open_either(request: pytest.FixtureRequest) -> Callable[[str], OptOutStore]:
    """Open a store by its URI, a blocking one or one for asyncio, with blocking verbs."""
    return lambda uri: blocking(open_store(uri) if request.param == "sync" else open_async_store(uri))


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Run a script in a process of its own, with arguments; its output can be read."""
    processes = []

    def popen(script: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield popen
    for process in processes:
        process.kill()
        process.communicate()
