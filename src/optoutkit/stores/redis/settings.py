"""What the URI of a Redis store says, read once."""

import re
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import unquote

import attrs

from optoutkit.errors import InvalidUri
from optoutkit.stores import arguments
from optoutkit.stores.base import DEFAULT_LINK_DAYS
from optoutkit.stores.uris import StoreUri

__all__ = ["Node", "Settings"]

Node = tuple[str, int]
"""A server: host and port, or the path of a Unix socket and 0."""

_DEFAULT_PORT = 6379
_PREFIX = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")  # no braces: what stands in braces decides on the slot
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:/?#@,\s]+))(?::([0-9]{1,5}))?")
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@attrs.frozen(kw_only=True)
class Settings:
    """How to reach a server or a cluster, and how to keep things there.

    Attributes:
        nodes: The server, or some nodes of the cluster.
        cluster: Whether it is a cluster.
        unix: Whether the node is a Unix socket.
        username: For AUTH; None for the default user.
        password: For AUTH; None for none.
        db: The number of the database; 0 in a cluster.
        tls: The files of a TLS connection by redis-py's names; None without TLS.
        timeout: How many seconds to wait for an answer.
        wait: How many replicas must have a write before it is acknowledged.
        prefix: What all keys begin with.
        link_days: For how many days a link that leads to no opt-out is kept.
    """

    nodes: tuple[Node, ...]
    cluster: bool = False
    unix: bool = False
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    db: int = 0
    tls: dict[str, str] | None = None
    timeout: float = 5.0
    wait: int = 0
    prefix: str = "optoutkit:"
    link_days: int = DEFAULT_LINK_DAYS

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read a URI.

        Raises:
            InvalidUri: It lacks a part, or one is wrong. The text repeats nothing that may be secret.
        """
        parsed = StoreUri.parse(uri)
        scheme = parsed.scheme
        readers: dict[str, Callable[[str], Any]] = {
            "link_days": arguments.read_link_days,
            "prefix": _read_prefix,
            "timeout": _read_timeout,
            "wait": _read_wait,
        }
        if scheme == "unix":
            readers["db"] = _read_db
        if scheme.startswith("rediss"):
            readers |= dict.fromkeys(_TLS_FILES, str)
        options = parsed.keywords(**readers)
        if scheme.startswith("rediss"):
            options["tls"] = {name: options.pop(name) for name in _TLS_FILES if name in options}
        credentials, _, hosts = parsed.host.rpartition("@")
        options |= _read_credentials(credentials)
        if scheme == "unix":
            if hosts or not parsed.path:
                raise InvalidUri("name the socket by its absolute path, after three slashes: unix:///run/redis.sock")
            return cls(nodes=((f"/{parsed.path}", 0),), unix=True, **options)
        cluster = scheme.endswith("+cluster")
        nodes = tuple(_read_node(host, scheme) for host in (hosts.split(",") if cluster else [hosts]))
        if cluster and parsed.path not in ("", "0"):
            raise InvalidUri("a cluster has just the database 0: leave the path away")
        if parsed.path:
            try:
                options["db"] = _read_db(parsed.path)
            except ValueError as error:
                raise InvalidUri(f"the path of {scheme}:// is wrong: {error}") from None
        return cls(nodes=nodes, cluster=cluster, **options)


def _read_node(text: str, scheme: str) -> Node:
    match = _HOST.fullmatch(text)
    if match is None:
        raise InvalidUri(f"a host is missing or malformed: write {scheme}://localhost:6379")
    port = int(match[3] or _DEFAULT_PORT)
    if not 0 < port < 2**16:
        raise InvalidUri(f"{scheme}:// names a port that does not exist")
    return match[1] or match[2], port


def _read_credentials(text: str) -> dict[str, str]:
    username, colon, password = text.partition(":")
    if username and not colon:
        raise InvalidUri("a user needs a password: write user:password@, or :password@ for the default user")
    read = {"username": unquote(username), "password": unquote(password)}
    return {name: value for name, value in read.items() if value}


def _read_db(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):  # noqa: PLR2004 - of five digits at most
        raise ValueError("a database is a number, such as 0")
    return int(text)


def _read_prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("it takes up to 64 letters, digits and any of _ . : / -")
    return text


def _read_timeout(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:  # noqa: PLR2004 - an hour; nan and inf are refused too
        raise ValueError(f"it must be a number of seconds up to 3600, not {text}")
    return seconds


def _read_wait(text: str) -> int:
    replicas = int(text)
    if not 0 <= replicas <= 100:  # noqa: PLR2004 - the message below says it
        raise ValueError(f"it must be a number of replicas up to 100, not {text}")
    return replicas
