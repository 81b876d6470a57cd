"""Opt-outs in bulk: from lists of other tools into a store, from a store into a list, from one store into another."""

from optoutkit.bulk.checkpoints import Checkpoint
from optoutkit.bulk.columns import Column
from optoutkit.bulk.entries import Defaults
from optoutkit.bulk.exporting import export_list
from optoutkit.bulk.importing import ImportReport, import_list
from optoutkit.bulk.listing import Layout, Listing, open_list
from optoutkit.bulk.migration import MigrationProgress, MigrationReport, migrate
from optoutkit.bulk.rejects import Rejects
from optoutkit.bulk.rows import BadRow
from optoutkit.bulk.vocabulary import Field, Form

__all__ = [
    "BadRow",
    "Checkpoint",
    "Column",
    "Defaults",
    "Field",
    "Form",
    "ImportReport",
    "Layout",
    "Listing",
    "MigrationProgress",
    "MigrationReport",
    "Rejects",
    "export_list",
    "import_list",
    "migrate",
    "open_list",
]
