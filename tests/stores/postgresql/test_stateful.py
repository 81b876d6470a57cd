"""Long random histories: the PostgreSQL store, blocking and async by turns, behaves as the model that all stores are held against."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from tests.stores.test_stateful import StoresAgainstModel

from optoutkit.stores import OptOutStore
from optoutkit.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from optoutkit.testing.stores import blocking


def test_the_store_behaves_as_the_model(server_uri: str, schema: str, raw: Callable[..., list[Any]]) -> None:
    """Whatever is done in whatever order, it agrees in every answer, and in all it holds."""

    class Machine(StoresAgainstModel):
        """One store, closed and opened again now and then."""

        @initialize()
        def open(self) -> None:
            self.turns: Iterator[Any] = itertools.cycle([PostgresqlStore, AsyncPostgresqlStore])
            self.stores = [self.open_again()]
            for table in ("entry", "withdrawal", "link"):
                raw(f"TRUNCATE @{table}")

        def open_again(self) -> OptOutStore:
            store = blocking(next(self.turns)(server_uri, schema=schema, clock=self.clock))
            store.health()
            return store

        @rule()
        def reopen(self) -> None:
            with self.stores.pop():
                self.stores.append(self.open_again())
            self.model.review_links()  # as each write, and the store writes to say how it is

        def teardown(self) -> None:
            with self.stores.pop():
                super().teardown()

    run_state_machine_as_test(Machine, settings=settings(max_examples=8, stateful_step_count=20, deadline=None))
