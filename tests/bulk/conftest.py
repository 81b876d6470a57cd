"""Lists as they come, opened and imported."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import attrs
import pytest

from optoutkit.bulk import BadRow, Defaults, ImportReport, Listing, import_list, open_list
from optoutkit.optouts import OptOut


@attrs.frozen
class Imported:
    """What came of a list."""

    listing: Listing
    report: ImportReport
    entries: list[OptOut]
    bad: list[BadRow]

    @property
    def keys(self) -> list[str]:
        """Who is on the list now, in the order of the list."""
        return [entry.identity.key.partition(":")[2] for entry in self.entries]

    @property
    def fields(self) -> dict[str, str | None]:
        """What each column tells."""
        return {column.name: column.field and column.field.value for column in self.listing.layout.columns}


class Recorder:
    """Stands in for a store, to see what it is told, in its order."""

    def __init__(self) -> None:
        self.told: list[OptOut] = []

    def record(self, opt_outs: list[OptOut]) -> Any:
        """Keep them."""
        from optoutkit.stores import RecordReport

        self.told += opt_outs
        return RecordReport(new=len(opt_outs))


@pytest.fixture
def read() -> Iterator[Callable[..., Imported]]:
    r"""Import bytes: ``read(b"email\na@b.example\n").keys``."""
    with ExitStack() as stack:

        def read(raw: bytes | str, *, columns: dict[str, Any] | None = None, **defaults: Any) -> Imported:
            raw = raw.encode() if isinstance(raw, str) else raw
            listing = stack.enter_context(open_list(io.BytesIO(raw), columns=columns))
            store: Any = Recorder()
            bad: list[BadRow] = []
            report = import_list(listing, store, Defaults(**defaults), on_bad=bad.append)
            return Imported(listing, report, store.told, bad)

        yield read
