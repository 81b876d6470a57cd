"""Long random histories: the Redis store behaves as the model of all stores, in whatever order things happen."""

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from tests.stores.test_stateful import StoresAgainstModel

from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.testing.stores import blocking


@pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")
def test_the_stores_behave_as_the_model(server_uri: str, prefix: str) -> None:
    """Whatever is done in whatever order, the blocking and the asyncio store agree with the model in every answer, each on its own data."""
    examples = itertools.count()

    class Machine(StoresAgainstModel):
        @initialize()
        def open(self) -> None:
            self.uris = [f"{server_uri}?prefix={prefix}{next(examples)}:" for _ in range(2)]
            self.stores: list[Any] = [self.opened(0), self.opened(1)]

        def opened(self, number: int) -> Any:
            return blocking((RedisStore, AsyncRedisStore)[number](self.uris[number], clock=self.clock))

        @rule()
        def reopen(self) -> None:
            for number in range(2):
                self.stores[number].__exit__(None, None, None)
                self.stores[number] = self.opened(number)

        def teardown(self) -> None:
            for store in self.stores:
                store.__exit__(None, None, None)
            self.folder.cleanup()

    run_state_machine_as_test(Machine, settings=settings(max_examples=10, stateful_step_count=20, deadline=None))
