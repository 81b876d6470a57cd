"""Values and columns: what goes in comes out, in little room, and in the order of the keys."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.rows import REASON_CODES
from optoutkit.stores.sqlite.packing import column_of, identity_of, opt_out_of, packed_source, packed_time, whole_seconds

BUYER = Address("buyer@example.com")
SES_ID = "<0102019a2b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000@eu-west-1.amazonses.com>"

digests = st.builds(
    Digest,
    st.sampled_from(["address", "order"]),
    st.sampled_from(["k", "2026", "20261", "2026-2", "2026.2", "2026_2", "A", "a"]),
    st.binary(min_size=16, max_size=16),
)
identities = st.one_of(
    digests,
    st.from_regex(r"[a-z0-9.+_~!é-]{1,8}@[a-z]{1,3}\.com", fullmatch=True).map(Address),
    st.from_regex(r"([0-9]{3}|[DSP]0[0-9])-[0-9]{7}-[0-9]{7}", fullmatch=True).map(OrderId),
)


@given(st.lists(identities, min_size=2, max_size=2))
def test_columns_sort_as_keys_do(pair: list[Identity]) -> None:
    """The order of the columns is that of the keys, and each can be read back."""
    columns = [column_of(identity) for identity in pair]
    assert [identity_of(column) for column in columns] == pair
    assert (columns[0] < columns[1]) == (pair[0].key < pair[1].key)


@pytest.mark.parametrize(
    "column",
    [
        "",
        "x",
        "d",
        "d:address:k:00",
        "dx:k:" + "-" * 22,
        "da:k:" + "-" * 21,
        "da:k:" + "+" * 22,
        "da:ü:" + "-" * 22,
        "da:k:é",
        7,
        b"da:k:",
        None,
    ],
)
def test_a_key_that_nobody_wrote_is_damage(column: Any) -> None:
    """Whatever stands in the column, it is an identity or StoreCorrupt."""
    with pytest.raises(StoreCorrupt):
        identity_of(column)


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(1970, 1, 1, tzinfo=UTC))
@example(datetime.min.replace(tzinfo=UTC))
@example(datetime.max.replace(tzinfo=UTC))
def test_a_time_comes_back(at: datetime) -> None:
    """To the microsecond; whole seconds take four bytes for many years to come."""
    packed = packed_time(at)
    assert packed is not None
    assert opt_out_of(BUYER, "", 20, packed, None, 0, "").since == at
    assert whole_seconds(at) == (at.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    if at.microsecond == 0 and 1970 <= at.year <= 2037:
        assert 0 <= packed < 2**31


@given(
    st.text(max_size=100)
    | st.from_regex(r"<[0-9a-fA ]{16}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{6}@[a-zé0-9.-]{1,33}\.amazonses\.com>\n?")
)
@example(SES_ID)
@example(SES_ID.upper())
@example(SES_ID + "\n")
@example(SES_ID.replace("0102", "٠١٠٢"))
def test_a_source_comes_back(source: str) -> None:
    """Whatever it looks like."""
    assert opt_out_of(BUYER, "", 20, None, None, 0, packed_source(source)).source == source


def test_the_message_id_of_a_notice_takes_less_than_half() -> None:
    """What Amazon's mail service writes is kept as bytes."""
    assert len(packed_source(SES_ID)) * 2 < len(SES_ID)


@pytest.mark.parametrize(("reason", "since", "source"), [(99, None, ""), (10, 2**63 - 1, ""), (10, 2**59, ""), (10, "yesterday", "")])
def test_an_entry_that_nobody_wrote_is_damage(reason: int, since: Any, source: str) -> None:
    """Unknown reasons and impossible times are StoreCorrupt."""
    assert opt_out_of(BUYER, "", REASON_CODES[Reason.COMPLAINT], None, None, 0, b"\xff" * 30).reason is Reason.COMPLAINT
    assert opt_out_of(BUYER, "", 20, None, None, 1, "x") == OptOut(BUYER, source="x", verified=True)
    with pytest.raises(StoreCorrupt, match="restore it"):
        opt_out_of(BUYER, "", reason, since, None, 0, source)
