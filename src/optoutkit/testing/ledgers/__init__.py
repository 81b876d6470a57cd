"""What makes a ledger, as tests that every backend passes, sync or async.

Give the suite a way to make your ledger, and run pytest::

    import pytest
    from optoutkit.testing.ledgers import LedgerConformance

    class TestMyLedger(LedgerConformance):
        @pytest.fixture
        def make_ledger(self, tmp_path):
            return lambda clock: MyLedger(tmp_path / "requests", clock=clock)

The factory takes a clock, which the ledger must go by, and gives a new :class:`optoutkit.ledgers.Ledger` or
:class:`optoutkit.ledgers.AsyncLedger` with the usual ``keep_days`` of 180. Where the data outlives the ledger, each ledger that one
factory makes is on the same data, and :class:`DurableLedgerConformance` has more to ask.
"""

# ruff: noqa: E402 - pytest must be told which module holds assertions before it is imported

import pytest

pytest.register_assert_rewrite(f"{__name__}.rules")

from optoutkit.testing.ledgers.driving import BlockingAsyncLedger, LedgerFactory, blocking_ledger
from optoutkit.testing.ledgers.rules import DurableLedgerConformance, LedgerConformance

__all__ = ["BlockingAsyncLedger", "DurableLedgerConformance", "LedgerConformance", "LedgerFactory", "blocking_ledger"]
