"""Nothing that was acknowledged is lost: processes killed while they record, and a server that restarts in the middle of everything.

These are the short forms. ``nox -s torture`` sets OPTOUTKIT_TORTURE, which makes them long, and prints what was counted.
"""

import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from benchmarks.servers import PostgresqlServer

from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores import OptOutStore, open_store

Start = Callable[..., Any]

LONG = "OPTOUTKIT_TORTURE" in os.environ
ROUNDS = 100 if LONG else 6
"""How often a process is killed, and a server restarted."""


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure, in the long form."""

    def show(text: str) -> None:
        if LONG:
            with capsys.disabled():
                sys.stdout.write(f"\n    {text}")

    return show


RECORD_UNTIL_KILLED = """
import sys
from itertools import count
from optoutkit import Address, OptOut, open_store
store = open_store(sys.argv[1])
for number in count():
    store.record([OptOut(Address(f"buyer-{sys.argv[2]}-{number}-{copy}@example.com")) for copy in range(3)])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(uri: str, start: Start, tell: Callable[[str], None]) -> None:
    """A process killed while it records loses nothing that was acknowledged, no batch is there in part, and nobody is held up."""
    acknowledged = {}
    moments = random.Random(20261126)
    for attempt in range(ROUNDS):
        process = start(RECORD_UNTIL_KILLED, uri, attempt)
        read = moments.randint(1, 40)
        for _ in range(read):
            process.stdout.readline()
        process.kill()
        output, errors = process.communicate(timeout=60)
        assert errors == ""
        acknowledged[attempt] = read + len([line for line in output.splitlines(keepends=True) if line.endswith("\n")])
    with open_store(f"{uri}&timeout=5") as store:
        there = {str(entry.identity) for entry in store.scan()}
        for attempt, batches in acknowledged.items():
            expected = {f"buyer-{attempt}-{number}-{copy}@example.com" for number in range(batches) for copy in range(3)}
            assert expected <= there
        assert len(there) % 3 == 0
        store.record(map(OptOut, map(Address, there)))
    tell(f"{ROUNDS} processes killed: {3 * sum(acknowledged.values())} opt-outs acknowledged, {len(there)} there, none lost")


class Traffic:
    """Threads that record, each one batch after another; what fails is tried again until it is acknowledged."""

    def __init__(self, store: OptOutStore, threads: int) -> None:
        self.store = store
        self.outcomes: Counter[str] = Counter()
        self.acknowledged: list[str] = []
        self.recorded = threading.Semaphore(0)
        self.done = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=[number]) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let the threads finish."""
        self.done.set()
        for thread in self._threads:
            thread.join()

    def _work(self, thread: int) -> None:
        for number in count():
            batch = [f"buyer-{thread}-{number}-{copy}@example.com" for copy in range(3)]
            while not self._record(batch):
                if self.done.is_set():
                    return

    def _record(self, batch: list[str]) -> bool:
        try:
            report = self.store.record(OptOut(Address(address)) for address in batch)
        except Exception as error:  # noqa: BLE001 - each of them is counted
            self.outcomes[type(error).__name__] += 1
            return False
        self.outcomes["acknowledged"] += 1
        self.outcomes["there already after an error"] += report.known > 0
        self.acknowledged += batch
        self.recorded.release()
        return not self.done.is_set()


def test_restarts_under_load_lose_nothing(own_server: PostgresqlServer, tell: Callable[[str], None]) -> None:
    """While the server restarts again and again, in peace or by a crash, each error is StoreUnavailable, and trying again loses nothing."""
    with open_store(f"{own_server.uri}?timeout=10&pool_size=4") as store:
        traffic = Traffic(store, threads=4)
        for number in range(ROUNDS):
            for _ in range(20):
                assert traffic.recorded.acquire(timeout=60)  # so that there is traffic between two restarts
            own_server.stop(signal.SIGQUIT if number % 2 else signal.SIGINT)
            own_server.start()
        traffic.end()
        there = {str(entry.identity) for entry in store.scan()}
    tell(f"{ROUNDS} restarts, every second one a crash: batches {dict(traffic.outcomes)}; {len(there)} opt-outs there")
    assert traffic.outcomes.keys() == {"acknowledged", "StoreUnavailable", "there already after an error"}
    assert set(traffic.acknowledged) <= there
