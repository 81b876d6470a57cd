"""The rules that all backends share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.identities import Address, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import rules

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUYER = Address("buyer@example.com")

moments = st.none() | st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
entries = st.builds(OptOut, st.just(BUYER), since=moments, expires_at=moments, source=st.sampled_from("abc"), verified=st.booleans())


@given(entries, entries, entries)
def test_merging_does_not_depend_on_the_order(first: OptOut, second: OptOut, third: OptOut) -> None:
    """But for the source, of which the first (or the first verified) stays, any order and grouping gives the same entry."""

    def rest(entry: OptOut) -> tuple[object, ...]:
        return entry.since, entry.expires_at, entry.verified

    assert rest(rules.merge(first, second)) == rest(rules.merge(second, first))
    assert rules.merge(rules.merge(first, second), third) == rules.merge(first, rules.merge(second, third))
    assert rules.merge(first, first) == first


@given(entries, entries)
def test_merging_never_weakens(known: OptOut, told: OptOut) -> None:
    """What is in force at some time stays so, what is verified stays verified, and no date gets later."""
    merged = rules.merge(known, told)
    assert merged.in_force(NOW) == (known.in_force(NOW) or told.in_force(NOW))
    assert merged.verified == (known.verified or told.verified)
    assert known.since is None or (merged.since is not None and merged.since <= known.since)


@given(entries, entries, moments)
def test_telling_twice_is_telling_once(known: OptOut, told: OptOut, withdrawn_at: datetime | None) -> None:
    """Whatever an opt-out did, telling it again at once does nothing and is not new."""
    entry, _ = rules.admit(known, told, withdrawn_at=withdrawn_at, now=NOW)
    assert rules.admit(entry or known, told, withdrawn_at=withdrawn_at, now=NOW) == (None, False)


@given(entries)
def test_the_unknown_is_always_new(told: OptOut) -> None:
    """Where there is neither entry nor withdrawal, what is told is kept as it is."""
    assert rules.admit(None, told, withdrawn_at=None, now=NOW) == (told, True)


@pytest.mark.parametrize(("since", "revives"), [(None, False), (NOW, False), (NOW + timedelta(microseconds=1), True)])
def test_only_what_is_later_revives(since: datetime | None, revives: bool) -> None:
    """A withdrawal stands against what is undated, older, or of the same microsecond."""
    told = OptOut(BUYER, since=since)
    assert rules.admit(None, told, withdrawn_at=NOW, now=NOW) == ((told, True) if revives else (None, False))


def test_each_rule_of_choice_decides_where_those_before_it_do_not() -> None:
    """Own, strongest, asked itself, earliest, least key: in this order."""
    order, other = OrderId("302-1234567-1234567"), OrderId("302-2234567-1234567")
    ranked = [
        OptOut(other, "a", reason=Reason.COMPLAINT),
        OptOut(BUYER, "a", since=NOW),
        OptOut(order, "a", since=NOW - timedelta(days=1)),
        OptOut(other, "a", since=NOW - timedelta(days=1)),
        OptOut(order, "a", since=NOW),
        OptOut(order, "a"),
        OptOut(BUYER, SHARED, reason=Reason.COMPLAINT),
    ]
    for best, *rest in (ranked[start:] for start in range(len(ranked))):
        assert rules.best([*rest, best], BUYER) == best


def test_a_cluster_is_an_address_and_its_orders() -> None:
    """It is the same from each of them, and ends there."""
    orders = [OrderId(f"302-{number:07}-1234567") for number in range(3)]
    addresses: dict[Identity, Identity] = dict.fromkeys(orders[:2], BUYER)

    def cluster(identity: Identity) -> frozenset[Identity]:
        return rules.cluster(identity, addresses.get, lambda address: (o for o, a in addresses.items() if a == address))

    assert cluster(BUYER) == cluster(orders[0]) == cluster(orders[1]) == {BUYER, *orders[:2]}
    assert cluster(orders[2]) == {orders[2]}


@pytest.mark.parametrize(
    ("known", "replace", "outcome"),
    [(None, False, "new"), ("a", False, "known"), ("a", True, "known"), ("b", False, "contradicted"), ("b", True, "new")],
)
def test_links_are_judged(known: str | None, replace: bool, outcome: str) -> None:
    """A link is new, known, or in contradiction; replacing makes it new."""
    assert rules.judge_link(known, "a", replace=replace) == outcome


def test_days_are_those_of_utc() -> None:
    """A link's day does not depend on the time zone of the clock."""
    eve = datetime(1970, 1, 2, 1, tzinfo=timezone(timedelta(hours=9)))
    assert rules.link_day(eve) == 0
    assert rules.oldest_day_kept(eve, 180) == -180


def test_a_write_reviews_more_links_than_it_can_bring() -> None:
    """Otherwise old links would pile up."""
    assert all(rules.links_to_review(written) > written for written in (0, 1, 10_000))
