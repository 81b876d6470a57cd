"""Reading and changing the hashes of identities, many in one round trip."""

from collections.abc import Iterable, Sequence

import attrs

from optoutkit.flows import Flow
from optoutkit.stores.batches import chunks
from optoutkit.stores.redis.exchanges import Reply
from optoutkit.stores.redis.layout import Layout
from optoutkit.stores.redis.routing import Routed, Router
from optoutkit.stores.redis.scripts import Pair, put

__all__ = ["CHUNK", "Change", "Hashes"]

CHUNK = 1000
"""How many commands are sent in one go."""

_FORCED = ((b"!", b"1"), (b"!", b""))
"""What is set and taken away again where there must be a write."""


@attrs.frozen
class Change:
    """A change of one identity's hash, which is made as a whole, or not at all if the hash is not as expected.

    Attributes:
        column: The identity.
        expected: What fields must hold; nothing where there must be none.
        values: What fields are to hold; nothing takes a field away.
        seller: Whose index the next one is about.
        indexed: Whether the identity is to be in the index; None leaves that as it is.
    """

    column: str
    expected: Sequence[Pair]
    values: Sequence[Pair]
    seller: str = ""
    indexed: bool | None = None


class Hashes:
    """The hashes of all identities.

    Args:
        layout: Where they are.
        router: How to get there.
        forced: Whether a change that changes nothing must be a write all the same: a server waits for its replicas only after
            a write, and what somebody else has written just now may not have got to them.
    """

    def __init__(self, layout: Layout, router: Router, *, forced: bool) -> None:
        self.layout = layout
        self.forced = forced
        self._router = router

    def read(self, asked: Iterable[tuple[str, tuple[bytes, ...]]]) -> Flow[list[list[bytes | None]]]:
        """The values of some fields of identities."""
        identity = self.layout.identity
        commands = []
        for column, fields in asked:
            slot, key = identity(column)
            commands.append((slot, (b"HMGET", key, *fields)))
        return (yield from self.send(commands))

    def read_all(self, columns: Iterable[str]) -> Flow[dict[str, dict[bytes, bytes]]]:
        """All fields of the identities."""
        asked = list(columns)
        replies = yield from self.send([(slot, (b"HGETALL", key)) for slot, key in map(self.layout.identity, asked)])
        return {column: dict(zip(flat[::2], flat[1::2], strict=True)) for column, flat in zip(asked, replies, strict=True)}

    def change(self, changes: Sequence[Change]) -> Flow[list[bool]]:
        """Make changes; tells for each whether it could be made."""
        commands = []
        for one in changes:
            slot, key = self.layout.identity(one.column)
            index = self.layout.index(one.column, one.seller)
            mark = b"" if one.indexed is None else (b"+" if one.indexed else b"-") + one.column.encode()
            values = (*one.values, *_FORCED) if self.forced else one.values
            commands.append((slot, put(key, index, mark, one.expected, values)))
        replies = yield from self.send(commands, durable=True)
        return [reply == 1 for reply in replies]

    def send(self, commands: Sequence[Routed], *, durable: bool = False) -> Flow[list[Reply]]:
        """Have any commands done, in pieces of a fixed size."""
        if len(commands) <= CHUNK:
            return (yield from self._router.send(commands, durable=durable)) if commands else []
        replies: list[Reply] = []
        for chunk in chunks(commands, CHUNK):
            replies += yield from self._router.send(chunk, durable=durable)
        return replies
