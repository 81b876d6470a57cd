"""What is particular to the memory store."""

import sys
from collections.abc import Iterator

import pytest

from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.memory import MemoryStore
from optoutkit.testing.stores import all_at_once


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-9)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_each_entry_is_new_to_one_thread_only() -> None:
    """Threads that record the same entries at the same time never both take one for new."""
    told = [OptOut(Address(f"buyer{number}@example.com")) for number in range(500)]
    with MemoryStore() as store:
        reports = all_at_once(store, [lambda store: store.record(told)] * 16)
        assert sum(report.new for report in reports) == len(told)
        assert sum(report.known for report in reports) == 15 * len(told)
