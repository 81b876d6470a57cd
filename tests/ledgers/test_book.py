"""What is written down of a request, and what it means."""

import pytest

from optoutkit.identities import OrderId
from optoutkit.ledgers import Standing
from optoutkit.ledgers.book import Book
from optoutkit.testing.stores import ManualClock

ORDER = OrderId("302-1234567-1234567")


@pytest.fixture
def book() -> Book:
    """A book without a secret."""
    return Book(keep_days=180, secret=None, clock=ManualClock())


def test_a_key_is_of_one_order_of_one_seller(book: Book) -> None:
    """Two sellers, or two orders, have never the same, whatever their names; with another secret it is another one."""
    orders = [ORDER, OrderId("D01-1234567-1234567")]
    keys = [key for seller in ("", "a", "302") for key in book.keys(orders, seller)]
    keys += Book(keep_days=180, secret=bytes(16), clock=ManualClock()).keys(orders, "")
    assert len(set(keys)) == 8
    assert {len(key) for key in keys} == {16}


def test_what_was_another_s_a_moment_ago_is_pending(book: Book) -> None:
    """A database may answer that somebody had it, and has not any more: the caller asks again later."""
    ((key, _),) = book.keys([ORDER], "").items()
    reservation = book.reservation({key: ORDER}, {key: None}, book.claim(), "")
    assert (reservation.granted, reservation.refused) == ((), {ORDER: Standing.PENDING})


def test_no_token_and_no_secret_is_shown(book: Book) -> None:
    """Neither a reservation nor a book can be logged by mistake with what proves it."""
    claim = book.claim()
    assert repr(claim.token) not in repr(book.reservation(book.keys([ORDER], ""), {}, claim, ""))
    assert "secret" not in repr(Book(keep_days=1, secret=b"a secret of our own", clock=ManualClock()))
