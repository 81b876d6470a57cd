"""Reading hostile mails as large as is allowed: of each place where something hostile can stand, the slowest."""

import contextlib
import time
from collections.abc import Iterator

from benchmarks.timing import Result
from benchmarks.zoo import hostile_mails
from optoutkit import MessageTooLarge, parse_notice
from optoutkit.text.mime import Limits

__all__ = ["measure"]

_PROMISED = 2.0
"""Seconds that no mail takes longer than."""


def measure() -> Iterator[Result]:
    """Seconds of processor time beside those that are promised; each mail is read once."""
    parse_notice(b"From: Amazon\n\nword")  # whatever is loaded once
    slowest: dict[str, tuple[float, str]] = {}
    for name, make in hostile_mails(Limits().max_bytes):
        place = name.partition(":")[0]
        slowest[place] = max(slowest.get(place, (0.0, "")), (_seconds(make()), name))
    for seconds, name in sorted(slowest.values(), reverse=True):
        yield Result(task=f"read 32 MB, {name}", value=seconds, peer="what is promised", peer_value=_PROMISED)


def _seconds(raw: bytes) -> float:
    start = time.process_time()
    with contextlib.suppress(MessageTooLarge):
        parse_notice(raw)
    return time.process_time() - start
