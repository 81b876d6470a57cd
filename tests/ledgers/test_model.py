"""Any sequence of verbs, on every kind of ledger, beside a model of a few lines."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optoutkit.identities import OrderId
from optoutkit.ledgers import Ledger, Reservation, Standing, open_async_ledger, open_ledger
from optoutkit.testing.ledgers import blocking_ledger
from optoutkit.testing.stores import ManualClock

ORDERS = [OrderId(f"302-0000000-000000{number}") for number in range(1, 4)]

orders = st.lists(st.sampled_from(ORDERS), unique=True)
numbers = st.integers(min_value=0, max_value=20)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), orders, st.sampled_from(["", "other"])),
        st.tuples(st.just("confirm"), numbers),
        st.tuples(st.just("release"), numbers),
        st.tuples(st.just("wait"), st.sampled_from([599.0, 600.0, 3 * 86_400.0, 180 * 86_400.0])),
    ),
    max_size=25,
)


class Model:
    """What a ledger is to remember: for each order of a seller whose it is, since when, and whether that was confirmed."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.known: dict[tuple[str, OrderId], list[Any]] = {}

    def standing(self, seller: str, order: OrderId) -> Standing | None:
        """How an order stands."""
        if (seller, order) not in self.known:
            return None
        _, since, confirmed = self.known[seller, order]
        age = self.clock.now - since
        if age >= timedelta(days=180):
            return None
        return Standing.SENT if confirmed or age >= timedelta(minutes=10) else Standing.PENDING

    def reserve(self, number: int, seller: str, order: OrderId) -> Standing | None:
        """Take an order, if it is free; the answer is how it stood."""
        stood = self.standing(seller, order)
        if stood is None:
            self.known[seller, order] = [number, self.clock.now, False]
        return stood

    def settle(self, number: int, *, sent: bool) -> None:
        """Confirm or release what is of one reservation."""
        for place, (owner, _, confirmed) in list(self.known.items()):
            if owner == number and sent:
                self.known[place][2] = True
            elif owner == number and not confirmed:
                del self.known[place]


@pytest.fixture(params=["memory", "async memory", "sqlite", "async sqlite", "postgresql", "async postgresql", "valkey", "valkey_cluster"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Ledger, ManualClock]]:
    """A ledger, and the clock that it goes by."""
    kind = request.param.removeprefix("async ")
    places = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/requests.db"}
    uri = places[kind] if kind in places else request.getfixturevalue(kind)
    opener: Any = open_async_ledger if request.param.startswith("async") else open_ledger
    clock = ManualClock()
    with blocking_ledger(opener(uri, clock=clock)) as ledger:
        yield ledger, clock


examples = itertools.count()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_a_ledger_does_what_the_model_does(opened: tuple[Ledger, ManualClock], steps: list[Any]) -> None:
    """After each verb every order stands as it should."""
    ledger, clock = opened
    model, run = Model(clock), next(examples)  # each example has sellers of its own, so that one ledger serves all
    reservations: list[Reservation] = []
    for step in steps:
        if step[0] == "reserve":
            _, wanted, seller = step
            reservation = ledger.reserve(wanted, seller=f"{seller} {run}")
            stood = {order: model.reserve(len(reservations), seller, order) for order in wanted}
            assert reservation.refused == {order: standing for order, standing in stood.items() if standing}
            assert reservation.granted == tuple(order for order, standing in stood.items() if not standing)
            reservations.append(reservation)
        elif step[0] == "wait":
            clock.advance(seconds=step[1])
        elif step[1] < len(reservations):
            (ledger.confirm if step[0] == "confirm" else ledger.release)(reservations[step[1]])
            model.settle(step[1], sent=step[0] == "confirm")
        for seller in ("", "other"):
            known = {order: model.standing(seller, order) for order in ORDERS}
            assert ledger.lookup(ORDERS, seller=f"{seller} {run}") == {order: standing for order, standing in known.items() if standing}
