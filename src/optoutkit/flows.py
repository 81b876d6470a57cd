"""Flows: decisions written once, run with blocking or with asyncio I/O.

A flow is a generator that yields requests (look up, record, ask DNS, send) and gets the answers back; it does no I/O of its
own. :func:`run` drives it with functions that block, :func:`run_async` with functions that are awaited, so that the two can't
drift apart. The pattern is that of psycopg's generators and of httpx's auth flow.

    def greet(flow_input: str) -> Flow[str]:
        answer = yield from ask(SomeRequest(flow_input))     # typed: the answer's type is the request's
        return answer.upper()
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

import attrs

__all__ = ["Flow", "Request", "ask", "run", "run_async"]

A_co = TypeVar("A_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")


class Request(Generic[A_co]):
    """One piece of I/O that a flow wants done; ``A_co`` is the type of its answer. Subclasses are frozen attrs classes."""

    __slots__ = ()


Flow = Generator[Request[Any], Any, R]
"""A generator of requests that returns an ``R``."""


@attrs.frozen
class _Failure:
    """What a driver hands to a flow in place of an answer."""

    error: BaseException


def ask(request: Request[T]) -> Generator[Request[Any], Any, T]:
    """Yield one request and return its answer, with the answer's type.

    Use as ``answer = yield from ask(request)``; a flow yields in no other way. What the driver's function raises is raised here.
    """
    answer: T | _Failure = yield request
    if isinstance(answer, _Failure):
        raise answer.error
    return answer


def run(flow: Flow[R], perform: Callable[[Request[Any]], Any]) -> R:
    """Drive a flow to its end with a function that does one request and blocks until it is done."""
    answer = None
    while True:
        try:
            request = flow.send(answer)
        except StopIteration as stop:
            result: R = stop.value
            return result
        try:
            answer = perform(request)
        except BaseException as error:  # noqa: BLE001 - the flow decides what an error means, cancellation included
            answer = _Failure(error)


async def run_async(flow: Flow[R], perform: Callable[[Request[Any]], Awaitable[Any]]) -> R:
    """Drive a flow to its end with a coroutine function that does one request."""
    answer = None
    while True:
        try:
            request = flow.send(answer)
        except StopIteration as stop:
            result: R = stop.value
            return result
        try:
            answer = await perform(request)
        except BaseException as error:  # noqa: BLE001 - the flow decides what an error means, cancellation included
            answer = _Failure(error)
