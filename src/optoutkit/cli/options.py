"""Options and arguments that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from optoutkit.cli.output import Output
from optoutkit.errors import InvalidInput
from optoutkit.identities import read_identity
from optoutkit.stores.base import OptOutStore
from optoutkit.stores.opening import open_store
from optoutkit.stores.uris import StoreUri

__all__ = [
    "format_option",
    "identities_argument",
    "open_existing_store",
    "read_time",
    "reading",
    "seller_option",
    "store_option",
    "warn_of_memory",
]

F = TypeVar("F", bound=Callable[..., Any])


def reading(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that reads the text of an option or argument, or each of several; a ValueError is told as wrong usage."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | tuple[str, ...] | None) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(map(read, value))
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", ctx, param) from None

    return callback


def read_time(text: str) -> datetime:
    """Read a day or a time in ISO 8601; without a zone it is UTC.

    Raises:
        ValueError: It is neither.
    """
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"not a date, such as 2026-11-30 or 2026-11-30T14:00+01:00: {text!r}") from None


def identities_argument(command: F) -> F:
    """Addresses and order IDs."""
    return click.argument("identities", metavar="ADDRESS_OR_ORDER...", nargs=-1, required=True, callback=reading(read_identity))(command)


def store_option(command: F) -> F:
    """Which store."""
    return click.option(
        "--store",
        "uri",
        metavar="URI",
        envvar="OPTOUTKIT_STORE",
        default="sqlite:///optouts.db",
        show_default=True,
        show_envvar=True,
        help="Where the opt-outs are kept, such as sqlite:////var/lib/shop/optouts.db.",
    )(command)


def seller_option(command: F) -> F:
    """Whose list."""
    return click.option(
        "--seller", metavar="NAME", default="", help="Whose list, in a store for many sellers; '*' is the one that holds for all of them."
    )(command)


def format_option(command: F) -> F:
    """Text or JSON; the command gets an :class:`Output`."""

    def make(_ctx: click.Context, _param: click.Parameter, value: str) -> Output:
        return Output(value)

    return click.option(
        "--format",
        "out",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=make,
        help="json: one object a line.",
    )(command)


def open_existing_store(uri: str) -> OptOutStore:
    """Open a store for a command that only asks or removes: a file that is not there is a slip of the pen, and not to be made.

    Raises:
        InvalidInput: There is no such file.
    """
    parsed = StoreUri.parse(uri)
    if parsed.scheme == "sqlite" and _is_missing(Path(parsed.path)):
        raise InvalidInput(f'{parsed.path}: there is no such store yet; make it with "ingest" or "add", or name another one with --store')
    return open_store(uri)


def warn_of_memory(uri: str, out: Output) -> None:
    """Tell who writes into a store in memory that it is gone with the command."""
    if StoreUri.parse(uri).scheme == "memory":
        out.note("memory:// forgets everything when this command ends; name a file with --store sqlite:///optouts.db")


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:  # a folder above it must not be entered: the store says so in its own words
        return False
