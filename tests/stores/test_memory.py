"""What is particular to the memory store."""

import threading
from typing import Any

import pytest

from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores import rules
from optoutkit.stores.base import RecordReport
from optoutkit.stores.memory import MemoryStore


def test_a_write_keeps_others_out_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that records what another is just recording waits, and finds it known."""
    told = [OptOut(Address("buyer@example.com"))]
    reports: list[RecordReport] = []
    admit = rules.admit

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if not other.ident:
            other.start()
            other.join(0.1)  # long enough to get done, if it were let in
        return admit(*arguments, **options)

    with MemoryStore() as store:
        other = threading.Thread(target=lambda: reports.append(store.record(told)))
        monkeypatch.setattr(rules, "admit", interrupted)
        reports.append(store.record(told))
        other.join()
    assert reports == [RecordReport(new=1), RecordReport(known=1)]
