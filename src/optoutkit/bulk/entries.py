"""From rows to opt-outs."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from optoutkit.bulk.cells import read_flag, read_time
from optoutkit.bulk.columns import Column
from optoutkit.bulk.lines import mended
from optoutkit.bulk.rows import Cells, cell
from optoutkit.bulk.vocabulary import Field, vocabulary
from optoutkit.bulk.writers import unescaped
from optoutkit.errors import InvalidInput
from optoutkit.identities import Identity, read_identity
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.arguments import checked_seller
from optoutkit.stores.base import utc_now

__all__ = ["Defaults", "EntryReader"]


@attrs.frozen(kw_only=True)
class Defaults:
    """What holds for rows that say nothing else.

    Attributes:
        seller: Into whose list they go.
        reason: Why; it also stands for reasons that are not known. None: what the form of the list says, else ``MANUAL``.
        since: When they opted out; None is not known.
        source: Where the list comes from.
    """

    seller: str = ""
    reason: Reason | None = None
    since: datetime | None = None
    source: str = ""


class EntryReader:
    """Makes opt-outs of rows.

    Args:
        columns: What each column tells.
        defaults: What holds where a row says nothing.
        usual_reason: That of the form of the list; None if it says none.
    """

    def __init__(self, columns: Sequence[Column], defaults: Defaults, usual_reason: Reason | None) -> None:
        self._keys = {column.field: column.key for column in columns if column.field}
        self._defaults = defaults
        self._usual_reason = defaults.reason or usual_reason or Reason.MANUAL
        self._now = utc_now()

    def read(self, cells: Cells) -> list[OptOut]:
        """Read a row.

        Returns:
            An entry for each identity: a row with an address and an order has two. None at all if it says that this one has not opted out.

        Raises:
            InvalidInput: The row names nobody, or has a value that cannot be read.
        """
        if Field.OPTED_OUT in self._keys and not read_flag(self._text(cells, Field.OPTED_OUT)):
            return []
        reason = self._reason(cells)
        if reason is None:
            return []
        identities = self._identities(cells)
        since, expires_at = self._text(cells, Field.SINCE), self._text(cells, Field.EXPIRES_AT)
        entry = OptOut(
            identities[0],
            self._seller(cells),
            reason=reason,
            since=min(read_time(since), self._now) if since else self._defaults.since,
            expires_at=read_time(expires_at) if expires_at else None,
            source=self._words(cells, Field.SOURCE) or self._defaults.source,
            verified=Field.VERIFIED in self._keys and read_flag(self._text(cells, Field.VERIFIED)),
        )
        return [entry, *(attrs.evolve(entry, identity=identity) for identity in identities[1:])]

    def _text(self, cells: Cells, field: Field) -> str:
        key = self._keys.get(field)
        return "" if key is None else cell(cells, key).strip()

    def _words(self, cells: Cells, field: Field) -> str:
        """Text for people, as it was before it was written into a table."""
        key = self._keys.get(field)
        text = "" if key is None else mended(cell(cells, key))
        return text if isinstance(cells, Mapping) else unescaped(text)

    def _identities(self, cells: Cells) -> list[Identity]:
        found: list[Identity] = []
        for field in (Field.IDENTITY, Field.ADDRESS, Field.ORDER):
            if text := self._text(cells, field):
                try:
                    found.append(read_identity(mended(text)))  # in some lists a column has the ones and the others
                except InvalidInput:
                    if field is not Field.ORDER or not found:  # orders of other shops have numbers of their own
                        raise
        if not found:
            raise InvalidInput("there is neither an address nor an order in it")
        return found

    def _seller(self, cells: Cells) -> str:
        try:
            return checked_seller(self._words(cells, Field.SELLER)) or self._defaults.seller
        except ValueError as error:
            raise InvalidInput(str(error)) from None

    def _reason(self, cells: Cells) -> Reason | None:
        if text := self._text(cells, Field.REASON):
            try:
                return vocabulary().reason_of(text)
            except InvalidInput:
                if self._defaults.reason is None:
                    raise
        elif Field.AMAZON_OPT_OUT in self._keys and read_flag(self._text(cells, Field.AMAZON_OPT_OUT)):
            return Reason.BUYER_OPT_OUT
        return self._usual_reason
