"""A real Dovecot on loopback, and servers that misbehave as no real one does."""

import imaplib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

CERTIFICATE = Path(__file__).parents[2] / "senders" / "localhost.pem"
DOVECOT = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin") or ""
DEADLINE = 30
PASSWORD = 's3cr"et-ü'

_CONFIGURATION = """
base_dir={root}/run
state_dir={root}/state
log_path={root}/log
protocols=imap
listen=127.0.0.1
ssl=yes
ssl_cert=<{root}/localhost.pem
ssl_key=<{root}/localhost.pem
disable_plaintext_auth=no
auth_failure_delay=0
default_internal_user={user}
default_internal_group={group}
default_login_user={user}
first_valid_uid=1
mail_location=maildir:{root}/mail/%u
mail_home={root}/mail/%u
mail_max_userip_connections=50
mailbox_idle_check_interval=1s
passdb {{
  driver=static
  args=password={password}
}}
userdb {{
  driver=static
  args=uid={user} gid={group} home={root}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port={imap}
  }}
  inet_listener imaps {{
    port={imaps}
  }}
}}
protocol imap {{
  {more}
}}
"""


class Box:
    """A user's mail on a server, as the server and other programs see it.

    Attributes:
        user: The name to log in with.
    """

    def __init__(self, server: "Dovecot", user: str) -> None:
        self.server = server
        self.user = user

    @property
    def uri(self) -> str:
        """The inbox."""
        return f"imap://{self.user}@127.0.0.1:{self.server.port}?tls=none"

    def uri_of(self, folder: str = "INBOX", **options: str) -> str:
        """The URI of a folder, with more options."""
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"imap://{self.user}@127.0.0.1:{self.server.port}/{folder}?tls=none{more}"

    @contextmanager
    def client(self, folder: str | None = None) -> Iterator[imaplib.IMAP4]:
        """The standard library's client, logged in."""
        with imaplib.IMAP4("127.0.0.1", self.server.port) as client:
            client.authenticate("PLAIN", lambda _: f"\0{self.user}\0{PASSWORD}".encode())
            if folder is not None:
                assert client.select(folder)[0] == "OK"
            yield client

    def deliver(self, *mails: bytes, folder: str = "INBOX", flags: str = "", arrived: str | None = None) -> None:
        """Put mails into a folder."""
        with self.client() as client:
            for mail in mails:
                assert client.append(folder, flags, arrived, mail)[0] == "OK"

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]:
        """The flags that all mails of a folder have been given, by their UID."""
        with self.client(folder) as client:
            _, lines = client.uid("FETCH", "1:*", "(FLAGS)")
            found = {}
            for line in lines:
                if line is not None:
                    words = line.decode().replace("(", " ").replace(")", " ").split()
                    found[int(words[words.index("UID") + 1])] = {
                        word for word in words[words.index("FLAGS") + 1 :] if word not in ("\\Recent", "UID") and not word.isdigit()
                    }
            return found

    def recreate(self, folder: str) -> None:
        """Delete a folder and make it again, empty: its mails are numbered anew."""
        with self.client() as client:
            assert client.delete(folder)[0] == "OK"
            assert client.create(folder)[0] == "OK"


class Dovecot:
    """A Dovecot of its own, which runs as nobody where the tests are run by root."""

    def __init__(self, *, more: str = "") -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dovecot"))
        self.port, self.tls_port = _free_port(), _free_port()
        who = pwd.getpwuid(os.geteuid() or pwd.getpwnam("nobody").pw_uid)
        self._who: dict[str, Any] = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        group = subprocess.run(["id", "-gn", who.pw_name], capture_output=True, text=True, check=True).stdout.strip()
        (self.root / "mail").mkdir()
        shutil.copy(CERTIFICATE, self.root / "localhost.pem")
        (self.root / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                root=self.root, user=who.pw_name, group=group, password=PASSWORD, imap=self.port, imaps=self.tls_port, more=more
            ),
            encoding="utf-8",
        )
        if self._who:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, who.pw_uid, who.pw_gid)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and come back when it listens."""
        self._process = subprocess.Popen([DOVECOT, "-F", "-c", str(self.root / "dovecot.conf")], start_new_session=True, **self._who)
        while True:
            assert self._process.poll() is None, (self.root / "log").read_text()
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port), DEADLINE) as connection:
                assert connection.recv(4) == b"* OK"
                return

    def kill(self) -> None:
        """End it and all connections, as a crash would."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait(DEADLINE)
        with suppress(ConnectionRefusedError):
            while True:  # until the last of its processes is gone
                with suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", self.port), DEADLINE) as connection:
                    connection.recv(1)

    def close(self) -> None:
        """End it, and forget all mail."""
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def box(self) -> Box:
        """The mail of a new user."""
        return Box(self, f"user{next(self._numbers)}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _needs_dovecot() -> None:
    version = ""
    if DOVECOT:
        version = subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, check=False).stdout
    if not version.startswith("2.3."):
        why = f"NOT TESTED: IMAP, since there is no Dovecot 2.3 here ({version.strip() or 'none at all'}); apt-get install dovecot-imapd"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTOUTKIT_IMAP_PASSWORD", PASSWORD)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A server with all extensions; not to be stopped."""
    _needs_dovecot()
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    """A server that a test may kill."""
    _needs_dovecot()
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture(scope="session")
def bare_dovecot() -> Iterator[Dovecot]:
    """A server that says it has neither IDLE nor MOVE nor UIDPLUS."""
    _needs_dovecot()
    server = Dovecot(more="imap_capability = IMAP4rev1 LITERAL+")
    yield server
    server.close()


@pytest.fixture(scope="session")
def older_dovecot() -> Iterator[Dovecot]:
    """A server that says it has UIDPLUS and no MOVE."""
    _needs_dovecot()
    server = Dovecot(more="imap_capability = IMAP4rev1 UIDPLUS")
    yield server
    server.close()


@pytest.fixture
def box(dovecot: Dovecot) -> Box:
    """The mail of a user of the server with all extensions."""
    return dovecot.box()


Answer = bytes | Callable[[bytes], bytes] | None
"""Of a scripted server to a command: bytes in which ``TAG`` stands for the command's tag, or None for silence."""


_USUAL: dict[str, Answer] = {
    "greeting": b"* OK here\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n",
    "LOGIN": b"TAG OK done\r\n",
    "SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\nTAG OK [READ-WRITE] done\r\n",
    "UID SEARCH": b"* SEARCH 7\r\nTAG OK done\r\n",
    "UID FETCH": b"* 1 FETCH (UID 7 BODY[]<0> {6}\r\nX: y\r\n)\r\nTAG OK done\r\n",
    "UID STORE": b"TAG OK done\r\n",
    "IDLE": b"+ idling\r\n",
    "DONE": b"TAG OK done\r\n",
    "LOGOUT": b"* BYE then\r\nTAG OK done\r\n",
}


class ScriptedServer:
    """A server that answers each command as it is told to, by the command's name (``UID FETCH`` is one); the last command is kept."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = _USUAL | {name.replace("_", " "): answer for name, answer in answers.items()}
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"imap://me:secret@127.0.0.1:{self._listener.getsockname()[1]}?tls=none&timeout=20"
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        """End all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self._threads.append(threading.Thread(target=self._talk, args=(connection,)))
                self._threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            self._answer(connection, "greeting", b"")
            tag = b""
            for line in lines:
                words = line.split()
                if words[:1] == [b"DONE"]:
                    name = "DONE"
                else:
                    tag = words[0]
                    name = b" ".join(words[1 : 3 if words[1].upper() == b"UID" else 2]).decode().upper()
                self.commands.append(name)
                self._answer(connection, name, tag)
                if name == "LOGOUT":
                    return

    def _answer(self, connection: socket.socket, name: str, tag: bytes) -> None:
        answer = self.answers.get(name, b"TAG BAD what?\r\n")
        answer = answer(tag) if callable(answer) else answer
        if answer is not None:
            connection.sendall(answer.replace(b"TAG", tag))
        if answer == b"":
            connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Start a server that answers as it is told, such as ``scripted(LOGIN=None)``; empty bytes hang up."""
    servers: list[ScriptedServer] = []

    def start(**answers: Answer) -> ScriptedServer:
        servers.append(ScriptedServer(**answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
