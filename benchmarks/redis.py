"""Looking up buyers and orders in a server that speaks Redis' protocol, and the memory that an entry takes."""

import warnings
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from benchmarks.samples import identity
from benchmarks.timing import Result, compare
from benchmarks.valkey import ValkeyServer
from optoutkit import OptOut, open_store

__all__ = ["measure"]

_ENTRIES = 100_000
_BATCH = 10_000
_SINCE = datetime(2026, 9, 10, tzinfo=UTC)


def measure() -> Iterator[Result]:
    """Beside the same client's own ``get``, over the same TCP connection or one like it. Every second one asked is there."""
    with closing(ValkeyServer()) as server, server.client as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this server need not keep anything
        empty = client.info("memory")["used_memory"]
        with open_store(server.uri) as store:
            for start in range(0, _ENTRIES, _BATCH):
                store.record(OptOut(identity(number), since=_SINCE) for number in range(start, start + _BATCH))
            full = client.info("memory")["used_memory"]
            with client.pipeline(transaction=False) as pipeline:
                for number in range(_ENTRIES):
                    pipeline.set(f"bare:{identity(number).key}", "20,1789000000000000")
                pipeline.execute()
            bare = client.info("memory")["used_memory"]
            step = 2 * _ENTRIES // 1000
            many = [identity(number) for number in range(0, 2 * _ENTRIES, step)]
            keys = [f"bare:{one.key}" for one in many]

            def get_all() -> object:
                with client.pipeline(transaction=False) as pipeline:
                    for key in keys:
                        pipeline.get(key)
                    return pipeline.execute()

            peer = f"redis-py's get, {_ENTRIES:,} keys"
            yield compare(f"look up 1 among {_ENTRIES:,}", lambda: store.lookup(many[:1]), peer, lambda: client.get(keys[0]))
            yield compare(f"look up 1,000 among {_ENTRIES:,}", lambda: store.lookup(many), f"1,000 in a pipeline: {peer}", get_all)
            yield Result(
                task="an entry in memory",
                value=(full - empty) / _ENTRIES,
                peer="a bare key and value",
                peer_value=(bare - full) / _ENTRIES,
                unit="bytes",
            )
