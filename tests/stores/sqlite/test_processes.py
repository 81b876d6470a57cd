"""Processes that die; what happens to what they had acknowledged: test_torture.py."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from optoutkit.stores.sqlite import SqliteStore

Start = Callable[..., "subprocess.Popen[str]"]


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
