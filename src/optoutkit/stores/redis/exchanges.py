"""What goes over the wire, as values: commands to servers, and their answers. The driver does the I/O."""

from collections.abc import Sequence
from typing import Any

import attrs

from optoutkit.flows import Request
from optoutkit.stores.redis.settings import Node

__all__ = ["Answer", "Command", "Exchange", "Failure", "Refusal", "Reply", "Talk"]

Command = tuple[bytes, ...]
"""The words of a command."""

Reply = Any
"""What a server replied to one command: bytes, an int, a list, None, or a :class:`Refusal`."""


@attrs.frozen
class Refusal:
    """An error that a server replied with. Its text is left out, as it may repeat what was sent.

    Attributes:
        code: The first word, such as ``MOVED``.
        node: Where the server sends us, if it does.
    """

    code: str
    node: Node | None = None


@attrs.frozen
class Failure:
    """Why a server did not answer.

    Attributes:
        why: In words, for the text of an error.
    """

    why: str


@attrs.frozen
class Talk:
    """Commands for one server, sent in one piece over one connection.

    Attributes:
        node: The server.
        commands: What to send.
    """

    node: Node
    commands: Sequence[Command]


Answer = list[Reply] | Failure
"""The replies to one talk, in the order of the commands."""


@attrs.frozen
class Exchange(Request[list[Answer]]):
    """Talks to be had with several servers at once; the answers come in the order of the talks."""

    talks: Sequence[Talk]
