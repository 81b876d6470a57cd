"""Which column tells what: said by the user, known by its name, or seen in its values. Every answer comes with its reason."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs

from optoutkit.bulk.cells import is_identity, plain_name, read_flag, read_time
from optoutkit.bulk.vocabulary import Field, Form, vocabulary
from optoutkit.errors import InvalidInput

__all__ = ["Column", "Sample", "assign", "read_mapping"]

_NEVER_GUESSED = {Field.SELLER, Field.VERIFIED}
_LISTED = 20
_FEW = 10  # a list may be bad for the most part, as one of rejects is; a column of streets has no address in it
_KEYS = ("address:", "order:", "digest:")
_EXCLUDES = {
    Field.IDENTITY: {Field.IDENTITY, Field.ADDRESS, Field.ORDER},
    Field.ADDRESS: {Field.IDENTITY, Field.ADDRESS},
    Field.ORDER: {Field.IDENTITY, Field.ORDER},
}


@attrs.frozen
class Column:
    """A column of a list.

    Attributes:
        name: As the list has it; for a table without names its number, from 1.
        key: How to get at its values: a position in a table, a name in JSON.
        field: What it tells; None if it is not used.
        why: How that is known.
    """

    name: str
    key: int | str
    field: Field | None
    why: str


@attrs.frozen
class Sample:
    """A column, and those of its first values that are not empty."""

    name: str
    key: int | str
    values: tuple[str, ...]


def read_mapping(text: str) -> tuple[str, Field | None]:
    """Read what a user says of a column, such as ``E-mail=address``; nothing behind the ``=`` leaves it out.

    Raises:
        InvalidInput: It is not of this form, or there is no such field.
    """
    name, separator, field = text.rpartition("=")
    if not separator or not name.strip():
        raise InvalidInput(f"not of the form COLUMN=FIELD: {text!r}")
    try:
        return name.strip(), Field(field.strip()) if field.strip() else None
    except ValueError:
        raise InvalidInput(f"there is no field {field.strip()!r}; there is: {', '.join(Field)}") from None


def assign(samples: Sequence[Sample], told: Mapping[str, Field | None], form: Form | None, *, has_names: bool) -> tuple[Column, ...]:
    """Find out what each column tells.

    A field is told by one column. ``seller`` and ``verified`` are never guessed: a list from elsewhere must not write into another
    seller's list, nor claim to be proved.

    Args:
        samples: The columns.
        told: What the user says, by name.
        form: What list it is, if that is known.
        has_names: Whether the columns are called something in the list.

    Raises:
        InvalidInput: The user names a column that is not there, or two for one field; or none tells who opted out; or one tells who has
            not, and not all of it can be read.
    """
    chosen = {column.key: column for column in _as_told(samples, told)}
    unused: dict[int | str, Column] = {}
    for guess in (*_by_name(samples, form), *_by_values(samples, has_names=has_names)):
        if guess.key in chosen:
            continue
        taken = {column.field for column in chosen.values()}
        if guess.field is None:
            unused.setdefault(guess.key, guess)
        elif taken & _EXCLUDES.get(guess.field, {guess.field}):
            unused.setdefault(guess.key, attrs.evolve(guess, field=None, why=f"another column is the {guess.field}"))
        else:
            chosen[guess.key] = guess
    _check_none_is_ignored_who_has_not(samples, chosen, unused, form)
    if not any(column.field and column.field.names_a_buyer for column in chosen.values()):
        raise InvalidInput(f"no column has addresses or order IDs; say which one does. There is: {_listed(samples)}")
    unknown = {sample.key: Column(sample.name, sample.key, None, "not known") for sample in samples}
    return tuple((unknown | unused | chosen).values())


def _check_none_is_ignored_who_has_not(
    samples: Sequence[Sample], chosen: Mapping[int | str, Column], unused: Mapping[int | str, Column], form: Form | None
) -> None:
    """Refuse to leave a column out that says of some that they have not opted out: they would be taken for those who have."""
    taken = {column.field for column in chosen.values()}
    for sample in samples:
        field, _ = _field_named(sample.name, form)
        if sample.key not in chosen and field not in taken and field is not None and _tells_who_has_not(field, sample.values):
            raise InvalidInput(
                f"the column {sample.name!r} can tell who has not opted out, but it has what cannot be read: {unused[sample.key].why}. "
                f"Say '{sample.name}={field}' to have such lines among the bad ones, or '{sample.name}=' to leave the column out"
            )


def _tells_who_has_not(field: Field, values: Sequence[str]) -> bool:
    return field is Field.OPTED_OUT or (field is Field.REASON and any(vocabulary().denies(value) for value in values))


def _as_told(samples: Sequence[Sample], told: Mapping[str, Field | None]) -> Iterator[Column]:
    fields = set()
    for name, field in told.items():
        if field in fields:
            raise InvalidInput(f"two columns are said to be the {field}")
        fields |= {field} - {None}
        same = [sample for sample in samples if sample.name == name] or [
            sample for sample in samples if plain_name(sample.name) == plain_name(name)
        ]
        if not same:
            raise InvalidInput(f"there is no column {name!r}; there is: {_listed(samples)}")
        yield Column(same[0].name, same[0].key, field, "you say so")


def _listed(samples: Sequence[Sample]) -> str:
    return ", ".join([repr(sample.name) for sample in samples[:_LISTED]] + ["…"] * (len(samples) > _LISTED))


def _by_name(samples: Sequence[Sample], form: Form | None) -> Iterator[Column]:
    """What the names say, where the values bear it out; of two for one field the one with more different values first."""
    for sample in sorted(samples, key=lambda sample: -len(set(sample.values))):
        name = plain_name(sample.name)
        field, why = _field_named(sample.name, form)
        if field is None and form is not None and name in form.columns:
            yield Column(sample.name, sample.key, None, "no use in a list of this tool")
        elif field is not None:
            misfit = _misfit(field, sample.values)
            yield Column(sample.name, sample.key, None if misfit else field, misfit or why)
        elif name in _NEVER_GUESSED:
            yield Column(sample.name, sample.key, None, "only used if you say so")


def _field_named(name: str, form: Form | None) -> tuple[Field | None, str]:
    """What a column of this name tells, and how that is known."""
    plain = plain_name(name)
    if form is not None and plain in form.columns:
        return form.columns[plain], "a guess at how this tool calls it" if form.confidence == "L" else "as this tool calls it"
    return vocabulary().fields.get(plain), "by its name"


def _by_values(samples: Sequence[Sample], *, has_names: bool) -> Iterator[Column]:
    """What the values look like: those of a buyer differ from row to row."""
    for sample in samples:
        good = [value for value in sample.values if is_identity(value)]
        differ = len(set(good)) > 1 or len(sample.values) == 1
        if good and (len(samples) == 1 or (differ and 2 * len(good) >= len(sample.values))):
            addresses = sum("@" in value for value in good)
            field = Field.ADDRESS if addresses == len(good) else Field.ORDER if not addresses else Field.IDENTITY
            if any(value.startswith(_KEYS) for value in good):
                field = Field.IDENTITY
            yield Column(sample.name, sample.key, field, f"by its values: {len(good)} of the first {len(sample.values)} are some")
        elif not has_names and sample.values and not _misfit(Field.REASON, sample.values):
            yield Column(sample.name, sample.key, Field.REASON, "by its values: all of the first are reasons")


def _misfit(field: Field, values: Sequence[str]) -> str:
    """Why these cannot be the values of a field; empty if they can."""
    if field.names_a_buyer:
        good = sum(map(is_identity, values))
        return "" if _FEW * good >= len(values) else f"its values are no {field}: {next(v for v in values if not is_identity(v))[:40]!r}"
    try:
        for value in values:
            _CHECKS.get(field, str)(value)
    except InvalidInput as error:
        return str(error)
    return ""


_CHECKS: dict[Field, Callable[[str], object]] = {
    Field.REASON: lambda value: vocabulary().reason_of(value),
    Field.SINCE: read_time,
    Field.EXPIRES_AT: read_time,
    Field.OPTED_OUT: read_flag,
    Field.AMAZON_OPT_OUT: read_flag,
}
