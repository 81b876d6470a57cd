"""Where things are kept."""

from collections import Counter

from redis.crc import key_slot

from optoutkit.stores.redis.layout import PARTS, Layout, is_address, seller_of, slot_of


def test_parts_are_spread_evenly_over_the_slots() -> None:
    """Each part has a slot in its own share, so that any even division of a cluster divides the parts evenly."""
    slots = [slot for slot, _ in Layout("x:").probes()]
    assert [slot * PARTS // 16384 for slot in slots] == list(range(PARTS))


def test_slots_are_those_of_the_cluster() -> None:
    """The slot that a command is sent by is the one that a cluster computes from the key, and what changes together is in one."""
    layout = Layout("x:")
    places = [layout.schema, layout.days, layout.day(20513), *layout.indexes("shop"), *layout.probes()]
    places += [layout.identity(f"a:buyer{{{number}}}@example.com") for number in range(100)]
    for slot, key in places:
        assert key_slot(key) == slot
    for number in range(100):
        column = f"o:302-{number:07}-1234567"
        assert key_slot(layout.index(column, "}{")) == layout.identity(column)[0]
    assert slot_of(b"123456789") == 0x31C3  # the example of the cluster specification


def test_identities_are_dealt_out_evenly() -> None:
    """No part has much more than its share."""
    counts = Counter(Layout("x:").identity(f"a:buyer{number}@example.com")[0] for number in range(128_00))
    assert len(counts) == PARTS
    assert max(counts.values()) < 160


def test_kinds_are_told_apart() -> None:
    """By a column one knows whether it is an address, by a field whether it is a card."""
    assert [is_address(column) for column in ("a:x@y.z", "d:address:k:00", "o:302-1", "d:order:k:00")] == [True, True, False, False]
    assert [seller_of(field) for field in (b"=shop", b"=", b"-shop", b"+shop\0o:1")] == ["shop", "", None, None]
