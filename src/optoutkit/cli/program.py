"""The program ``optoutkit``: its commands, loaded when they are called for, and what becomes of errors."""

import importlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.errors import OptOutKitError, StoreUnavailable

__all__ = ["PROGRAM", "Program"]

# Where each command lives, and its line in the list of commands, so that --help loads none of them.
_COMMANDS = {
    "classify": ("messages:classify", "Say whether a message is critical to its order, and why."),
    "lint": ("linting:lint", "Find what breaks Amazon's communication guidelines."),
    "parse": ("notices:parse", "Show what a notice of Amazon says."),
    "ingest": ("ingesting:ingest", "Read notices from a mailbox into the store."),
    "serve": ("serving:serve", "Take in the notices that a mail server delivers here."),
    "quarantine": ("quarantine:quarantine", "Look at the mails that were not believed; release or delete them."),
    "sendmail": ("sendmail:sendmail", "Send the mail on standard input to those whom it may go to."),
    "check": ("messages:check", "Show to whom each draft may go, and why."),
    "list": ("entries:show", "Show the opt-outs in the store."),
    "import": ("lists:import_lists", "Put the opt-outs of a list into the store."),
    "export": ("lists:export_lists", "Write the opt-outs in the store into a list."),
    "migrate": ("migration:migrate", "Copy one store into another."),
    "add": ("entries:add", "Put buyers or orders on the opt-out list."),
    "link": ("links:link", "Teach the store which buyer an order belongs to."),
    "withdraw": ("entries:withdraw", "Take buyers off the list who opted in again."),
    "erase": ("entries:erase", "Forget buyers altogether (GDPR)."),
}

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Program(click.Group):
    """A group of commands in which every error becomes one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"optoutkit.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the table of exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), code.meaning) for code in ExitCode])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Ctrl-C and a reader that went away end it without a word."""
        try:
            code = super().invoke(ctx)
            for stream in _streams():
                stream.flush()
        except KeyboardInterrupt:
            raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            for stream in _streams():  # what is left in their buffers would be written at exit, and fail again
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise click.exceptions.Exit(ExitCode.PIPE_CLOSED) from None
        return code

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program; errors are one line on standard error."""
        for stream in _streams():
            stream.reconfigure(errors="backslashreplace")  # a name in Japanese must not fail where there are no such letters
        if sys.stdin is None:  # closed by the caller: there is nothing in it
            sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        try:
            with _warnings_as_notes():
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra) or ExitCode.DONE
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else self.name
            code = _failed(f"{error.format_message()} See: {command} --help", ExitCode.BAD_INPUT)
        except StoreUnavailable as error:
            code = _failed(str(error), ExitCode.TRY_AGAIN)
        except OptOutKitError as error:
            code = _failed(str(error), ExitCode.BAD_INPUT)
        except OSError as error:
            code = _failed(f"{error.filename}: {error.strerror}" if error.filename else str(error), ExitCode.BAD_INPUT)
        if standalone_mode:
            sys.exit(code)
        return code


def _streams() -> list[io.TextIOWrapper]:
    """Standard output and error; they are None where the caller closed them."""
    return [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Tell users what is meant for them, such as what a server should be told, without the place in the code; leave the rest to Python."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, UserWarning):
                from optoutkit.cli.output import Output  # noqa: PLC0415 - slow, and seldom needed

                Output("text").note(" ".join(str(message).split()))
            else:
                show(message, category, *place, **more)

        warnings.showwarning = tell
        yield


def _failed(text: str, code: ExitCode) -> ExitCode:
    click.echo(f"error: {' '.join(text.split())}", err=True)
    return code


@click.group(
    "optoutkit",
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    invoke_without_command=True,
)
@click.version_option(package_name="optoutkit", message="%(prog)s %(version)s")
@click.pass_context
def PROGRAM(ctx: click.Context) -> ExitCode | None:  # noqa: N802 - a constant, once click has it
    """Honour the opt-outs of Amazon's buyers.

    Feed it Amazon's notices with "ingest", ask with "check" what may still go to whom. The opt-outs are kept in the file optouts.db of
    the current folder, unless --store or the variable OPTOUTKIT_STORE names another place.

    Results go to standard output, as text or, with --format json, as JSON Lines: one object a line. Notes and errors go to standard
    error.
    """
    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help())
    return ExitCode.BAD_INPUT
