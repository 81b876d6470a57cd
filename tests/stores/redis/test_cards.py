"""Cards, as they stand in a field."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Address
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.redis.cards import Card, history_line
from optoutkit.stores.rows import REASON_CODES

BUYER = Address("buyer@example.com")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

NO_CARDS = [b"", b"x", b"\xff", b"1", b"{}", b'"text"', b"[[]]x", b'[[],[],[],[],"",[]]', b"[" * 100_000]
NO_CARDS += [b"[[[99]]]", b"[[[20,1,2,3,4,5]]]", b"[[[]]]", b"[[[20,[]]]]", b"[[[20,1%b]]]" % (b"0" * 30)]
NO_CARDS += [b"[[],[[10,null]]]", b"[[],[[10]]]", b"[[],[],[1]]", b"[[],[],[],[1]]"]

moments = st.none() | st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
entries = st.builds(
    OptOut,
    st.just(BUYER),
    st.just("a"),
    reason=st.sampled_from(Reason),
    since=moments,
    expires_at=moments,
    source=texts,
    verified=st.booleans(),
)
cards = st.builds(
    Card,
    st.lists(entries, max_size=3).map(lambda found: {REASON_CODES[entry.reason]: entry for entry in found}),
    st.dictionaries(st.sampled_from([10, 20]), st.datetimes(timezones=st.just(UTC)), max_size=2),
    st.none() | st.tuples(texts, st.integers(0, 100_000)),
    st.dictionaries(texts, texts, max_size=2),
    texts,
)


@given(cards)
def test_a_card_comes_back_as_it_was(card: Card) -> None:
    """Whatever is on a card is read as it was written; an empty card is no field at all."""
    raw = card.write()
    read = Card.read(raw or None, BUYER, "a")
    assert read == card
    assert read.moved == (card.moved if raw else "")
    assert (raw == b"") == (card == Card())


def test_a_card_is_small() -> None:
    """What is empty takes no room."""
    assert Card({20: OptOut(BUYER)}).write() == b"[[[20]]]"
    assert Card(link=("a:buyer@example.com", 20513)).write() == b'[[],[],["a:buyer@example.com",20513]]'


@pytest.mark.parametrize("raw", NO_CARDS)
def test_what_is_no_card_is_refused(raw: bytes) -> None:
    """Whatever stands there, it is read or it is StoreCorrupt."""
    with pytest.raises(StoreCorrupt, match="no optoutkit has written"):
        Card.read(raw, BUYER, "")


def test_the_history_says_what_was_withdrawn_when_and_why() -> None:
    """A line has the entry, the time in microseconds, and the reason in words."""
    line = history_line(OptOut(BUYER, since=NOON, source="a mail"), NOON + timedelta(days=1), "wrote to us")
    assert line == b'[20,1772366400000000,null,0,"a mail",1772452800000000,"wrote to us"]\n'
    assert history_line(OptOut(BUYER), NOON, "") == b'[20,null,null,0,"",1772366400000000,""]\n'
