"""PostgreSQL servers for the tests: one for all, and others that a test may stop; or one that the user names."""

# ruff: noqa: D103 - fixtures

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from benchmarks.servers import PostgresqlServer

from optoutkit.testing.stores import ManualClock

FAST = ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200"]
"""For data that nobody misses: without this each test waits for the disk."""

OWN = "OPTOUTKIT_TEST_POSTGRESQL"
"""The environment variable that names a database of the user's own, in which schemas may be made and dropped."""

_schemas = itertools.count(1)


def new_server() -> PostgresqlServer:
    try:
        return PostgresqlServer(FAST)
    except ModuleNotFoundError as error:
        why = f"NOT TESTED: PostgreSQL, since there is no server here: {error}, or name a database in {OWN}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def server_uri() -> Iterator[str]:
    """A database on a server that is not to be stopped."""
    if uri := os.environ.get(OWN):
        yield uri
        return
    server = new_server()
    yield server.uri
    server.close()


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    """A server that a test may stop."""
    server = new_server()
    yield server
    server.close()


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
