"""Requests in this process's memory: for tests, and for programs of one process that may forget."""

import threading
from collections.abc import Mapping, Sequence

from optoutkit.errors import InvalidUri, StoreClosed
from optoutkit.ledgers.book import Claim, Row
from optoutkit.ledgers.fronts import OnThreads
from optoutkit.stores.uris import StoreUri

__all__ = ["MemoryBackend", "open_async_backend", "open_backend"]


class MemoryBackend:
    """A :class:`~optoutkit.ledgers.book.Backend` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[bytes, tuple[Claim, bool]] = {}  # with whether it is confirmed; as all are kept for as long, the oldest first
        self._closed = False

    def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        self.read((), 0)

    def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        with self._lock:
            self._check_open()
            there = {key: self._claims[key] for key in keys if key in self._claims}
        return {key: (claim.now, confirmed) for key, (claim, confirmed) in there.items() if claim.ends > now}

    def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        with self._lock:
            self._check_open()
            self._forget(claim.now)
            held = {key: self._claims[key] for key in keys if key in self._claims and self._claims[key][0].ends > claim.now}
            for key in keys:
                if key not in held:
                    self._claims.pop(key, None)
                    self._claims[key] = (claim, False)
        return {key: (other.now, confirmed) for key, (other, confirmed) in held.items()}

    def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        with self._lock:
            for key in self._own(keys, token):
                self._claims[key] = (self._claims[key][0], True)

    def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        with self._lock:
            for key in self._own(keys, token):
                if not self._claims[key][1]:
                    del self._claims[key]

    def close(self) -> None:
        """See :meth:`Backend.close`."""
        with self._lock:
            self._closed = True
            self._claims.clear()

    def _own(self, keys: Sequence[bytes], token: bytes) -> list[bytes]:
        self._check_open()
        return [key for key in keys if key in self._claims and self._claims[key][0].token == token]

    def _forget(self, now: int) -> None:
        while self._claims and self._claims[oldest := next(iter(self._claims))][0].ends <= now:
            del self._claims[oldest]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the ledger is closed")


def open_backend(uri: str) -> MemoryBackend:
    """Open one; each is a new one."""
    parsed = StoreUri.parse(uri)
    if parsed.host or parsed.path:
        raise InvalidUri("a ledger in memory has no name: write memory://")
    return MemoryBackend()


def open_async_backend(uri: str) -> OnThreads:
    """The same for asyncio."""
    backend = open_backend(uri)
    return OnThreads(lambda: backend)
