"""Nothing that was acknowledged is lost: masters of a cluster killed while they are written to.

This is the short form. ``nox -s torture`` sets OPTOUTKIT_TORTURE, which makes it long, and prints what was counted.
"""

import os
import sys
import threading
from functools import partial
from typing import Any

import pytest
from benchmarks.valkey import ValkeyCluster, ValkeyServer, until

from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.redis import RedisStore

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")

LONG = "OPTOUTKIT_TORTURE" in os.environ
ROUNDS = 20 if LONG else 2
"""How often a master is killed."""


class Writers:
    """Threads that record buyer after buyer, and say which were acknowledged; what fails is told again until it is."""

    def __init__(self, store: Any, number: int) -> None:
        self.acknowledged: list[Address] = []
        self.failures: list[BaseException] = []
        self.unexpected: list[BaseException] = []
        self._store = store
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=[name]) for name in range(number)]
        for thread in self._threads:
            thread.start()

    def go_on(self, *, acknowledged: int = 0, failures: int = 0) -> None:
        """Come back when so many more were acknowledged, or met a failure."""
        goals = len(self.acknowledged) + acknowledged, len(self.failures) + failures
        until(lambda: (len(self.acknowledged) >= goals[0] and len(self.failures) >= goals[1]) or bool(self.unexpected))

    def stop(self) -> None:
        """Let each finish what it is about."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, name: int) -> None:
        number = 0
        while not self._stop.is_set():
            buyers = [Address(f"buyer-{name}-{number}-{copy}@example.com") for copy in range(5)]
            try:
                self._store.record(OptOut(buyer) for buyer in buyers)
            except StoreUnavailable as error:
                self.failures.append(error)
                self._stop.wait(0.01)
            except BaseException as error:  # noqa: BLE001 - told in the main thread
                self.unexpected.append(error)
                return
            else:
                self.acknowledged += buyers
                number += 1


def is_master(node: ValkeyServer) -> bool:
    """Whether the cluster has made it one."""
    return bool(node.client.info("replication")["role"] == "master")


def test_masters_killed_in_mid_traffic_cost_no_acknowledged_opt_out(own_cluster: ValkeyCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """With wait=1, writers meet nothing but StoreUnavailable, go on when a replica is there again, and find all that was acknowledged."""
    with RedisStore(f"{own_cluster.uri}?wait=1&timeout=2") as store, RedisStore(own_cluster.uri) as reader:
        writers = Writers(store, 4)
        try:
            for round_number in range(ROUNDS):
                killed, heir = (own_cluster.nodes[number] for number in ((0, 3), (3, 0))[round_number % 2])
                writers.go_on(acknowledged=200)
                killed.stop()
                writers.go_on(failures=1)
                until(partial(is_master, heir))
                killed.start()  # it comes back, empty, as a replica
                own_cluster.settle()
        finally:
            writers.stop()
        assert writers.unexpected == []
        assert reader.lookup(writers.acknowledged).keys() == set(writers.acknowledged)
        assert {entry.identity for entry in reader.scan()} >= set(writers.acknowledged)
        reader.health()
    if LONG:
        with capsys.disabled():
            counted = f"{len(writers.acknowledged)} acknowledged, {len(writers.failures)} calls refused, none lost"
            sys.stdout.write(f"\n    {ROUNDS} failovers under load: {counted}")
