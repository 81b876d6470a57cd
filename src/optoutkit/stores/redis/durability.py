"""What a server should be told so that it loses no opt-out, found out when a store is opened."""

from collections.abc import Sequence

from optoutkit.flows import Flow, ask
from optoutkit.stores.redis.exchanges import Command, Exchange, Failure, Reply, Talk
from optoutkit.stores.redis.settings import Node

__all__ = ["DurabilityWarning", "advise"]

_QUESTIONS: tuple[Command, ...] = ((b"INFO", b"persistence"), (b"INFO", b"memory"), (b"CONFIG", b"GET", b"appendfsync"))


class DurabilityWarning(UserWarning):
    """The server may lose opt-outs that it has acknowledged: by throwing them away, or in a crash. The text says what to set."""


def advise(nodes: Sequence[Node], *, wait: int) -> Flow[list[str]]:
    """Say what may lose opt-outs, as far as the servers tell.

    Args:
        nodes: The servers that have data.
        wait: How many replicas must have a write.
    """
    answers = yield from ask(Exchange([Talk(node, _QUESTIONS) for node in nodes]))
    told = [advice for answer in answers if not isinstance(answer, Failure) for advice in _advice(answer, wait)]
    return list(dict.fromkeys(told))


def _advice(replies: Sequence[Reply], wait: int) -> list[str]:
    """What one server should be told; a question that it refuses, as hosted ones do, is passed over."""
    info: dict[str, str] = {}
    for reply in replies[:2]:
        if isinstance(reply, bytes):
            info |= dict(line.split(":", 1) for line in reply.decode(errors="replace").splitlines() if ":" in line)
    policy = info.get("maxmemory_policy", "")
    advice = []
    if policy.startswith("allkeys") and info.get("maxmemory") != "0":
        advice.append(f"the server throws away any key when its memory is full (maxmemory-policy {policy}): set noeviction")
    if info.get("aof_enabled") == "0":
        advice.append("what the server acknowledges is in its memory only, and lost if it crashes: set appendonly yes")
    elif isinstance(replies[2], list) and replies[2][1:] in ([b"everysec"], [b"no"]) and not wait:
        advice.append(
            "a crash of the server can lose its last seconds: set appendfsync always, or, if it has replicas, put wait=1 into the URI"
        )
    return advice
