"""What a server should be told so that it loses nothing."""

import asyncio
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.valkey import ValkeyCluster, ValkeyServer

from optoutkit.stores.redis import AsyncRedisStore, DurabilityWarning, RedisStore

MEMORY_ONLY = "in its memory only, and lost if it crashes: set appendonly yes"
SECONDS = "can lose its last seconds: set appendfsync always"
EVICTION = "throws away any key when its memory is full (maxmemory-policy allkeys-lru): set noeviction"


def advice(uri: str) -> list[str]:
    """What is warned about; both stores say the same, and each says it once."""

    async def use() -> None:
        async with AsyncRedisStore(uri) as store:
            await asyncio.gather(store.lookup([]), store.lookup([]))
            await store.lookup([])

    told = []
    openers: list[Callable[[], None]] = [lambda: RedisStore(uri).close(), lambda: asyncio.run(use())]
    for open_it in openers:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            open_it()
        told.append([str(warning.message) for warning in caught if warning.category is DurabilityWarning])
    assert told[0] == told[1]
    return told[0]


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ({"appendonly": "yes", "appendfsync": "always"}, "", []),
        ({"appendonly": "no"}, "", [MEMORY_ONLY]),
        ({"appendonly": "no"}, "?wait=1", [MEMORY_ONLY]),
        ({"appendonly": "yes", "appendfsync": "everysec"}, "", [SECONDS]),
        ({"appendonly": "yes", "appendfsync": "no"}, "", [SECONDS]),
        ({"appendonly": "yes", "appendfsync": "everysec"}, "?wait=1", []),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "", [EVICTION]),
        ({"maxmemory": "100mb", "maxmemory-policy": "volatile-lru"}, "", []),
        ({"maxmemory": "0", "maxmemory-policy": "allkeys-lru"}, "", []),
    ],
)
def test_settings_that_lose_opt_outs_are_warned_about(
    own_server: ValkeyServer, settings: dict[str, str], options: str, expected: list[str]
) -> None:
    """When a store is opened, each setting that may lose what was acknowledged is named, with what to set instead."""
    for name, value in settings.items():
        own_server.command("CONFIG", "SET", name, value)
    told = advice(own_server.uri + options)
    assert len(told) == len(expected)
    assert all(says in text for text, says in zip(told, expected, strict=True))


@pytest.mark.parametrize("command", [["list"], ["add", "buyer@example.com"]])
def test_the_command_line_tells_it_in_a_line(own_server: ValkeyServer, command: list[str]) -> None:
    """A note as any other, without the place in the code."""
    own_server.command("CONFIG", "SET", "appendonly", "no")
    arguments = [sys.executable, "-m", "optoutkit.cli", *command, "--store", own_server.uri]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stderr.splitlines()[:1] == [f"note: what the server acknowledges is {MEMORY_ONLY}"]
    assert "Warning" not in done.stderr


def test_a_server_that_does_not_tell_is_believed(own_server: ValkeyServer) -> None:
    """Hosted servers refuse CONFIG, and some INFO: that is no reason to warn, or to fail."""
    own_server.command("CONFIG", "SET", "appendonly", "no")
    own_server.command("ACL", "SETUSER", "guest", "on", ">secret", "~*", "+@read", "+@write", "+evalsha", "+script", "+wait", "+info")
    uri = own_server.uri.replace("://", "://guest:secret@")
    assert len(advice(uri)) == 1
    own_server.command("ACL", "SETUSER", "guest", "-info")
    assert advice(uri) == []


def test_nodes_of_a_cluster_are_asked_once_each(cluster_uri: str, prefix: str) -> None:
    """What is the same on all of them is said once."""
    told: Any = advice(f"{cluster_uri}?prefix={prefix}")
    assert len(told) == len(set(told))


def test_a_node_that_is_gone_says_nothing(own_cluster: ValkeyCluster) -> None:
    """The advice is what the others say; that one is missing shows when it is needed."""
    own_cluster.nodes[1].stop()
    with pytest.warns(DurabilityWarning, match="appendonly"):
        RedisStore(own_cluster.uri).close()
