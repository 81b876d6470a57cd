"""Many processes on one file, and processes that die."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optoutkit.identities import Address
from optoutkit.stores.sqlite import SqliteStore

Start = Callable[..., "subprocess.Popen[str]"]

# Each of its threads records batches that overlap with those of the other processes, looks some up, links, and scans. It starts
# when it is told to, so that all of them make the file at once.
HAMMER = """
import sys, threading
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
print("ready", flush=True)
sys.stdin.readline()
new = []
with SqliteStore(sys.argv[1]) as store:
    def work(thread):
        for batch in range(15):
            buyers = [Address(f"buyer{number}@example.com") for number in range(batch * 10, batch * 10 + 20)]
            new.append(store.record([OptOut(buyer) for buyer in buyers]).new)
            assert store.lookup(buyers).keys() == set(buyers)
            store.link([(OrderId(f"302-{thread:07}-{batch:07}"), buyers[0])], seller=sys.argv[2])
        assert len(list(store.scan())) == 160
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert len(new) == 60
print(sum(new))
"""


def test_many_processes_and_threads_share_a_file(path: Path, start: Start, raw: Callable[..., list[Any]]) -> None:
    """Nobody meets a lock, nothing is lost or counted twice, though all of them make the file at the same time."""
    processes = [start(HAMMER, path, f"seller {number}") for number in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in results] == [""] * len(processes)
    assert sum(int(output) for output, _ in results) == 160
    assert raw("SELECT count(*) FROM entry") == [(160,)]
    assert raw("SELECT count(*) FROM link") == [(4 * 4 * 15,)]
    assert raw("PRAGMA integrity_check") == [("ok",)]


RECORD_UNTIL_KILLED = """
import sys
from itertools import count
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
for number in count():
    store.record([OptOut(Address(f"buyer-{sys.argv[2]}-{number}-{copy}@example.com")) for copy in range(3)])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(path: Path, start: Start, raw: Callable[..., list[Any]]) -> None:
    """A process killed while it records loses nothing that was acknowledged, and no batch is there in part."""
    acknowledged = {}
    for attempt in range(5):
        process = start(RECORD_UNTIL_KILLED, path, attempt)
        assert process.stdout is not None
        for _ in range(5 + attempt * 7):
            process.stdout.readline()
        process.kill()
        output, errors = process.communicate(timeout=60)
        assert errors == ""
        acknowledged[attempt] = 5 + attempt * 7 + len([line for line in output.splitlines(keepends=True) if line.endswith("\n")])
    assert raw("PRAGMA integrity_check") == [("ok",)]
    with SqliteStore(path) as store:
        there = {str(entry.identity) for entry in store.scan()}
        for attempt, count in acknowledged.items():
            expected = [Address(f"buyer-{attempt}-{number}-{copy}@example.com") for number in range(count) for copy in range(3)]
            assert store.lookup(expected).keys() == set(expected)
    assert len(there) % 3 == 0


def test_a_process_that_dies_in_a_transaction_holds_nobody_up(path: Path, start: Start) -> None:
    """Its lock goes with it, and what it had not committed is not there."""
    script = (
        "import sys; from optoutkit.stores.sqlite.connections import Connections\n"
        "def work(connection):\n"
        "    connection.execute(\"INSERT INTO seller (name) VALUES ('half done')\")\n"
        "    print('inside', flush=True)\n"
        "    sys.stdin.readline()\n"
        "Connections(sys.argv[1], timeout=1).write(work)\n"
    )
    process = start(script, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    process.kill()
    process.communicate(timeout=60)
    with SqliteStore(path, timeout=5) as store:
        store.health()
        assert store._connections.read(lambda connection: connection.execute("SELECT count(*) FROM seller").fetchone()) == (2,)
