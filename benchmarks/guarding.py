"""What the guard itself costs: everything but the classifier."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.samples import MESSAGE_TEXT, SELLER_MAIL, address
from benchmarks.tables import SELECT, bare_table
from benchmarks.timing import Result, Task, compare
from optoutkit import Classification, Guard, Message, OptOut, OptOutStore, OrderId, Topic, open_store

__all__ = ["measure"]

_ENTRIES = 10_000
_ORDER = OrderId("302-1234567-7654321")
_MESSAGE = Message("Your order", MESSAGE_TEXT, to=str(address(1)), order_ids=_ORDER)
_ASKED = (address(1), _ORDER)
_NOT_CRITICAL = Classification(critical=False, solicits=True, topic=Topic.REVIEW_REQUEST, confidence=1.0, language="en")


_SERVER = """
import asyncio
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="localhost"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, input)

asyncio.run(main())
"""
"""An SMTP server that throws away what it gets, until it reads a line."""


def measure() -> Iterator[Result]:
    """Beside the one lookup that it makes, beside prepared statements on a bare table with the same keys, and beside the send itself."""
    with TemporaryDirectory() as folder, open_store("memory://") as memory, open_store(f"sqlite:///{folder}/optouts.db") as sqlite:
        lookup = "store.lookup of the same 2 identities"
        in_memory, in_sqlite = (f"guard.check without the classifier, store in {where}" for where in ("memory", "SQLite"))
        yield compare(in_memory, _check(memory), lookup, partial(memory.lookup, _ASKED))
        yield compare(in_sqlite, _check(sqlite), lookup, partial(sqlite.lookup, _ASKED))
        with closing(bare_table(Path(folder, "bare.db"), (address(number).key for number in range(_ENTRIES)))) as bare:
            keys = [identity.key for identity in _ASKED]
            yield compare(
                in_sqlite,
                _check(sqlite),
                "2 prepared SELECTs by primary key",
                lambda: [bare.execute(SELECT, (key,)).fetchone() for key in keys],
            )
        with _smtp_server() as port, smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as smtp:
            send = partial(smtp.sendmail, "shop@example.com", [_MESSAGE.to[0]], SELLER_MAIL)
            yield compare(in_sqlite, _check(sqlite), "SMTP.sendmail of one mail to aiosmtpd, over an open connection to loopback", send)


@contextmanager
def _smtp_server() -> Iterator[int]:
    """Start the server in a process of its own, and tell its port."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdin is None or server.stdout is None:
            raise AssertionError
        yield int(server.stdout.readline())
        server.communicate("\n")


def _check(store: OptOutStore) -> Task:
    store.record(OptOut(address(number)) for number in range(_ENTRIES))
    guard = Guard(store, classify=lambda _message: _NOT_CRITICAL)
    return partial(guard.check, _MESSAGE)
