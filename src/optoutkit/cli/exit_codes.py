"""Exit codes, and which of them wins where several apply."""

import enum
from collections.abc import Iterable

__all__ = ["ExitCode", "worst"]


class ExitCode(enum.IntEnum):
    """What the command line tells its caller; the same for every command."""

    DONE = 0
    REFUSED = 1
    BAD_INPUT = 2
    TRY_AGAIN = 75
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """What it says, for the help."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "Done. For check: every recipient may get every draft. For lint: no rule is broken.",
    ExitCode.REFUSED: (
        "check: a draft must not go to a recipient. lint: a rule is broken. "
        "ingest: a mail from standard input was not accepted, and there is no --quarantine folder to keep it."
    ),
    ExitCode.BAD_INPUT: "Wrong usage or bad input; standard error says which. Whatever else was given has been done.",
    ExitCode.TRY_AGAIN: "The store cannot be reached or written, or DNS did not answer: try again later (EX_TEMPFAIL of sysexits).",
    ExitCode.INTERRUPTED: "Interrupted with Ctrl-C. What was recorded before stays recorded.",
    ExitCode.PIPE_CLOSED: "Whoever read the output went away.",
    ExitCode.TERMINATED: "Ended by SIGTERM. What was recorded before stays recorded. A command that runs on ends with 0.",
}
_MOST_URGENT_FIRST = (ExitCode.BAD_INPUT, ExitCode.TRY_AGAIN, ExitCode.REFUSED)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The one exit code for several things done: bad input before trying again, that before a refusal."""
    there = set(codes)
    return next((code for code in _MOST_URGENT_FIRST if code in there), ExitCode.DONE)
