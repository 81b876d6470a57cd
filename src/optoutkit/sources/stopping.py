"""The wish to stop, which wakes whoever waits."""

import selectors
import socket
import weakref
from collections.abc import Iterable

__all__ = ["Stop"]


class Stop:
    """Tells a watch to end, from a signal handler or another thread.

    Example:
        >>> stop = Stop()
        >>> stop.set()
        >>> stop.is_set(), stop.wait(3600)
        (True, frozenset())
    """

    def __init__(self) -> None:
        self._is_set = False
        self._rope, self._bell = socket.socketpair()
        self._rope.setblocking(False)  # a signal handler must not block
        weakref.finalize(self, _close, self._rope, self._bell)

    def set(self) -> None:
        """Ask for an end. Whoever waits wakes up, and nobody will ever wait again."""
        if not self._is_set:
            self._is_set = True
            self._rope.send(b"!")

    def is_set(self) -> bool:
        """Whether somebody has asked for an end."""
        return self._is_set

    def wait(self, seconds: float, sockets: Iterable[socket.socket] = ()) -> frozenset[socket.socket]:
        """Wait until somebody asks for an end, there is something to be read, or the time is over.

        Args:
            seconds: How long, at most.
            sockets: Where there may be something to be read.

        Returns:
            Those of the sockets where there is.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            for one in sockets:
                selector.register(one, selectors.EVENT_READ, one)
            return frozenset(key.data for key, _ in selector.select(max(0.0, seconds)) if key.data is not None)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        one.close()
