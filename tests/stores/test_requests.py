"""Requests of flows to stores."""

import asyncio
from typing import Any

from optoutkit.flows import Flow, Request, ask, run, run_async
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.base import LinkReport, RecordReport
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.requests import Link, Lookup, Record

ALIAS, OTHER = Address("abc@marketplace.amazon.de"), Address("xyz@marketplace.amazon.de")
ORDER = OrderId("302-1234567-1234567")


def learn_and_ask() -> Flow[list[object]]:
    """Ask a store for a bit of everything."""
    return [
        (yield from ask(Record((OptOut(ORDER, "a"),)))),
        (yield from ask(Link(((ORDER, OTHER),), seller="a"))),
        (yield from ask(Link(((ORDER, ALIAS),), seller="a", replace=True))),
        dict((yield from ask(Lookup((ALIAS, OTHER), seller="a", at=None)))),
    ]


def test_one_flow_serves_sync_and_async_stores() -> None:
    """The same requests get the same answers from both, with every argument handed on."""

    async def with_async_store() -> list[object]:
        async with AsyncMemoryStore() as store:

            async def perform(request: Request[Any]) -> Any:
                return await request.call(store)  # type: ignore[attr-defined]

            return await run_async(learn_and_ask(), perform)

    expected = [RecordReport(new=1), LinkReport(new=1), LinkReport(new=1), {ALIAS: OptOut(ORDER, "a")}]
    with MemoryStore() as store:
        assert run(learn_and_ask(), lambda request: request.call(store)) == expected  # type: ignore[attr-defined]
    assert asyncio.run(with_async_store()) == expected


def test_requests_are_values() -> None:
    """They compare by what they ask, so that the trace of a flow can be compared."""
    assert Lookup((ALIAS,)) == Lookup((ALIAS,))
    assert Lookup((ALIAS,)) != Lookup((ALIAS,), seller="a")
    assert Record((OptOut(ALIAS),)) == Record((OptOut(ALIAS),))
    assert Link(((ORDER, ALIAS),)) != Link(((ORDER, OTHER),))
