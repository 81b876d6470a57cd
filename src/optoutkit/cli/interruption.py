"""SIGTERM and Ctrl-C, which let the mail in hand be finished."""

import signal
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.sources import Stop

__all__ = ["Interruption"]

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Catches the first SIGTERM or Ctrl-C while it is entered; a second one is no longer caught.

    Args:
        waits: Whether the command ends by a signal only, and wakes up by its ``stop``. Any other is ended by a KeyboardInterrupt unless a
            mail is in hand.

    Attributes:
        waits: As given.
        stop: Is set by the signal.
    """

    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.stop: Stop = Stop()
        self._is_busy = False
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._restore()

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that tells of the signal; DONE where there was none, or where one is the usual way to end."""
        if self._received == signal.SIGINT:
            return ExitCode.INTERRUPTED
        return ExitCode.TERMINATED if self._received == signal.SIGTERM and not self.waits else ExitCode.DONE

    def one_by_one(self, items: Iterable[T]) -> Iterator[T]:
        """Hand out items until a signal comes; the one in hand is finished when the next one is asked for."""
        for item in items:
            self._is_busy = True
            yield item
            self._is_busy = False
            if self.stop.is_set():
                return

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._received = number
        self._restore()
        self.stop.set()
        if not (self.waits or self._is_busy):
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
