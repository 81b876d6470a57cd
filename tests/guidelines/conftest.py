"""What the tests of the guidelines share."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.guidelines import check_guidelines
from optoutkit.messages import Message

SMALL, LARGE = 16_000, 64_000
ATTEMPTS = 5  # another process may have slowed one of them
FAST = 0.1  # seconds of processor time, in which nothing can be told from noise


@pytest.fixture
def rules_in() -> Callable[..., list[str]]:
    """The rules that a text, or HTML, breaks, without the one on order IDs."""

    def rules_in(text: str, *, html: bool = False, **options: Any) -> list[str]:
        message = Message("", "", html=text) if html else Message("", text)
        return [violation.rule for violation in check_guidelines(message, skip=["missing_order_id"], **options)]

    return rules_in


@pytest.fixture
def assert_linear() -> Callable[[Callable[[str], object], str], None]:
    """Assert that four times the input takes four times the work or so; quadratic work would be sixteen times as much."""

    def cost(work: Callable[[str], object], text: str) -> float:
        gc.disable()  # as timeit does: how long a collection takes depends on what other tests have left, not on the work
        try:
            started = time.process_time()
            work(text)
            return time.process_time() - started
        finally:
            gc.enable()

    def assert_linear(work: Callable[[str], object], pattern: str) -> None:
        work(pattern)  # what is loaded once is not counted
        ratios = []
        for _ in range(ATTEMPTS):
            spent = cost(work, pattern * (LARGE // len(pattern)))
            if spent < FAST:
                return
            ratios.append(spent / cost(work, pattern * (SMALL // len(pattern))))
            if ratios[-1] < 2 * LARGE / SMALL:
                return
        pytest.fail(f"{pattern!r}: four times the input takes {ratios} times the time")

    return assert_linear
