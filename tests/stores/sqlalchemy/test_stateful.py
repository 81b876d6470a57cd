"""Long random histories: the store for any database behaves as the model that all stores are held against."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from tests.stores.test_stateful import StoresAgainstModel

from optoutkit.stores import OptOutStore
from optoutkit.stores.sqlalchemy import SqlAlchemyStore


def test_the_store_behaves_as_the_model(used_mysql_url: str, raw: Callable[..., list[Any]]) -> None:
    """Whatever is done in whatever order, it agrees in every answer, and in all it holds."""

    class Machine(StoresAgainstModel):
        """One store, closed and opened again now and then."""

        @initialize()
        def open(self) -> None:
            self.stores = [self.open_again()]
            for table in ("entry", "withdrawal", "link"):
                raw(used_mysql_url, f"DELETE FROM optoutkit_{table}")

        def open_again(self) -> OptOutStore:
            return SqlAlchemyStore(used_mysql_url, clock=self.clock)

        @rule()
        def reopen(self) -> None:
            self.stores.pop().close()
            self.stores.append(self.open_again())

    run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=20, deadline=None))
