"""Measuring a task beside its bare peer: both on one core, in turns, the median of five, the better of two rounds."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Literal

import attrs

__all__ = ["Result", "compare", "pin"]

Task = Callable[[], object]

_ROUNDS = 2
_SAMPLES = 5
_LEAST_SECONDS = 0.02
"""A sample of a short task is as many calls as take about this long."""


@attrs.frozen(kw_only=True)
class Result:
    """A task beside its bare peer.

    Attributes:
        task: What was measured.
        value: Of one call, or of one entry.
        peer: What it was compared with.
        peer_value: Likewise.
        unit: Of both.
    """

    task: str
    value: float
    peer: str
    peer_value: float
    unit: Literal["seconds", "bytes"] = "seconds"

    @property
    def ratio(self) -> float:
        """How many times the peer's value the task's is."""
        return self.value / self.peer_value


def pin() -> int | None:
    """Keep this process and its children on one core; returns which one, None where the system cannot do that."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def compare(task: str, work: Task, peer: str, peer_work: Task, *, calls: int | None = None) -> Result:
    """Measure a task and its peer in turns.

    Args:
        task: What the task is.
        work: Does it once.
        peer: What the peer is.
        peer_work: Does that once.
        calls: How many calls a sample has; None to find out. 1 where a call cannot be repeated on the same data.
    """
    times: list[tuple[float, float]] = []
    numbers = [calls or _calls(one) for one in (work, peer_work)]
    for _ in range(_ROUNDS):
        pairs = [(_seconds(work, numbers[0]), _seconds(peer_work, numbers[1])) for _ in range(_SAMPLES)]
        times.append((statistics.median(own for own, _ in pairs), statistics.median(bare for _, bare in pairs)))
    value, peer_value = min(times, key=sum)  # of one round, so that whatever else the machine did weighs on both
    return Result(task=task, value=value, peer=peer, peer_value=peer_value)


def _calls(work: Task) -> int:
    work()  # whatever is loaded or compiled once
    calls = 1
    while (taken := _seconds(work, calls) * calls) < _LEAST_SECONDS:
        calls = max(calls * 2, int(calls * _LEAST_SECONDS / max(taken, 1e-6)))
    return calls


def _seconds(work: Task, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls
