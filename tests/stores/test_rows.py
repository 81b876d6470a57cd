"""Values in columns."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.rows import REASON_CODES, column_of, identity_of, micros, moment, opt_out_of

words = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24FF, exclude_characters='<>()[],;:\\"@', categories=["L", "N"]), min_size=1
)
identities = (
    words.map(lambda word: Address(f"{word[:20]}@example.com"))
    | st.from_regex(r"\A[0-9]{3}-[0-9]{7}-[0-9]{7}\Z").map(OrderId)
    | st.builds(
        Digest, st.sampled_from(["address", "order"]), st.sampled_from(["a", "a-b", "a.b", "ab", "b"]), st.binary(min_size=16, max_size=16)
    )
)


@given(identities, identities)
def test_identities_read_back_and_sort_like_their_keys(one: Identity, other: Identity) -> None:
    """A column names its identity, and columns (as the bytes that SQLite compares) stand in the order of the keys."""
    assert identity_of(column_of(one)) == one
    assert (column_of(one).encode() < column_of(other).encode()) == (one.key < other.key)


@given(st.none() | st.datetimes(timezones=st.just(UTC)))
@example(datetime.min.replace(tzinfo=UTC))
@example(datetime.max.replace(tzinfo=UTC))
def test_times_read_back(at: datetime | None) -> None:
    """Every time from year 1 to 9999 is kept to the microsecond."""
    assert moment(micros(at)) == at


def test_times_are_kept_in_utc() -> None:
    """The zone in which a time is given makes no difference."""
    assert micros(datetime(1970, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))) == 0


def test_reasons_are_numbered_by_strength() -> None:
    """Each reason has a code, stronger ones a smaller one, so that they are stored in the order in which they are yielded."""
    assert sorted(Reason, key=lambda reason: -reason.strength) == sorted(REASON_CODES, key=REASON_CODES.__getitem__) == list(Reason)


@pytest.mark.parametrize("column", ["", "x", "q:a@example.com", "a:", "a:no address", "o:1", "d:address:k:zz", b"a:a@example.com", 7, None])
def test_a_key_that_nobody_wrote_is_damage(column: str) -> None:
    """Whatever stands in the column, it is an identity or StoreCorrupt."""
    with pytest.raises(StoreCorrupt):
        identity_of(column)


@pytest.mark.parametrize(("reason", "since"), [(99, None), (None, None), (10, 2**63 - 1), (10, "yesterday")])
def test_an_entry_that_nobody_wrote_is_damage(reason: int, since: int | None) -> None:
    """Unknown reasons and impossible times are StoreCorrupt."""
    buyer = Address("buyer@example.com")
    assert opt_out_of(buyer, "", 10, None, None, 0, "x") == OptOut(buyer, reason=Reason.COMPLAINT, source="x")
    with pytest.raises(StoreCorrupt, match="restore it"):
        opt_out_of(buyer, "", reason, since, None, 0, "x")
