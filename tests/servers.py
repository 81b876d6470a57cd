"""PostgreSQL and Valkey for the tests of every room: one server of each kind, and a cluster, for all; or those that the user names."""

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

OWN_POSTGRESQL = "OPTOUTKIT_TEST_POSTGRESQL"
"""The environment variable that names a database of the user's own, in which schemas may be made and dropped."""

OWN_REDIS = "OPTOUTKIT_TEST_REDIS"
"""The one that names a server of the user's own, as redis://host:port/db."""

OWN_CLUSTER = "OPTOUTKIT_TEST_REDIS_CLUSTER"
"""The one that names a cluster, as redis+cluster://host:port."""

FAST = ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200"]
"""For a PostgreSQL whose data nobody misses: without this each test waits for the disk."""

T = TypeVar("T")


def started(name: str, start: Callable[[], T], own: str) -> T:
    """A server; where its package is not installed the test is skipped, in CI failed."""
    try:
        return start()
    except ModuleNotFoundError as error:
        why = f"NOT TESTED: {name}, since there is no server here: {error}: install the group test, or name a server of yours in {own}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """A database on a server that is not to be stopped."""
    if uri := os.environ.get(OWN_POSTGRESQL):
        yield uri
        return
    from benchmarks.servers import PostgresqlServer

    server = started("PostgreSQL", lambda: PostgresqlServer(FAST), OWN_POSTGRESQL)
    yield server.uri
    server.close()


@pytest.fixture(scope="session")
def valkey_uri() -> Iterator[str]:
    """A server that is not to be stopped."""
    if uri := os.environ.get(OWN_REDIS):
        yield uri
        return
    from benchmarks.valkey import ValkeyServer

    server = started("Redis", ValkeyServer, OWN_REDIS)
    yield server.uri
    server.close()


@pytest.fixture(scope="session")
def valkey_cluster_uri() -> Iterator[str]:
    """A cluster that is not to be stopped."""
    if uri := os.environ.get(OWN_CLUSTER):
        yield uri
        return
    from benchmarks.valkey import ValkeyCluster

    cluster = started("Redis", ValkeyCluster, OWN_CLUSTER)
    yield cluster.uri
    cluster.close()
