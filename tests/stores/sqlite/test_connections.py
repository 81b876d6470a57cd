"""Opening the file, waiting for locks, and what becomes of the driver's errors."""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreClosed, StoreCorrupt, StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore, connections
from optoutkit.stores.sqlite.connections import Connections

BUYER = Address("buyer@example.com")
MANY = [OptOut(Address(f"buyer{number}@example.com")) for number in range(5000)]

AS_ANOTHER_USER = """
import os, sys
from optoutkit.errors import StoreError
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
if os.getuid() == 0:  # who may do anything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with SqliteStore(sys.argv[1]) as store:
        store.lookup([Address("buyer@example.com")])
        store.record([OptOut(Address("new@example.com"))])
except StoreError as error:
    print(type(error).__name__, error)
else:
    print("all went well")
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user can reach, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    """Whatever the umask, nobody else can read the addresses, in the log neither."""
    umask = os.umask(0)
    try:
        with SqliteStore(path) as store:
            store.record([OptOut(BUYER)])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(umask)
    assert modes == {"optouts.db": 0o600, "optouts.db-wal": 0o600, "optouts.db-shm": 0o600}


def test_the_mode_of_a_file_that_is_there_is_left_alone(path: Path) -> None:
    """Who has opened it to a group keeps it so."""
    path.touch()
    path.chmod(0o660)
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@pytest.mark.parametrize(
    ("name", "says"),
    [("missing/optouts.db", "folder does not exist: make it"), (".", "it is a folder: name a file"), ("file/x.db", "Not a directory")],
)
def test_a_path_that_cannot_be_is_explained(tmp_path: Path, name: str, says: str) -> None:
    """The error names the path and what to do, on one line."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=says) as raised:
        SqliteStore(tmp_path / name)
    assert str(raised.value).startswith(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_a_name_that_is_too_long_is_explained(tmp_path: Path) -> None:
    """What the system says about the name is passed on."""
    with pytest.raises(StoreUnavailable, match="name too long"):
        SqliteStore(tmp_path / ("x" * 300))


def test_a_link_to_nowhere_is_explained(path: Path) -> None:
    """A symbolic link whose target is missing cannot be opened."""
    path.symlink_to("nowhere/optouts.db")
    with pytest.raises(StoreUnavailable, match="it cannot be opened"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_written_is_explained(public_folder: Path, run: Callable[..., str]) -> None:
    """A new store cannot be made there; the error says whose right is missing."""
    public_folder.chmod(0o555)
    output = run(AS_ANOTHER_USER, public_folder / "optouts.db")
    assert output.startswith(f"StoreUnavailable {public_folder}/optouts.db: it cannot be made, Permission denied: let this user write")


def test_a_store_in_a_folder_that_cannot_be_written_is_explained(public_folder: Path, run: Callable[..., str]) -> None:
    """SQLite needs to make files beside the store; the error says so even if the store itself could be written."""
    SqliteStore(public_folder / "optouts.db").close()
    (public_folder / "optouts.db").chmod(0o666)
    public_folder.chmod(0o555)
    output = run(AS_ANOTHER_USER, public_folder / "optouts.db")
    assert output.startswith("StoreUnavailable")
    assert "the file and its folder" in output


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_file_without_the_rights_is_explained(public_folder: Path, run: Callable[..., str], mode: int) -> None:
    """Neither reading nor writing rights may be missing."""
    SqliteStore(public_folder / "optouts.db").close()
    (public_folder / "optouts.db").chmod(mode)
    public_folder.chmod(0o777)
    output = run(AS_ANOTHER_USER, public_folder / "optouts.db")
    assert output.startswith("StoreUnavailable")
    assert "the file and its folder" in output


def test_with_the_rights_all_is_well(public_folder: Path, run: Callable[..., str]) -> None:
    """The other tests fail for want of rights only."""
    public_folder.chmod(0o777)
    assert run(AS_ANOTHER_USER, public_folder / "optouts.db") == "all went well\n"


@pytest.mark.parametrize("content", [b"buyer@example.com\n" * 1000, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_corrupt(path: Path, content: bytes) -> None:
    """A text file, say, is refused and left as it is."""
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"optouts.db: "):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_damaged_file_is_corrupt(path: Path) -> None:
    """Pages that make no sense, or are missing, are StoreCorrupt and nothing else."""
    with SqliteStore(path) as store:
        store.record(MANY)
    whole = path.read_bytes()
    for damaged in (whole[:40960] + os.urandom(40960) + whole[81920:], whole[:40960]):
        path.write_bytes(damaged)
        with pytest.raises(StoreCorrupt, match="damaged: restore it from a backup"), SqliteStore(path) as store:
            list(store.scan())
        with pytest.raises(StoreCorrupt, match="damaged"), SqliteStore(path) as store:
            store.lookup(entry.identity for entry in MANY)


def test_a_lock_is_waited_for_and_then_reported(path: Path) -> None:
    """While another program writes, lookups go on, and a write fails after the timeout; afterwards it goes through."""
    with SqliteStore(path, timeout=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert store.lookup([BUYER]) == {}
        for write in (lambda: store.record([OptOut(BUYER)]), store.health):
            with pytest.raises(StoreUnavailable, match="another program keeps it locked"):
                write()
        other.execute("ROLLBACK")
        other.close()
        assert store.record([OptOut(BUYER)]).new == 1


def test_a_file_that_is_locked_cannot_be_opened_but_later(path: Path) -> None:
    """Opening waits for a lock as well."""
    SqliteStore(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        SqliteStore(path, timeout=0.05)
    other.close()
    SqliteStore(path).close()


def test_work_that_meets_a_lock_is_done_again(path: Path) -> None:
    """Where SQLite reports a lock, the work is done anew until it succeeds."""
    store = Connections(path, timeout=60)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    attempts = []

    def work(connection: sqlite3.Connection) -> str:
        attempts.append(connection)
        if len(attempts) > 2:
            other.rollback()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        return "done"

    assert store.read(work) == "done"
    assert len(attempts) == 3
    other.close()
    store.close()


def test_a_full_disk_is_reported_and_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is not kept, not even in part; what was there is there, and when there is room it goes on."""
    with SqliteStore(path) as store:
        store.record([OptOut(BUYER)])
    with monkeypatch.context() as patch:
        patch.setattr(connections, "_SETTINGS", (*connections._SETTINGS, "PRAGMA max_page_count = 40"))
        with SqliteStore(path) as store:
            with pytest.raises(StoreUnavailable, match="disk is full: make room"):
                store.record(MANY)
            assert [entry.identity for entry in store.scan()] == [BUYER]
    with SqliteStore(path) as store:
        assert store.record(MANY).new == len(MANY)


FILE_SIZE_LIMIT = """
import resource, signal, sys
from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
with SqliteStore(sys.argv[1]) as store:
    store.record([OptOut(Address("before@example.com"))])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        store.record(OptOut(Address(f"buyer{number}@example.com")) for number in range(5000))
    except StoreUnavailable as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(store.record([OptOut(Address("after@example.com"))]).new, sum(1 for _ in store.scan()))
"""


def test_a_write_error_is_reported_and_loses_nothing(path: Path, run: Callable[..., str]) -> None:
    """When the system refuses to write, the batch is not in, what was there is, and the store goes on afterwards."""
    error, after = run(FILE_SIZE_LIMIT, path).splitlines()
    assert "the disk reports an error" in error
    assert after == "1 2"


def test_what_fails_in_a_transaction_is_undone(path: Path) -> None:
    """An error of any kind rolls the transaction back, and lets go of the lock."""
    store = Connections(path, timeout=0.05)

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO seller (name) VALUES ('x')")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(work)
    assert store.write(lambda connection: connection.execute("SELECT name FROM seller ORDER BY id").fetchall()) == [("*",), ("",)]
    store.close()


def test_errors_that_the_driver_makes_up_do_not_leak(path: Path) -> None:
    """An sqlite3.Error without a code of SQLite's is mapped like the others."""
    store = Connections(path, timeout=0)

    def work(_: sqlite3.Connection) -> Any:
        raise sqlite3.ProgrammingError("made up")

    with pytest.raises(StoreCorrupt, match="made up"):
        store.read(work)
    store.close()


def test_closing_waits_for_nobody_and_leaves_nothing_open(path: Path) -> None:
    """A connection that is in use when the store is closed is closed when its work is done."""
    store = Connections(path, timeout=0)

    def work(connection: sqlite3.Connection) -> sqlite3.Connection:
        store.close()
        connection.execute("SELECT 1")
        return connection

    connection = store.read(work)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    with pytest.raises(StoreClosed):
        store.read(work)


FORK = """
import os, sys
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
store.record([OptOut(Address("parent@example.com"))])
(inherited,) = store._connections._idle
for close in (True, False):
    child = os.fork()
    if child == 0:
        store.record([OptOut(Address(f"child-{int(close)}@example.com"))])
        assert inherited not in store._connections._idle
        if close:
            store.close()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.record([OptOut(Address(f"afterwards-{int(close)}@example.com"))])
child = os.fork()
if child == 0:
    store.close()  # without having used it
    assert inherited.total_changes  # which a closed one would not tell
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(*(str(entry.identity).partition("@")[0] for entry in store.scan()))
print(os.path.exists(sys.argv[1] + "-wal"))
"""


def test_a_store_can_be_used_across_a_fork(path: Path, run: Callable[..., str], raw: Callable[..., list[Any]]) -> None:
    """Parent and child each go on with connections of their own, and a child that ends takes nothing from its parent."""
    entries, log_is_there = run(FORK, path).splitlines()
    assert entries == "afterwards-0 afterwards-1 child-0 child-1 parent"
    assert log_is_there == "True"
    assert raw("PRAGMA integrity_check") == [("ok",)]
