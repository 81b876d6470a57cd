"""``manage.py optoutkit``: the command line of this package, with the project's store."""

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from optoutkit.senders.django.configuration import Configuration

if TYPE_CHECKING:  # the library has no types, and a class of unknown kind would leave ours untyped

    class BaseCommand:
        def __getattr__(self, name: str) -> Any: ...

else:
    from django.core.management.base import BaseCommand

__all__ = ["Command"]


class Command(BaseCommand):
    """Runs ``optoutkit`` in a process of its own, as a package for senders has no business to import the command line."""

    help = "Runs the command optoutkit (list, add, ingest, check …) with the store and the seller of the settings."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: Any) -> None:
        """Take everything as it is."""
        parser.add_argument("--mailer", metavar="ALIAS", default="default", help="Which one of MAILERS, if there are several.")
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="What optoutkit is told, such as: list --format json")

    def handle(self, *, arguments: list[str], mailer: str, **_options: Any) -> None:
        """Run it.

        Raises:
            CommandError: The settings are wrong.
            SystemExit: With the command's own exit code, unless that is 0.
        """
        try:
            configuration, _ = Configuration.made_of(Configuration.of_mailers().get(mailer, {}))
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        if not configuration.store:
            raise CommandError("the settings name a guard of your own, and no store")
        environment = {**os.environ, "OPTOUTKIT_STORE": configuration.store, "OPTOUTKIT_SELLER": configuration.seller}
        command = [sys.executable, "-m", "optoutkit.cli", *arguments]
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - what this process's own user typed
        if code:
            sys.exit(code)
