"""The audit file: every event one line, whole, and without a name."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreUnavailable
from optoutkit.guard import AuditFile, Guard, LedgerFailed, LinkContradicted, LinkFailed
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut

BUYER, SUPPLIER = Address("abc123@marketplace.amazon.de"), Address("sales@supplier.example")
ORDER = OrderId("302-1234567-1234567")
SECRET = b"a secret of our own, kept safely"
FAILED = LedgerFailed(seller="shop@example.com", order_ids=(ORDER,), sent=True, error=StoreUnavailable(f"no {BUYER}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "audit.jsonl"


def records(path: Path) -> list[dict[str, Any]]:
    """What is in the file."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_decision_is_one_line(path: Path, store: Any, saying: Any) -> None:
    """With all of the verdict, when it was taken, and whether the message was on its way."""
    audit = AuditFile(path, secret=SECRET)
    store.record([OptOut(BUYER, source=f"told by {BUYER}")])
    guard = Guard(store, seller="shop@example.com", classify=saying("thank_you"), hook=audit)
    message = Message("Our secret subject", "Our secret body", to=[str(BUYER), f"Sales <{SUPPLIER}>", "odd"], order_ids=ORDER)
    before = datetime.now(UTC)
    guard.check(message)
    guard.deliver(message, lambda _verdict: None)
    asked, sent = records(path)
    assert (asked.pop("sending"), sent.pop("sending")) == (False, True)
    assert before <= datetime.fromisoformat(asked.pop("at")) <= datetime.fromisoformat(sent.pop("at")) <= datetime.now(UTC)
    assert asked == sent
    assert (asked["event"], asked["seller"], asked["orders"]) == ("decided", audit.digest("shop@example.com"), [audit.digest(ORDER)])
    assert [(one["recipient"], one["action"], one["reason"]) for one in asked["decisions"]] == [
        (audit.digest(BUYER), "send", "not_opted_out"),  # another seller's list
        (audit.digest(SUPPLIER), "send", "not_opted_out"),
        (None, "send", "unreadable_address"),
    ]
    assert (asked["guidelines"], asked["violations"], asked["outage"]) == ("off", [], None)


def test_every_event_has_its_line_and_none_names_anybody(path: Path, down: Any, saying: Any) -> None:
    """No address, order, seller, text or error text stands in the file."""
    audit = AuditFile(path, secret=SECRET)
    down.down = StoreUnavailable(f"cannot ask for {BUYER}")
    Guard(down, classify=saying("thank_you"), hook=audit).check(Message("secret", "secret", to=str(BUYER), order_ids=ORDER))
    details: dict[str, Any] = {"seller": "shop@example.com", "order_id": ORDER, "address": BUYER}
    audit(LinkFailed(**details, error=StoreUnavailable(f"no {BUYER}")))
    audit(LinkContradicted(**details))
    audit(FAILED)
    decided, failed, contradicted, ledger = records(path)
    assert decided["outage"] == "StoreUnavailable"
    named = {"seller": audit.digest("shop@example.com"), "order": audit.digest(ORDER), "address": audit.digest(BUYER)}
    assert failed == {"at": failed["at"], "event": "link_failed", **named, "error": "StoreUnavailable"}
    assert contradicted == {"at": contradicted["at"], "event": "link_contradicted", **named}
    assert ledger == {
        "at": ledger["at"],
        "event": "ledger_failed",
        "seller": named["seller"],
        "orders": [named["order"]],
        "sent": True,
        "error": "StoreUnavailable",
    }
    text = path.read_text(encoding="ascii")
    assert not [secret for secret in ("abc123", "@", "302-", "secret", "shop") if secret in text]


def test_only_its_owner_may_read_it(path: Path) -> None:
    """And it is there before the first message; a file that was there keeps its mode and its lines."""
    AuditFile(path, secret=SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{}\n")
    path.chmod(0o640)
    AuditFile(path, secret=SECRET)(FAILED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [record.get("event") for record in records(path)] == [None, "ledger_failed"]


def test_wrong_arguments_are_refused_at_once(tmp_path: Path) -> None:
    """A secret that is too short, and a place where no file can be."""
    with pytest.raises(ValueError, match="secret"):
        AuditFile(tmp_path / "audit", secret=b"short")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError):
        AuditFile(tmp_path / "missing" / "audit", secret=SECRET)


def test_a_seller_has_a_digest_of_its_own_kind() -> None:
    """It is none of an address, whatever the seller is called; and half a character is no obstacle."""
    audit = AuditFile(os.devnull, secret=SECRET)
    assert len({audit.digest(BUYER), audit.digest(str(BUYER)), audit.digest(BUYER.key), audit.digest("\ud800"), audit.digest("")}) == 5


WRITER = """
import sys, threading
from optoutkit.guard import AuditFile, LedgerFailed
from optoutkit.identities import OrderId

def write(thread):
    audit = AuditFile(sys.argv[1], secret=b"a secret of our own, kept safely")
    orders = tuple(OrderId(f"{sys.argv[2]}-000000{thread}-{number:07}") for number in range(200))
    start.wait()
    for _ in range(20):
        audit(LedgerFailed(seller="", order_ids=orders, sent=True, error=KeyError()))

start = threading.Barrier(3)
threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
print("ready", flush=True)
input()
start.wait()
"""


def test_many_threads_and_processes_write_whole_lines(path: Path) -> None:
    """All of them at once into one file, lines longer than a page: every line is there, and each is whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for store in ("302", "303", "304")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    written = [tuple(json.loads(line)["orders"]) for line in path.read_text(encoding="ascii").splitlines() if line]
    digest = AuditFile(path, secret=SECRET).digest
    assert sorted(written) == sorted(
        tuple(digest(OrderId(f"{store}-000000{thread}-{number:07}")) for number in range(200))
        for store in ("302", "303", "304")
        for thread in range(2)
        for _ in range(20)
    )


def test_a_child_of_a_fork_writes_too(path: Path) -> None:
    """Even while a thread of its parent was writing."""
    code = (
        "import os, sys, threading\n"
        "from optoutkit.guard import AuditFile, LinkContradicted\n"
        "from optoutkit.identities import Address, OrderId\n"
        "audit = AuditFile(sys.argv[1], secret=bytes(16))\n"
        "event = LinkContradicted(seller='', order_id=OrderId('302-1234567-1234567'), address=Address('a@example.com'))\n"
        "thread = threading.Thread(target=lambda: [audit(event) for _ in range(200)])\n"
        "thread.start()\n"
        "child = os.fork()\n"
        "audit(event)\n"
        "if not child:\n"
        "    os._exit(0)\n"
        "thread.join()\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(path)], check=True, timeout=60)
    written = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines() if line]  # see AuditFile: lines may be empty
    assert len(written) == 202


def test_a_file_that_was_moved_away_is_begun_anew(path: Path) -> None:
    """As ``logrotate`` does it."""
    audit = AuditFile(path, secret=SECRET)
    audit(FAILED)
    path.rename(path.with_suffix(".1"))
    audit(FAILED)
    assert [len(records(one)) for one in (path, path.with_suffix(".1"))] == [1, 1]


def test_after_a_line_cut_short_the_next_one_is_whole(path: Path, store: Any, saying: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk, here by a limit of the system: the send is not stopped, the log tells, and later lines can be read."""
    audit = AuditFile(path, secret=SECRET)
    audit(FAILED)
    limits, on_excess = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    guard = Guard(store, classify=saying("thank_you"), hook=audit)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, limits[1]))
    try:
        answers = [guard.deliver(Message("s", "b", to=str(SUPPLIER)), lambda _verdict: "sent").answer for _ in range(2)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, on_excess)
    assert answers == ["sent", "sent"]
    assert [record.getMessage() for record in caplog.records] == ["the guard's hook failed: OSError"] * 2
    audit(FAILED)
    first, cut, last = path.read_text(encoding="ascii").splitlines()
    assert json.loads(first)["event"] == json.loads(last)["event"] == "ledger_failed"
    with pytest.raises(ValueError):
        json.loads(cut)


def test_each_line_is_on_the_disk_if_that_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``fsync`` is called of the very file, after the line."""
    synced: list[tuple[int, int]] = []
    real = os.fsync

    def watched(file: int) -> None:
        real(file)
        synced.append((os.fstat(file).st_ino, os.fstat(file).st_size))

    monkeypatch.setattr(os, "fsync", watched)
    AuditFile(path, secret=SECRET)(FAILED)
    assert synced == []
    AuditFile(path, secret=SECRET, fsync=True)(FAILED)
    assert synced == [(path.stat().st_ino, path.stat().st_size)]


def test_it_is_a_hook_for_many_threads_of_one_guard(path: Path, store: Any, saying: Any) -> None:
    """A line for each message, told apart by the order."""
    guard = Guard(store, classify=saying("thank_you"), hook=AuditFile(path, secret=SECRET))
    barrier = threading.Barrier(8, timeout=60)

    def work(number: int) -> None:
        barrier.wait()
        guard.check(Message("s", "b", order_ids=f"302-0000000-{number:07}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert {record["event"] for record in records(path)} == {"decided"}
    assert len({tuple(record["orders"]) for record in records(path)}) == 8
