"""A place of its own on each server for each test."""

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
import redis
from tests.servers import OWN_CLUSTER, OWN_REDIS

_numbers = itertools.count(1)


@pytest.fixture
def postgresql(postgresql_uri: str) -> Iterator[str]:
    """The URI of a schema that is not there yet, and is dropped in the end."""
    name = f"optoutkit_ledger_{os.getpid()}_{next(_numbers)}"
    yield f"{postgresql_uri}{'&' if '?' in postgresql_uri else '?'}schema={name}"
    with psycopg.connect(postgresql_uri, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@pytest.fixture
def valkey(valkey_uri: str) -> Iterator[str]:
    """The URI of a prefix on the server; if that is the user's, its keys are removed in the end."""
    prefix = f"optoutkit-ledger-{os.getpid()}-{next(_numbers)}:"
    yield f"{valkey_uri}?prefix={prefix}"
    if OWN_REDIS in os.environ:
        with redis.Redis.from_url(valkey_uri) as client:
            _remove(client, prefix)


@pytest.fixture
def valkey_cluster(valkey_cluster_uri: str) -> Iterator[str]:
    """The same on the cluster."""
    prefix = f"optoutkit-ledger-{os.getpid()}-{next(_numbers)}:"
    yield f"{valkey_cluster_uri}?prefix={prefix}"
    if OWN_CLUSTER in os.environ:
        with redis.RedisCluster.from_url(valkey_cluster_uri.replace("+cluster", "").partition(",")[0]) as client:
            _remove(client, prefix)


def _remove(client: "redis.Redis | redis.RedisCluster", prefix: str) -> None:
    for key in client.scan_iter(match=f"{prefix}*", count=1000):
        client.delete(key)
