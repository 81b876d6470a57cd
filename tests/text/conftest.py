"""What the tests of reading share: work that must not grow faster than its input."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

SMALL, LARGE = 16_000, 64_000
ATTEMPTS = 5  # another process may have slowed one of them
PROMISED = 2.0 * LARGE / 2**20  # seconds of processor time; a megabyte is promised in two


def _assert_linear(work: Callable[[Any], object], pattern: Any, before: Any = None) -> None:
    """Feed a pattern, repeated, to ``work``: four times the input may take four times the time, or less than is promised."""

    def cost(size: int) -> float:
        text = (before if before is not None else pattern[:0]) + pattern * (size // len(pattern))
        started = time.process_time()
        work(text)
        return time.process_time() - started

    work(pattern)  # what is loaded once is not counted
    ratios = []
    for _ in range(ATTEMPTS):
        spent = cost(LARGE)
        if spent < PROMISED:
            return
        ratios.append(spent / cost(SMALL))
        if ratios[-1] < 2 * LARGE / SMALL:
            return
    pytest.fail(f"{pattern!r}: four times the input takes {ratios} times the time")


@pytest.fixture
def assert_linear() -> Callable[..., None]:
    """Assert that work grows with its input and no faster; quadratic work is sixteen times as much for four times the input."""
    return _assert_linear


@pytest.fixture
def assert_frugal() -> Callable[..., None]:
    """Assert that work needs little memory: a regular expression that may go back takes 120 bytes for each repetition."""

    def check(work: Callable[[Any], object], text: Any) -> None:
        work(text[:100])
        tracemalloc.start()
        try:
            work(text)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 80 * len(text)

    return check
