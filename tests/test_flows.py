"""Flows run alike under both loops."""

import asyncio
from typing import Any

import attrs
import pytest

from optoutkit.flows import Flow, Request, ask, run, run_async


@attrs.frozen
class Double(Request[int]):
    """Wants a number doubled."""

    number: int


def total(numbers: list[int]) -> Flow[int]:
    """Sum of the doubles; a failure counts as nothing."""
    found = 0
    for number in numbers:
        try:
            found += yield from ask(Double(number))
        except LookupError:
            continue
    return found


def double(request: Request[Any]) -> int:
    """Double a number, but know no 13."""
    assert isinstance(request, Double)
    if request.number == 13:
        raise LookupError
    if request.number < 0:
        raise ArithmeticError
    return 2 * request.number


async def double_later(request: Request[Any]) -> int:
    """The same, awaited."""
    await asyncio.sleep(0)
    return double(request)


def both(numbers: list[int]) -> int:
    """Run the flow under both loops, which must agree."""
    result = run(total(numbers), double)
    assert asyncio.run(run_async(total(numbers), double_later)) == result
    return result


def test_answers_and_errors_reach_the_flow() -> None:
    """What the driver's function returns or raises comes out of ``ask``."""
    assert both([]) == 0
    assert both([1, 13, 2]) == 6
    assert both([13]) == 0


def test_what_the_flow_does_not_catch_comes_out() -> None:
    """An error nobody handles ends the flow."""
    with pytest.raises(ArithmeticError):
        run(total([-1]), double)
    with pytest.raises(ArithmeticError):
        asyncio.run(run_async(total([-1]), double_later))
