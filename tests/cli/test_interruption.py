"""SIGTERM and Ctrl-C within a command."""

import os
import signal

import pytest

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.interruption import Interruption

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_only_the_first_is_caught(number: int) -> None:
    """Whoever presses Ctrl-C twice means it."""
    before = [signal.getsignal(one) for one in SIGNALS]
    with Interruption(waits=True) as interruption:
        assert [signal.getsignal(one) for one in SIGNALS] != before
        os.kill(os.getpid(), number)
        assert interruption.stop.is_set()
        assert [signal.getsignal(one) for one in SIGNALS] == before
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_with_nothing_in_hand(number: int) -> None:
    """A command that would end by itself ends at once."""
    interruption = Interruption(waits=False)
    with pytest.raises(KeyboardInterrupt), interruption:
        os.kill(os.getpid(), number)
    assert interruption.exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


def test_with_something_in_hand() -> None:
    """It is finished, and no other is begun."""
    done = []
    with Interruption(waits=False) as interruption:
        for number in interruption.one_by_one([1, 2, 3]):
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            done.append(number)
    assert done == [1, 2]


@pytest.mark.parametrize(
    ("number", "waits", "code"),
    [
        (None, False, ExitCode.DONE),
        (signal.SIGINT, False, ExitCode.INTERRUPTED),
        (signal.SIGTERM, False, ExitCode.TERMINATED),
        (signal.SIGINT, True, ExitCode.INTERRUPTED),
        (signal.SIGTERM, True, ExitCode.DONE),
    ],
)
def test_exit_codes(number: int | None, waits: bool, code: ExitCode) -> None:
    """SIGTERM is the usual end of a command that has none of its own."""
    with Interruption(waits=waits) as interruption:
        for _ in interruption.one_by_one([1]):
            if number is not None:
                os.kill(os.getpid(), number)
    assert interruption.exit_code is code
