"""Mails that were left where they are, and when they are to come again in a run that goes on."""

import time
from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

__all__ = ["Later"]

K = TypeVar("K", bound=Hashable)

_FIRST, _LONGEST = 60.0, 900.0


class Later(Generic[K]):
    """When mails come again: after a minute, then after two, and so on, up to a quarter of an hour.

    Args:
        first: Seconds until a mail comes again for the first time.
        clock: Seconds, from anywhere.
    """

    def __init__(self, *, first: float = _FIRST, clock: Callable[[], float] = time.monotonic) -> None:
        self._first = first
        self._clock = clock
        self._waits: dict[K, tuple[float, float]] = {}

    def put_off(self, mail: K) -> None:
        """Let a mail wait, longer than it did the last time."""
        _, wait = self._waits.get(mail, (0.0, self._first / 2))
        wait = min(2 * wait, max(self._first, _LONGEST))
        self._waits[mail] = (self._clock() + wait, wait)

    def is_due(self, mail: K) -> bool:
        """Whether a mail has waited long enough, or need not wait."""
        return mail not in self._waits or self._waits[mail][0] <= self._clock()

    def keep(self, mails: Collection[K]) -> None:
        """Forget all other mails."""
        self._waits = {mail: wait for mail, wait in self._waits.items() if mail in mails}

    @property
    def seconds(self) -> float:
        """How long it is until a mail that waits is due; infinity if none waits."""
        return max(0.0, min((due for due, _ in self._waits.values()), default=float("inf")) - self._clock())
