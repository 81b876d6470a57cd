"""Databases for the tests: a MariaDB that they start, or a database that the user names, and SQLite files."""

# ruff: noqa: D103 - fixtures

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa
from benchmarks.servers import Unprivileged, free_port

from optoutkit.stores import OptOutStore, open_async_store, open_store
from optoutkit.testing.stores import ManualClock, blocking

OWN = "OPTOUTKIT_TEST_MYSQL"
"""The environment variable that names a server of the user's own, where databases may be made and dropped: mysql+pymysql://root@host/."""

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
        command += [f"--pid-file={self.root}/pid", "--innodb-flush-log-at-trx-commit=0", "--max-connections=300"]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._way.options)
        while True:
            assert self._process.poll() is None, (self.root / "log").read_text()
            with suppress(pymysql.err.OperationalError):
                self.connect().close()
                return

    def connect(self) -> "pymysql.Connection[Any]":
        """A connection as another program has it."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)

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
def server_url(request: pytest.FixtureRequest) -> str:
    """A server that is not to be stopped."""
    return os.environ.get(OWN) or request.getfixturevalue("_mariadb").url


@pytest.fixture(scope="session")
def _engine(server_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def mysql_url(server_url: str, _engine: sa.Engine) -> Iterator[str]:
    """An empty database, which is dropped in the end."""
    name = f"optoutkit_test_{os.getpid()}_{next(_numbers)}"
    with _engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET latin1")  # for the store it must not matter
        yield f"{server_url}{name}"
        connection.exec_driver_sql(f"DROP DATABASE {name}")


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
