"""Looking up buyers and orders in SQLite, and in a cache in front of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cachetools import LRUCache

from benchmarks.samples import identity
from benchmarks.tables import SELECT, bare_table
from benchmarks.timing import Result, compare
from optoutkit import Identity, OptOut, OptOutStore, open_store
from optoutkit.stores import CachedStore

__all__ = ["measure"]

_ENTRIES = 1_000_000
_FEW = 10_000
_BATCH = 10_000


def measure() -> Iterator[Result]:
    """Beside prepared statements on a bare table with the same keys. Every second one asked is there, and each call asks for another."""
    with (
        TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/few.db") as few,
        open_store(f"sqlite:///{folder}/optouts.db") as store,
        closing(bare_table(Path(folder, "bare.db"), (identity(number).key for number in range(_ENTRIES)))) as bare,
    ):
        _fill(few, _FEW)
        _fill(store, _ENTRIES)
        asked = _asked(_ENTRIES)
        keys = cycle([one.key for one in asked])
        peer = f"prepared SELECT by primary key, {_ENTRIES:,} rows"
        yield compare(
            f"look up 1 among {_ENTRIES:,}", _one_by_one(store, asked), peer, lambda: bare.execute(SELECT, (next(keys),)).fetchall()
        )
        many = asked[:1000]
        yield compare(
            f"look up 1,000 among {_ENTRIES:,}",
            lambda: store.lookup(many),
            f"1,000 times: {peer}",
            lambda: [bare.execute(SELECT, (one.key,)).fetchone() for one in many],
        )
        yield compare(
            f"look up 1 among {_ENTRIES:,}", _one_by_one(store, asked), f"look up 1 among {_FEW:,}", _one_by_one(few, _asked(_FEW))
        )
        cached = CachedStore(store, ttl=3600, negative_ttl=3600)
        cached.lookup(asked)
        plain: LRUCache[str, Identity] = LRUCache(len(asked))
        plain.update((one.key, one) for one in asked)
        yield compare(
            "look up 1 that the cache knows", _one_by_one(cached, asked), "LRUCache of cachetools, by the key", lambda: plain[next(keys)]
        )


def _fill(store: OptOutStore, entries: int) -> None:
    for start in range(0, entries, _BATCH):
        store.record(OptOut(identity(number)) for number in range(start, start + _BATCH))


def _asked(entries: int) -> list[Identity]:
    numbers = Random(7)
    return [identity(numbers.randrange(2 * entries)) for _ in range(5000)]


def _one_by_one(store: OptOutStore, asked: list[Identity]) -> Callable[[], object]:
    """Each call looks up the next one."""
    following = cycle([(one,) for one in asked])
    return lambda: store.lookup(next(following))
