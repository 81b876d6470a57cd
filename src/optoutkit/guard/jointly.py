"""Several flows that ask as one, so that a queue of messages costs one round trip."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from optoutkit.flows import Flow, Request, ask
from optoutkit.ledgers.requests import LookUp
from optoutkit.stores.requests import Lookup

__all__ = ["jointly", "one_look_into_the_ledger", "one_lookup"]

R = TypeVar("R")
Q = TypeVar("Q", bound=Request[Any])


def jointly(flows: Iterable[Flow[R]], join: Callable[[Sequence[Q]], Q]) -> Flow[tuple[R, ...]]:
    """Run flows side by side; what all of them want next is asked at once.

    Args:
        flows: The flows. Each is handed the joint answer, or the error that came in its place, and takes its own part of it.
        join: Makes one request of those that the flows wait for, which are all of one kind.
    """
    waiting = dict(enumerate(flows))
    results: dict[int, R] = {}
    answer: Any = None  # which begins a flow
    error: Exception | None = None
    trace: TracebackType | None = None
    while True:
        requests: list[Any] = []
        for number, flow in tuple(waiting.items()):
            try:
                # The trace as it was: else every flow that the error goes through would be kept in it.
                requests.append(flow.send(answer) if error is None else flow.throw(error.with_traceback(trace)))
            except StopIteration as stop:
                results[number] = stop.value
                del waiting[number]
        if not waiting:
            return tuple(results[number] for number in sorted(results))
        try:
            answer, error = (yield from ask(join(requests))), None
        except Exception as caught:  # noqa: BLE001 - each flow decides what it means
            error, trace = caught, caught.__traceback__


def one_lookup(requests: Sequence[Lookup]) -> Lookup:
    """One question to the store in place of several about one seller's buyers."""
    asked = dict.fromkeys(identity for request in requests for identity in request.identities)
    return Lookup(tuple(asked), seller=requests[0].seller, at=requests[0].at)


def one_look_into_the_ledger(requests: Sequence[LookUp]) -> LookUp:
    """The same for the ledger."""
    asked = dict.fromkeys(order_id for request in requests for order_id in request.order_ids)
    return LookUp(tuple(asked), requests[0].seller)
