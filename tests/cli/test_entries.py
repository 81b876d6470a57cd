"""``list``, ``add``, ``withdraw``, ``erase``: the entries of the list, by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from optoutkit.identities import Address, Digest, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.opening import open_store

Run = Callable[..., Any]

BUYER, OTHER = Address("5vd9kx2mz7rq8tn@marketplace.amazon.de"), Address("someone@example.com")
ORDER = OrderId("302-4471806-5590237")
URI = "sqlite:///optouts.db"
SINCE = datetime(2026, 9, 21, 14, 18, tzinfo=UTC)


def entries(seller: str = "") -> list[OptOut]:
    """What is in the default store."""
    with open_store(URI) as store:
        return list(store.scan(seller=seller))


def record(*opt_outs: OptOut) -> None:
    """Put entries into the default store."""
    with open_store(URI) as store:
        store.record(opt_outs)


def test_added_entries_are_in_the_store_as_told(run: Run) -> None:
    """Every option of ``add`` ends up in the entry, and addresses and orders may be mixed."""
    times = ["--since", "2026-09-21T16:18+02:00", "--expires", "2030-01-31"]
    done = run("add", BUYER, ORDER, *times, "--reason", "complaint", "--source", "phone call", "--seller", "s1", "--format", "json")
    assert (done.code, done.record) == (0, {"new": 2, "known": 0})
    expected: dict[str, Any] = {
        "reason": Reason.COMPLAINT,
        "since": SINCE,
        "expires_at": datetime(2030, 1, 31, tzinfo=UTC),
        "source": "phone call",
    }
    assert entries("s1") == [OptOut(BUYER, "s1", **expected), OptOut(ORDER, "s1", **expected)]
    assert entries() == []


def test_who_is_added_without_a_date_is_on_the_list_from_now_on(run: Run) -> None:
    """Even after a withdrawal: whoever adds somebody by hand means now."""
    before = datetime.now(UTC)
    assert run("add", BUYER).out == "new: 1, known before: 0\n"
    assert run("withdraw", BUYER).out == "withdrawn: 1\n"
    assert run("add", BUYER).code == 0
    (entry,) = entries()
    assert entry.since is not None
    assert before <= entry.since <= datetime.now(UTC)
    assert entry.reason is Reason.MANUAL


@pytest.mark.parametrize("options", [["--since", "2020-01-01"], ["--expires", "2020-01-01"]])
def test_an_entry_without_effect_is_told(run: Run, options: list[str]) -> None:
    """Nobody is left in the belief that a buyer is on the list who is not."""
    run("add", BUYER)
    run("withdraw", BUYER)
    done = run("add", BUYER, *options)
    assert done.code == 2
    assert done.err.startswith(f"error: {BUYER}: not on the list now")


def test_list_shows_every_entry_of_one_list_as_json(run: Run) -> None:
    """One object a line, with the fields that the help names; times in ISO 8601, UTC."""
    record(
        OptOut(BUYER, reason=Reason.BUYER_OPT_OUT, since=SINCE, source="<a@amazon>", verified=True),
        OptOut(ORDER, expires_at=SINCE),
        OptOut(OTHER, SHARED),
    )
    done = run("list", "--format", "json")
    assert done.code == 0
    assert done.records == [
        {"identity": BUYER.key, "seller": "", "reason": "buyer_opt_out", "since": "2026-09-21T14:18:00+00:00", "expires_at": None,
         "source": "<a@amazon>", "verified": True},
        {"identity": ORDER.key, "seller": "", "reason": "buyer_opt_out", "since": None, "expires_at": "2026-09-21T14:18:00+00:00",
         "source": "", "verified": False},
    ]  # fmt: skip
    assert [entry["identity"] for entry in run("list", "--seller", "*", "--format", "json").records] == [OTHER.key]


def test_list_shows_people_what_they_need(run: Run) -> None:
    """Who, why, since and until when, whether it was proved, and where it is known from; an expired entry says so."""
    later = datetime.now(UTC) + timedelta(days=400)
    record(
        OptOut(BUYER, since=SINCE, expires_at=later, source="a notice", verified=True),
        OptOut(ORDER, reason=Reason.MANUAL, expires_at=SINCE),
    )
    buyer, order = run("list").out.splitlines()
    assert buyer.split() == f"buyer {BUYER} buyer opt-out since 2026-09-21 until {later:%Y-%m-%d} verified a notice".split()
    assert order.split() == f"order {ORDER} manual expired 2026-09-21".split()
    assert order == order.rstrip()


def test_an_empty_list_says_so_beside_the_output(run: Run) -> None:
    """Standard output stays empty for programs."""
    done = run("list", "--store", "memory://")
    assert (done.code, done.out, done.err) == (0, "", "note: the list is empty\n")


@pytest.mark.parametrize("command", ["withdraw", "erase"])
def test_what_list_prints_can_be_given_back(run: Run, command: str) -> None:
    """The identities of ``list --format json`` are understood, digests too."""
    digest = Digest("address", "k1", bytes(16))
    record(OptOut(BUYER), OptOut(ORDER), OptOut(digest))
    identities = [entry["identity"] for entry in run("list", "--format", "json").records]
    assert len(identities) == 3
    assert run(command, *identities).code == 0
    assert entries() == []


def test_withdraw_counts_the_entries_of_the_whole_buyer(run: Run) -> None:
    """Also those of the buyer's orders, and in one list only; the reason goes into the history."""
    record(OptOut(ORDER), OptOut(BUYER), OptOut(BUYER, SHARED))
    run("link", ORDER, BUYER)
    assert run("withdraw", BUYER, "--why", "wrote to us", "--format", "json").record == {"withdrawn": 2}
    assert entries() == []
    assert len(entries(SHARED)) == 1


def test_erase_forgets_and_counts(run: Run) -> None:
    """A withdrawn entry's history is erased, too, so that an old notice records the buyer afresh."""
    record(OptOut(BUYER, since=SINCE))
    run("withdraw", BUYER)
    assert run("erase", BUYER, "--format", "json").record == {"erased": 1, "still_refusing": 0}
    record(OptOut(BUYER, since=SINCE))
    assert len(entries()) == 1


@pytest.mark.parametrize(("command", "said"), [("withdraw", "withdrawn: 0\n"), ("erase", "erased: 0, still refusing mail: 0\n")])
def test_nothing_to_do_is_said_and_no_failure(run: Run, command: str, said: str) -> None:
    """A slip of the pen shows, but a script that repeats itself goes on."""
    done = run(command, BUYER, "--store", "memory://")
    assert (done.code, done.out, done.err) == (0, said, "note: none of them was on this list\n")


@pytest.mark.parametrize("command", ["add", "withdraw", "erase"])
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("302-447-559", "not an Amazon order ID (such as 302-1234567-1234567): '302-447-559', and without an @ no address either"),
        ("anna@", "not an e-mail address, a part beside the @ is missing: 'anna@'"),
        ("digest:address:k1:zz", "not the key of an address, order or digest: 'digest:address:k1:zz'"),
    ],
)
def test_a_wrong_address_or_order_is_one_line(run: Run, command: str, bad: str, why: str) -> None:
    """It says what is wrong and where to read on, and nothing is done for the others."""
    done = run(command, BUYER, bad)
    assert done.code == 2
    assert done.out == ""
    assert done.err == f"error: Invalid value for 'ADDRESS_OR_ORDER...': {why}. See: optoutkit {command} --help\n"


@pytest.mark.parametrize("bad", ["tomorrow", "0001-01-01T00:00+14:00", ""])
def test_a_wrong_date_is_one_line(run: Run, bad: str) -> None:
    """Dates that no UTC has are wrong, too."""
    done = run("add", BUYER, "--since", bad)
    assert done.code == 2
    assert "not a date, such as 2026-11-30" in done.err
    assert done.err.count("\n") == 1


def test_what_is_added_in_memory_is_forgotten_and_that_is_said(run: Run) -> None:
    """Somebody might take it for a place."""
    done = run("add", BUYER, "--store", "memory://")
    assert (done.code, done.out) == (0, "new: 1, known before: 0\n")
    assert done.err.startswith("note: memory:// forgets everything when this command ends")


def test_entries_are_counted_by_the_secret_they_bear(run: Run) -> None:
    """Of all sellers, unless one is named, and without knowing a secret; those in clear are counted apart."""
    old, new = (Digest("address", name, bytes(16)) for name in ("2025", "2026"))
    record(OptOut(old), OptOut(old, "a"), OptOut(new, SHARED), OptOut(BUYER))
    done = run("list", "--secrets")
    assert (done.code, done.out.splitlines()) == (0, ["in clear: 1", "2025: 2", "2026: 1"])
    assert run("list", "--secrets", "--format", "json").record == {"2025": 2, "2026": 1, "": 1}
    assert run("list", "--secrets", "--seller", "a", "--format", "json").record == {"2025": 1}
    assert run("list", "--secrets", "--seller", "b").err == "note: the list is empty\n"
