"""A hook that keeps an append-only record of all that a guard decided: a file of JSON Lines, in which nobody stands in clear."""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optoutkit.guard.hooks import Decided, GuardEvent, LedgerFailed, LinkContradicted
from optoutkit.identities import Address, OrderId

__all__ = ["AuditFile"]

# O_BINARY: else Windows would write another end of line.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class AuditFile:
    """A hook that appends each event to a file, one JSON object a line.

    Every line has ``at`` (ISO 8601, UTC), ``event`` and ``seller``. Of a ``decided`` message there are ``sending``, ``orders`` and
    the fields of :meth:`optoutkit.Verdict.to_dict`; of ``link_contradicted`` and ``link_failed`` ``order`` and ``address``; of
    ``ledger_failed`` ``orders`` and ``sent``; of what failed ``error``, the kind of error.

    Recipients, orders and sellers are keyed digests, which :meth:`digest` makes as well: so whoever has the secret can find a buyer.
    The message's text is not in the file.

    Any number of threads and processes may write to one file: each line is one write to its end. The file is opened for each line,
    so it may be moved away at any time (``logrotate`` needs no signal); on network file systems, where ends may overlap, give each
    host its own. After a full disk has cut a line short, the next one begins on a new line: readers should pass over a line that is
    empty or no JSON.

    Args:
        path: The file. It is made if it is not there, readable by its owner only.
        secret: Key of the digests, 16 to 64 bytes. Keep it: under another one nobody is found again.
        fsync: Whether each line is to be on the disk before the message goes on its way. That is slow.

    Raises:
        ValueError: The secret is too short or too long.
        OSError: The file cannot be opened for writing. Later on, such an error is logged, as that of any hook.

    Example:
        >>> audit = AuditFile("audit.jsonl", secret=b"a secret of our own, kept safely")
        >>> audit.digest(Address("abc123@marketplace.amazon.de"))
        '16d843357706ccfc06db303914280e52'
    """

    def __init__(self, path: str | os.PathLike[str], *, secret: bytes, fsync: bool = False) -> None:
        self._path = Path(path)
        self._secret = secret
        self._fsync = fsync
        self.digest(OrderId("000-0000000-0000000"))  # tells a wrong secret now, not at the first message
        os.close(self._open())

    def __call__(self, event: GuardEvent) -> None:
        """Append one event."""
        line = {"at": datetime.now(UTC).isoformat(), **self._told(event)}
        self._append(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def digest(self, subject: Address | OrderId | str) -> str:
        """What an address, an order, or a seller (a str) is called in the file."""
        if not isinstance(subject, str):
            return subject.digest(self._secret).hex()
        seller = f"seller:{subject}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(seller, digest_size=16, key=self._secret, person=b"optoutkit").hexdigest()

    def _told(self, event: GuardEvent) -> dict[str, Any]:
        seller = {"seller": self.digest(event.seller)}
        if isinstance(event, Decided):
            orders = list(map(self.digest, event.message.order_ids))
            return {"event": "decided", **seller, "sending": event.sending, "orders": orders, **event.verdict.to_dict(secret=self._secret)}
        if isinstance(event, LedgerFailed):
            told = {"event": "ledger_failed", **seller, "orders": list(map(self.digest, event.order_ids)), "sent": event.sent}
            return told | {"error": type(event.error).__name__}
        told = {**seller, "order": self.digest(event.order_id), "address": self.digest(event.address)}
        if isinstance(event, LinkContradicted):
            return {"event": "link_contradicted", **told}
        return {"event": "link_failed", **told, "error": type(event.error).__name__}

    def _open(self) -> int:
        return os.open(self._path, _FLAGS, 0o600)

    def _append(self, line: bytes) -> None:
        file = self._open()
        try:
            size = os.lseek(file, 0, os.SEEK_END)
            if size:
                os.lseek(file, size - 1, os.SEEK_SET)
                if os.read(file, 1) != b"\n":  # others write whole lines only, so this is what is left of one that did not fit
                    line = b"\n" + line
            written = os.write(file, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes of a line could be written")
            if self._fsync:
                os.fsync(file)
        finally:
            os.close(file)
