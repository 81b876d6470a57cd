"""Several fits at a time, in processes that share what is in memory: made by fork, they need not be given it."""

import gc
import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["results"]

AT_ONCE = 2  # each takes gigabytes

_calls: list[Callable[[], Any]] = []  # what the processes find when they are made


def results(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of the calls gives, in their order."""
    _calls[:] = calls
    gc.collect()
    gc.freeze()  # else each process would write into what it shares, and so copy it
    with multiprocessing.get_context("fork").Pool(AT_ONCE) as pool:
        return list(pool.imap(_result, range(len(calls))))  # unlike map, it tells of a failure at once


def _result(number: int) -> Any:
    return _calls[number]()
