"""Databases for the tests: a MariaDB that they start, or a database that the user names, and SQLite files."""

# ruff: noqa: D103 - fixtures

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from benchmarks.servers import Unprivileged, free_port

from optoutkit.stores import OptOutStore, open_async_store, open_store
from optoutkit.testing.stores import ManualClock, blocking

OWN = "OPTOUTKIT_TEST_MYSQL"
"""The environment variable that names a server of the user's own, where databases may be made and dropped: mysql+pymysql://root@host/."""

FAST = ["--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync", "--skip-innodb-doublewrite", "--sync-frm=0"]
"""For data that nobody misses: without this each test waits for the disk."""

_SHARE = Path("/usr/share/mysql")
_SCRIPTS = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
_numbers = itertools.count(1)


class MariaDbServer:
    """Debian's MariaDB, on loopback, with no password for root."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="optoutkit-mariadb-"))
        self.port = free_port()
        self._way = Unprivileged()
        data = self.root / "data"
        data.mkdir()
        for folder in (self.root, data):
            self._way.own(folder)
        script = b"create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n"
        script += b"\n".join((_SHARE / name).read_bytes() for name in _SCRIPTS)
        subprocess.run([*self._command(), "--bootstrap"], input=script, capture_output=True, check=True, **self._way.options)
        self.start()

    @property
    def url(self) -> str:
        """Where it is, without a database."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start, and come back when it lets connections in."""
        command = [*self._command(), f"--socket={self.root}/socket", "--bind-address=127.0.0.1", f"--port={self.port}"]
        command += [f"--pid-file={self.root}/pid", *FAST, "--max-connections=300"]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._way.options)
        while True:
            assert self._process.poll() is None, (self.root / "log").read_text()
            engine = sa.create_engine(self.url, poolclass=sa.NullPool)
            with suppress(sa.exc.OperationalError), engine.connect():
                return

    def stop(self, how: int = signal.SIGKILL) -> None:
        """End it."""
        self._process.send_signal(how)
        self._process.wait(60)

    def close(self) -> None:
        """End it, and forget what it held."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _command(self) -> list[str]:
        settings = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--skip-name-resolve"]
        return [*self._way.prefix, "mariadbd", "--no-defaults", f"--datadir={self.root}/data", *settings]


def new_server() -> MariaDbServer:
    if shutil.which("mariadbd") is None or not (_SHARE / _SCRIPTS[0]).exists():
        why = f"NOT TESTED: MySQL, since there is no MariaDB here (apt-get install mariadb-server-core), or name a server in {OWN}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return MariaDbServer()


@pytest.fixture(scope="session")
def _mariadb() -> Iterator[MariaDbServer]:
    server = new_server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _own_mariadb() -> Iterator[MariaDbServer]:
    server = new_server()
    engine = sa.create_engine(server.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE shop")
        connection.exec_driver_sql("CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'right'")
        connection.exec_driver_sql("CREATE USER crowded@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1")
        connection.exec_driver_sql("GRANT ALL ON shop.* TO crowded@'127.0.0.1'")
    yield server
    server.close()


@pytest.fixture
def own_mariadb(_own_mariadb: MariaDbServer) -> Iterator[MariaDbServer]:
    """A server with an empty database ``shop``, which a test may stop. The user ``shop`` needs a password, and may do nothing."""
    yield _own_mariadb
    _own_mariadb.stop()
    _own_mariadb.start()
    engine = sa.create_engine(_own_mariadb.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE shop")
        connection.exec_driver_sql("CREATE DATABASE shop")


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """A server that is not to be stopped."""
    return os.environ.get(OWN) or request.getfixturevalue("_mariadb").url


@pytest.fixture(scope="session")
def _engine(server_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@contextmanager
def _database(engine: sa.Engine) -> Iterator[str]:
    name = f"optoutkit_test_{os.getpid()}_{next(_numbers)}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET latin1")  # for the store it must not matter
        yield name
        connection.exec_driver_sql(f"DROP DATABASE {name}")


@pytest.fixture
def mysql_url(server_url: str, _engine: sa.Engine) -> Iterator[str]:
    """A new database, which is dropped in the end."""
    with _database(_engine) as name:
        yield f"{server_url}{name}"


@pytest.fixture(scope="session")
def _used_database(_engine: sa.Engine) -> Iterator[str]:
    with _database(_engine) as name:
        yield name


@pytest.fixture
def used_mysql_url(server_url: str, _engine: sa.Engine, _used_database: str) -> Iterator[str]:
    """A database in which the tables may be already, but nothing is in them."""
    yield f"{server_url}{_used_database}"
    with _engine.connect() as connection:
        for table in ("entry", "withdrawal", "link"):
            connection.exec_driver_sql(f"DELETE FROM {_used_database}.optoutkit_{table}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optouts.db"


@pytest.fixture(params=["mysql", "sqlite"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of either kind."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture(params=["sync", "async"])
def open_either(request: pytest.FixtureRequest) -> Callable[[str], OptOutStore]:
    """Open a store by the URL of its database, a blocking one or one for asyncio, with blocking verbs."""
    opener: Callable[[str], Any] = open_store if request.param == "sync" else open_async_store
    return lambda url: blocking(opener(f"sqlalchemy+{url}"))


@pytest.fixture
def raw() -> Iterator[Callable[..., list[Any]]]:
    """Run a statement on a database as another program would."""
    engines: dict[str, sa.Engine] = {}

    def run(url: str, statement: str) -> list[Any]:
        engine = engines.setdefault(url, sa.create_engine(url))
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    yield run
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
