"""What must not be used across a fork starts afresh in the child. To be told costs a lookup nothing; to ask for the process ID does."""

import os
import weakref
from typing import Protocol

__all__ = ["Forkable", "in_each_child"]


class Forkable(Protocol):
    """Something that holds threads, locks or files of its process."""

    def start_afresh(self) -> None:
        """Forget them, in a forked child."""


_all: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def in_each_child(one: Forkable) -> None:
    """Have an object start afresh in each child that is forked while it is there."""
    _all.add(one)


def _start_all_afresh() -> None:
    for one in list(_all):
        one.start_afresh()


if hasattr(os, "register_at_fork"):  # pragma: no branch - where there is none, nothing is forked
    os.register_at_fork(after_in_child=_start_all_afresh)
