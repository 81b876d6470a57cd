"""Several fits at a time, in processes that share what is in memory: made by fork, they need not be given it."""

import gc
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from typing import Any

__all__ = ["results"]

AT_ONCE = 2  # each takes gigabytes

_calls: list[Callable[[], Any]] = []  # what the processes find when they are made


def results(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of the calls gives, in their order; where one fails, none is begun any more."""
    _calls[:] = calls
    gc.collect()
    gc.freeze()  # else each process would write into what it shares, and so copy it
    with ProcessPoolExecutor(AT_ONCE, mp_context=multiprocessing.get_context("fork")) as pool:
        begun = [pool.submit(_result, number) for number in range(len(calls))]
        done, others = wait(begun, return_when=FIRST_EXCEPTION)
        for other in others:
            other.cancel()
        for one in done:
            one.result()  # raises if it failed
        return [one.result() for one in begun]


def _result(number: int) -> Any:
    return _calls[number]()
