"""Senders that send nothing and remember everything, for the tests of those who use the guard.

The conformance suite for authors of adapters is in :mod:`optoutkit.testing.senders.conformance`; only that needs pytest.
"""

from optoutkit.testing.senders.recording import AsyncRecordingSender, RecordingSender, RecordingSMTP, Sent

__all__ = ["AsyncRecordingSender", "RecordingSMTP", "RecordingSender", "Sent"]
