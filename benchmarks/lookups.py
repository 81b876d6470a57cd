"""Looking up buyers and orders in SQLite."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.samples import identity
from benchmarks.tables import SELECT, bare_table
from benchmarks.timing import Result, compare
from optoutkit import OptOut, open_store

__all__ = ["measure"]

_ENTRIES = 200_000
_BATCH = 10_000


def measure() -> Iterator[Result]:
    """Beside prepared statements on a bare table with the same keys. Every second one asked is there."""
    with (
        TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/optouts.db") as store,
        closing(bare_table(Path(folder, "bare.db"), (identity(number).key for number in range(_ENTRIES)))) as bare,
    ):
        for start in range(0, _ENTRIES, _BATCH):
            store.record(OptOut(identity(number)) for number in range(start, start + _BATCH))
        step = 2 * _ENTRIES // 1000
        many = [identity(number) for number in range(0, 2 * _ENTRIES, step)]
        keys = [one.key for one in many]
        peer = f"prepared SELECT by primary key, {_ENTRIES:,} rows"
        yield compare(
            f"look up 1 among {_ENTRIES:,}", lambda: store.lookup(many[:1]), peer, lambda: bare.execute(SELECT, keys[:1]).fetchall()
        )
        yield compare(
            f"look up 1,000 among {_ENTRIES:,}",
            lambda: store.lookup(many),
            f"1,000 times: {peer}",
            lambda: [bare.execute(SELECT, (key,)).fetchone() for key in keys],
        )
