"""Valkey servers for the tests: one and a cluster for all, and others that a test may stop; or those that the user names."""

# ruff: noqa: D103 - fixtures

import itertools
import os
from collections.abc import Iterator

import pytest
import redis
from benchmarks.valkey import ValkeyCluster, ValkeyServer
from tests.servers import OWN_CLUSTER, OWN_REDIS, started

from optoutkit.testing.stores import ManualClock

_prefixes = itertools.count(1)


@pytest.fixture(scope="session")
def server_uri(valkey_uri: str) -> str:
    """A server that is not to be stopped."""
    return valkey_uri


@pytest.fixture(scope="session")
def cluster_uri(valkey_cluster_uri: str) -> str:
    """A cluster that is not to be stopped."""
    return valkey_cluster_uri


@pytest.fixture
def own_server() -> Iterator[ValkeyServer]:
    """A server that a test may stop, and that keeps what it has."""
    server = started("Redis", lambda: ValkeyServer("--appendonly", "yes", "--appendfsync", "always"), OWN_REDIS)
    yield server
    server.close()


@pytest.fixture
def own_cluster() -> Iterator[ValkeyCluster]:
    """A cluster that a test may break."""
    cluster = started("Redis", ValkeyCluster, OWN_CLUSTER)
    yield cluster
    cluster.close()


@pytest.fixture
def prefix() -> str:
    """What the keys of this test begin with."""
    return f"optoutkit-test-{os.getpid()}-{next(_prefixes)}:"


@pytest.fixture
def uri(server_uri: str, prefix: str) -> Iterator[str]:
    """A store of its own on the server; if that is the user's, its keys are removed in the end."""
    yield f"{server_uri}?prefix={prefix}"
    if OWN_REDIS in os.environ:
        with redis.Redis.from_url(server_uri) as client:
            remove(client, prefix)


@pytest.fixture
def uri_in_cluster(cluster_uri: str, prefix: str) -> Iterator[str]:
    """The same on the cluster."""
    yield f"{cluster_uri}?prefix={prefix}"
    if OWN_CLUSTER in os.environ:
        with redis.RedisCluster.from_url(cluster_uri.replace("+cluster", "").partition(",")[0]) as client:
            remove(client, prefix)


def remove(client: "redis.Redis | redis.RedisCluster", prefix: str) -> None:
    for key in client.scan_iter(match=f"{prefix}*", count=1000):
        client.delete(key)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
