"""Stores moved as a whole between engines, by the command, against real servers."""

import itertools
import json
import os
from pathlib import Path

import pytest

from optoutkit.cli.program import PROGRAM
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import TellsLinks, TellsSellers, open_store
from optoutkit.stores.base import OptOutStore

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

_names = itertools.count(1)


@pytest.fixture(params=["postgresql_uri", "valkey_uri", "valkey_cluster_uri"])
def uri(request: pytest.FixtureRequest) -> str:
    """A store of its own on a server."""
    server = request.getfixturevalue(request.param)
    name = f"moving_{os.getpid()}_{next(_names)}"
    return f"{server}?schema={name}" if server.startswith("postgresql") else f"{server}?prefix={name}:"


def contents(store: OptOutStore) -> dict[str, object]:
    """All that a store tells of its lists."""
    assert isinstance(store, TellsLinks)
    assert isinstance(store, TellsSellers)
    return {seller: (list(store.scan(seller=seller)), set(store.scan_links(seller=seller))) for seller in store.sellers()}


def test_there_and_back_all_is_the_same(uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From SQLite to the server, and into another file: entries of all lists, links too, and who is found through them."""
    first, last = f"sqlite:///{tmp_path}/first.db", f"sqlite:///{tmp_path}/last.db"
    orders = [OrderId(f"302-{number:07}-1234567") for number in range(1200)]
    buyers = [Address(f"buyer{number}@marketplace.amazon.de") for number in range(600)]
    with open_store(first) as store:
        store.record(OptOut(order, "shop", reason=Reason.COMPLAINT, source="notice", verified=True) for order in orders[::3])
        store.record([OptOut(buyers[0]), OptOut(buyers[1], SHARED)])
        store.link(zip(orders, buyers * 2, strict=True), seller="shop")
        store.link([(orders[0], buyers[5])], seller="only links")
        before, found = contents(store), store.lookup([*orders, *buyers], seller="shop")
    for source, target in ((first, uri), (uri, last)):
        arguments = ["migrate", source, target, "--state", str(tmp_path / "state.json"), "--format", "json"]
        assert PROGRAM.main(arguments, standalone_mode=False) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["links"], report["lost"]) == (1201, 0)
    for moved in (uri, last):
        with open_store(moved) as store:
            assert contents(store) == before
            assert store.lookup([*orders, *buyers], seller="shop") == found
