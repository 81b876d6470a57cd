"""What columns are called, how reasons are written, and the lists of other tools: the data of ``columns.toml``."""

import enum
import tomllib
from functools import cache
from importlib import resources

import attrs

from optoutkit.bulk.cells import plain_name
from optoutkit.errors import InvalidInput
from optoutkit.optouts import Reason

__all__ = ["Field", "Form", "Vocabulary", "vocabulary"]


class Field(enum.StrEnum):
    """What a column can tell of an opt-out."""

    IDENTITY = "identity"
    ADDRESS = "address"
    ORDER = "order"
    REASON = "reason"
    SINCE = "since"
    EXPIRES_AT = "expires_at"
    SOURCE = "source"
    SELLER = "seller"
    VERIFIED = "verified"
    OPTED_OUT = "opted_out"
    AMAZON_OPT_OUT = "amazon_opt_out"

    @property
    def names_a_buyer(self) -> bool:
        """Whether it says who opted out."""
        return self in {Field.IDENTITY, Field.ADDRESS, Field.ORDER}


def _fields(told: dict[str, str]) -> dict[str, Field | None]:
    return {name: Field(field) if field else None for name, field in told.items()}


@attrs.frozen(kw_only=True)
class Form:
    """A list as another tool writes it.

    Attributes:
        tool: The tool, and which of its lists.
        names: The columns by which it is known, as :func:`~optoutkit.bulk.cells.plain_name` has them.
        only: Whether it has no others.
        columns: What its columns tell, beside what they tell in any list; None for one that is not used.
        reason: That of rows which give none; None if the list does not say either.
        confidence: ``H`` documented by the maker, ``M`` told by users, ``L`` a guess.
        source: Where that is known from.
    """

    tool: str
    names: frozenset[str] = attrs.field(converter=frozenset)
    only: bool = False
    columns: dict[str, Field | None] = attrs.field(factory=dict, converter=_fields)
    reason: Reason | None = attrs.field(default=None, converter=attrs.converters.optional(Reason))
    confidence: str
    source: str

    def fits(self, names: frozenset[str]) -> bool:
        """Whether a list with these columns is one of it."""
        return self.names == names if self.only else self.names <= names


@attrs.frozen
class Vocabulary:
    """All of it.

    Attributes:
        fields: What a column of this name tells in any list.
        forms: The lists of other tools; the first that fits counts.
        reasons: Reasons by how they are written; None for what says that somebody has not opted out.
    """

    fields: dict[str, Field]
    forms: tuple[Form, ...]
    reasons: dict[str, Reason | None]

    @property
    def names(self) -> frozenset[str]:
        """All names of columns that are known."""
        return frozenset(self.fields).union(*(form.columns for form in self.forms))

    def form_of(self, names: frozenset[str]) -> Form | None:
        """The form of a list with these columns."""
        return next((form for form in self.forms if form.fits(names)), None)

    def denies(self, text: str) -> bool:
        """Whether it stands where reasons do, and says that this one has not opted out."""
        return self.reasons.get(plain_name(text), Reason.MANUAL) is None

    def reason_of(self, text: str) -> Reason | None:
        """The reason that a text names; None if it says that this one has not opted out.

        Raises:
            InvalidInput: It is not known.
        """
        try:
            return self.reasons[plain_name(text)]
        except KeyError:
            raise InvalidInput(f"not a reason that is known: {text[:40]!r}") from None


@cache
def vocabulary() -> Vocabulary:
    """Read the data."""
    data = tomllib.loads((resources.files("optoutkit.bulk") / "columns.toml").read_text(encoding="utf-8"))
    return Vocabulary(
        {name: Field(group["field"]) for group in data["columns"] for name in group["names"]},
        tuple(Form(**form) for form in data["forms"]),
        {name: Reason(group["reason"]) if group["reason"] else None for group in data["reasons"] for name in group["names"]},
    )
