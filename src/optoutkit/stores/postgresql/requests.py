"""What the flows of the PostgreSQL store ask of a connection; see :mod:`optoutkit.flows`."""

from typing import Any

import attrs

from optoutkit.flows import Request

__all__ = ["Connect", "Failure", "Probe", "Query", "Rows"]

Rows = list[tuple[Any, ...]]


@attrs.frozen
class Connect(Request[int]):
    """Open a connection, which is the one of the queries to come. The answer is the process ID that the other end names as its own."""


@attrs.frozen
class Query(Request[Rows]):
    """Send a statement, and get its rows; of several statements, those of the last.

    Attributes:
        statement: SQL, with ``@`` before the names of tables.
        parameters: For its placeholders; None if it has none.
    """

    statement: str
    parameters: Any = None


@attrs.frozen
class Probe(Query):
    """The same by the shortest way, for one statement that comes again and again.

    Its placeholders are ``$1``, ``$2``, …, its parameters are texts.
    """


@attrs.frozen
class Failure(Exception):
    """What a client raises in place of its driver's error.

    Attributes:
        sqlstate: The server's five characters for what is wrong; empty if it did not say.
        words: What is wrong, without anything that was sent: no name, no address, no host.
        broken: Whether the connection is lost.
    """

    sqlstate: str = ""
    words: str = ""
    broken: bool = False
