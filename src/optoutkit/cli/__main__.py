"""The entry point, which says how to get the extra where it is missing."""

import sys
from importlib.util import find_spec

from optoutkit.errors import MissingExtra

__all__ = ["main"]


def main() -> None:
    """Run the command line with the arguments of this process, and end it with the exit code."""
    if find_spec("click") is None or find_spec("rich") is None:
        sys.stderr.write(f"error: {MissingExtra('The command line', 'cli')}\n")
        sys.exit(2)
    from optoutkit.cli.program import PROGRAM  # noqa: PLC0415 - needs click

    PROGRAM.main(prog_name="optoutkit")


if __name__ == "__main__":
    main()
