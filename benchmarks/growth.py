"""What SQLite takes as the list grows from ten thousand entries to ten million."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.lookups import asked_of, one_by_one
from benchmarks.samples import identity
from benchmarks.timing import Result, compare
from optoutkit import OptOut, OptOutStore, open_store

__all__ = ["measure"]

_FEW = 10_000
_SIZES = (100_000, 1_000_000, 10_000_000)
_BATCH = 10_000
_ROUNDS = 10  # of a comparison
_ASKED = 50_000
_SINCE = datetime(2026, 9, 10, tzinfo=UTC)
_STRIDE = 7_368_787  # a prime number, so that its multiples are in no order, and come only once


def measure() -> Iterator[Result]:
    """Beside the same in a file of ten thousand entries. Every second one asked is there, and each call asks for another."""
    with TemporaryDirectory() as folder:
        few_path, path, scattered_path = (Path(folder, f"{name}.db") for name in ("few", "many", "scattered"))
        with (
            open_store(f"sqlite:///{few_path}") as few,
            open_store(f"sqlite:///{path}") as store,
            open_store(f"sqlite:///{scattered_path}") as scattered,
        ):
            _fill(few, range(_FEW))
            few_size = _size(few_path) / _FEW
            filled = 0
            for size in _SIZES:
                _fill(store, range(filled, size))
                filled = size
                yield compare(
                    f"look up 1 among {size:,}",
                    one_by_one(store, asked_of(size, _ASKED)),
                    f"look up 1 among {_FEW:,}",
                    one_by_one(few, asked_of(_FEW, _ASKED)),
                )
                yield _bytes(f"an entry in the file, of {size:,}", _size(path) / size, few_size)
            size = _SIZES[1]
            _fill(scattered, _scattered(size))
            yield _bytes(f"an entry in the file, of {size:,} that came in no order", _size(scattered_path) / size, few_size)
            batches, few_batches = _newcomers(filled), _newcomers(_FEW * _ROUNDS)
            yield compare(
                f"record {_BATCH:,} in no order among {filled:,}",
                lambda: store.record(next(batches)),
                f"record {_BATCH:,} in no order among {_FEW:,}, which become {_FEW + _ROUNDS * _BATCH:,}",
                lambda: few.record(next(few_batches)),
                calls=1,
            )


def _fill(store: OptOutStore, numbers: Iterable[int]) -> None:
    for batch in _batches(map(_there, numbers)):
        store.record(batch)


def _batches(numbers: Iterator[int]) -> Iterator[list[OptOut]]:
    while batch := [OptOut(identity(number), since=_SINCE) for number in islice(numbers, _BATCH)]:
        yield batch


def _there(number: int) -> int:
    """One of those that are there: every second address, and every second order."""
    return number // 2 * 4 + number % 2


def _scattered(size: int) -> Iterator[int]:
    """The numbers below the size, in no order."""
    return (number * _STRIDE % size for number in range(size))


def _newcomers(size: int) -> Iterator[list[OptOut]]:
    """Batches of those between the ones that are there, in no order."""
    return _batches(_there(number) + 2 for number in _scattered(size))


def _size(path: Path) -> int:
    """Of a database, with what is not yet in the file itself."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0])


def _bytes(task: str, value: float, few: float) -> Result:
    return Result(task=task, value=value, peer=f"of {_FEW:,}", peer_value=few, unit="bytes")
