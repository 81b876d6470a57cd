"""Which command goes to which server, and what to do about the answers.

A cluster tells which node has which slot. When that changes, a node says where to go instead (``MOVED``; ``ASK`` while a slot is
moving), or is gone, and its replica takes over. A command is sent again where that can help at once, and nothing here waits: a
failover under way ends in StoreUnavailable, and a later call finds the new node. To send again is safe, as a command that writes
either says what it expects to find, or may be done twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import attrs

from optoutkit.errors import StoreCorrupt, StoreError, StoreUnavailable
from optoutkit.flows import Flow, ask
from optoutkit.stores.redis.exchanges import Answer, Command, Exchange, Failure, Refusal, Reply, Talk
from optoutkit.stores.redis.scripts import PUT
from optoutkit.stores.redis.settings import Node, Settings

__all__ = ["Routed", "Router"]

Routed = tuple[int, Command]
"""A command, and the slot that its keys are in."""

_ATTEMPTS = 5
_SLOTS = 1 << 14
_LOAD_SCRIPT = (b"SCRIPT", b"LOAD", PUT)
_ASKING = (b"ASKING",)
_CLUSTER_SLOTS = (b"CLUSTER", b"SLOTS")
_MEANINGS = {
    "BUSY": "it is busy with a script: try again",
    "CLUSTERDOWN": "the cluster is down: wait for its failover to end, or bring the missing nodes back",
    "MASTERDOWN": "it is a replica that has lost its primary: try again",
    "MISCONF": "it takes no writes, as it cannot save to its disk: see its log",
    "MOVED": "it is a node of a cluster: write redis+cluster:// in place of redis://",
    "NOPERM": "this user may not run all commands, or touch all keys, of an opt-out store: widen the user's ACL",
    "NOREPLICAS": "it has too few replicas to take writes: bring them back, or lower min-replicas-to-write",
    "OOM": "it is out of memory: raise maxmemory, or move other data away",
    "READONLY": "it is a read-only replica: name the primary, or wait for the failover to end",
    "TRYAGAIN": "slots are moving from node to node: try again",
}


class Router:
    """Sends commands to where their keys are.

    Args:
        settings: Which servers, and how many replicas must have a write.
    """

    def __init__(self, settings: Settings) -> None:
        self._configured = settings.nodes
        self._known: tuple[Node, ...] = ()
        self._cluster = settings.cluster
        only: list[Node | None] = [settings.nodes[0]]
        self._owners = None if settings.cluster else only * _SLOTS
        self._replicas = settings.wait
        self._wait = (b"WAIT", b"%d" % settings.wait, b"%d" % int(settings.timeout * 750))  # in ms; before we give up ourselves

    def send(self, commands: Sequence[Routed], *, durable: bool = False) -> Flow[list[Reply]]:
        """Have commands done: in one round trip, unless something has moved.

        Args:
            commands: In this order on each server; in none between servers.
            durable: Whether they write, and it must be on as many replicas as the settings say.

        Returns:
            Their replies, none of which is a refusal.

        Raises:
            StoreUnavailable: A server could not be reached, or refused; other commands may be done.
            StoreCorrupt: A key holds something else.
        """
        if not (durable or self._cluster):
            return (yield from self._read(commands))
        errand = _Errand(commands, self._wait if durable and self._replicas else None, self._replicas)
        for _ in range(_ATTEMPTS):
            owners = self._owners or (yield from self._learn_owners(errand.failed))
            trips = errand.trips(owners)
            answers = yield from ask(Exchange([trip.talk for trip in trips]))
            for trip, answer in zip(trips, answers, strict=True):
                errand.settle(trip, answer)
            if not errand.left:
                return errand.replies
            if self._cluster:
                for slot, node in errand.moved.items():
                    owners[slot] = node
                if errand.failed:
                    self._owners = None
            elif errand.moved:
                break
        raise _explained(Refusal("TRYAGAIN"), None) if self._cluster else _explained(Refusal("MOVED"), self._configured[0])

    def _read(self, commands: Sequence[Routed]) -> Flow[list[Reply]]:
        """The same where there is one server, and nothing can be elsewhere: with less ado, as most lookups come here."""
        node = self._configured[0]
        (answer,) = yield from ask(Exchange((Talk(node, [command for _, command in commands]),)))
        if isinstance(answer, Failure):
            raise StoreUnavailable(f"{_named(node)}: {answer.why}")
        for reply in answer:
            if isinstance(reply, Refusal):
                raise _explained(reply, node)
        return answer

    def nodes(self) -> Flow[list[Node]]:
        """Tell which servers have the data, without their replicas."""
        owners = self._owners or (yield from self._learn_owners({}))
        return sorted({node for node in owners if node is not None})

    def _learn_owners(self, failed: dict[Node, str]) -> Flow[list[Node | None]]:
        """Ask one node after another which node has which slot; those that just failed last."""
        last = ""
        for node in sorted(dict.fromkeys((*self._known, *self._configured)), key=failed.__contains__):
            (answer,) = yield from ask(Exchange([Talk(node, [_CLUSTER_SLOTS])]))
            if isinstance(answer, Failure):
                last = f"{_named(node)}: {answer.why}"
                continue
            if isinstance(answer[0], Refusal):
                raise StoreUnavailable(f"{_named(node)}: it is no cluster: write redis:// in place of redis+cluster://")
            self._owners, self._known = owners, _ = _read_slots(answer[0], node)
            return owners
        raise StoreUnavailable(last)


@attrs.frozen
class _Trip:
    """What goes to one server, and which command each line is; None for what was added."""

    talk: Talk
    indexes: list[int | None]


class _Errand:
    """Commands that are to be done, and what is known of how they fare."""

    def __init__(self, commands: Sequence[Routed], wait: Command | None, replicas: int) -> None:
        self._commands = commands
        self._wait = wait
        self._replicas = replicas
        self._elsewhere: dict[int, Node] = {}  # commands that ASK sends to a node just this time
        self._lacking: set[Node] = set()  # nodes that have not got the script
        self.replies: list[Reply] = [None] * len(commands)
        self.left = list(range(len(commands)))
        self.moved: dict[int, Node] = {}
        self.failed: dict[Node, str] = {}

    def trips(self, owners: Sequence[Node | None]) -> list[_Trip]:
        """Deal out what is left to the servers."""
        by_node: dict[Node, list[int]] = defaultdict(list)
        for index in self.left:
            node = self._elsewhere.get(index) or owners[self._commands[index][0]]
            if node is None:
                raise _explained(Refusal("CLUSTERDOWN"), None)
            by_node[node].append(index)
        for node in by_node.keys() & self.failed.keys():
            raise StoreUnavailable(f"{_named(node)}: {self.failed[node]}")
        self.left = []
        return [self._trip(node, indexes) for node, indexes in by_node.items()]

    def _trip(self, node: Node, batch: list[int]) -> _Trip:
        commands: list[Command] = []
        indexes: list[int | None] = []
        if node in self._lacking:
            commands, indexes = [_LOAD_SCRIPT], [None]
        for index in batch:
            if self._elsewhere.pop(index, None):
                commands.append(_ASKING)
                indexes.append(None)
            commands.append(self._commands[index][1])
            indexes.append(index)
        if self._wait:
            commands.append(self._wait)
            indexes.append(None)
        return _Trip(Talk(node, commands), indexes)

    def settle(self, trip: _Trip, answer: Answer) -> None:
        """Take in what a server answered."""
        node = trip.talk.node
        if isinstance(answer, Failure):
            self.failed[node] = answer.why
            self.left += [index for index in trip.indexes if index is not None]
            return
        for index, command, reply in zip(trip.indexes, trip.talk.commands, answer, strict=True):
            if isinstance(reply, Refusal):
                self._follow(index, reply, node)
            elif index is not None:
                self.replies[index] = reply
            elif command is self._wait and reply < self._replicas:
                raise StoreUnavailable(f"{_named(node)}: only {reply} of {self._replicas} replicas have the write: see that they run")

    def _follow(self, index: int | None, refusal: Refusal, node: Node) -> None:
        target = refusal.node and (refusal.node[0] or node[0], refusal.node[1])
        if index is None or refusal.code not in ("MOVED", "ASK", "NOSCRIPT", "TRYAGAIN"):
            raise _explained(refusal, node)
        if refusal.code == "NOSCRIPT":
            self._lacking.add(node)
        elif refusal.code == "MOVED" and target:
            self.moved[self._commands[index][0]] = target
        elif target:
            self._elsewhere[index] = target
        self.left.append(index)


def _read_slots(reply: Any, asked: Node) -> tuple[list[Node | None], tuple[Node, ...]]:
    """Read the reply to CLUSTER SLOTS: who owns each slot, and all nodes. One that does not know its name is the one asked."""
    owners: list[Node | None] = [None] * _SLOTS
    known: dict[Node, None] = {}
    try:
        for first, last, *nodes in reply:
            replicated = [((host or b"").decode() or asked[0], int(port)) for host, port, *_ in nodes]
            owners[first : last + 1] = replicated[:1] * (last + 1 - first)
            known |= dict.fromkeys(replicated)
    except (ValueError, TypeError) as error:
        raise StoreUnavailable(f"{_named(asked)}: it does not say which slots its nodes have") from error
    return owners, tuple(known)


def _explained(refusal: Refusal, node: Node | None) -> StoreError:
    where = f"{_named(node)}: " if node else ""
    if refusal.code == "WRONGTYPE":
        return StoreCorrupt(f"{where}a key of the store holds something that no optoutkit has written: choose another prefix")
    return StoreUnavailable(where + _MEANINGS.get(refusal.code, f"it refused a command ({refusal.code})"))


def _named(node: Node) -> str:
    host, port = node
    return f"{host}:{port}" if port else host
