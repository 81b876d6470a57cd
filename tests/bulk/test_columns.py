"""What columns tell, and how a row is read by it."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.bulk import Field
from optoutkit.bulk.cells import read_flag, read_time
from optoutkit.bulk.columns import read_mapping
from optoutkit.errors import InvalidInput
from optoutkit.optouts import SHARED, Reason

Read = Callable[..., Any]


class TestGuesses:
    """Columns that nobody says anything of."""

    def test_each_says_why(self, read: Read) -> None:
        """Used or not."""
        done = read("E-mail address,Type,Unsubscribed At,Shoe size,seller\na@b.example,bounce,2026-01-02,44,x\n")
        assert {column.name: (column.field, column.why) for column in done.listing.layout.columns} == {
            "E-mail address": ("address", "by its name"),
            "Type": ("reason", "by its name"),
            "Unsubscribed At": ("since", "by its name"),
            "Shoe size": (None, "not known"),
            "seller": (None, "only used if you say so"),
        }

    def test_a_name_counts_only_if_the_values_bear_it_out(self, read: Read) -> None:
        """A street is no address, a shop's own number no order of Amazon's, and some dates could be either of two days."""
        table = "address,order,status,opt-out date,Amazon opt-out,contact\n" + "".join(
            f"Street {number},1000{number},shipped,03/04/2026,maybe,b{number}@example.com\n" for number in range(3)
        )
        done = read(table)
        assert done.fields == dict.fromkeys(["address", "order", "status", "opt-out date", "Amazon opt-out"]) | {"contact": "address"}
        why = {column.name: column.why for column in done.listing.layout.columns}
        assert why["address"] == "its values are no address: 'Street 0'"
        assert why["opt-out date"] == "not a time that can be read, as it could be either of two days: '03/04/2026'"
        assert why["status"] == "not a reason that is known: 'shipped'"
        assert why["Amazon opt-out"] == "neither yes nor no: 'maybe'"
        assert why["contact"] == "by its values: 3 of the first 3 are some"

    @pytest.mark.parametrize(
        ("column", "field", "values", "why"),
        [
            ("opted out", "opted_out", ("yes", "no", "perhaps"), "neither yes nor no: 'perhaps'"),
            ("Status", "reason", ("optout", "Subscribed", "soft bounce"), "not a reason that is known: 'soft bounce'"),
        ],
    )
    def test_who_has_not_opted_out_is_never_ignored(self, read: Read, column: str, field: str, values: tuple[str, ...], why: str) -> None:
        """One value that cannot be read must not put on the list whom the others keep off it: the user is asked, and decides."""
        table = f"email,{column}\n" + "".join(f"{name}@b.example,{value}\n" for name, value in zip("abc", values, strict=True))
        with pytest.raises(InvalidInput, match=f"the column '{column}' can tell .*: {why}. Say '{column}={field}' .* or '{column}=' to"):
            read(table)
        done = read(table, columns={column: Field(field)})
        assert (done.keys, done.report.passed_over, [row.why for row in done.bad]) == (["a@b.example"], 1, [why])
        assert read(table, columns={column: None}).keys == ["a@b.example", "b@b.example", "c@b.example"]

    def test_one_column_is_enough_to_tell_who_has_not(self, read: Read) -> None:
        """Another one that would say so need not be readable, nor one that holds something else."""
        done = read("email,unsubscribed,blacklisted\na@b.example,yes,?\nb@b.example,no,?\n")
        assert (done.keys, done.fields["blacklisted"]) == (["a@b.example"], None)
        assert read("opt out,x\na@b.example,1\nb@b.example,2\n").fields == {"opt out": "address", "x": None}

    def test_the_seller_s_own_address_is_not_the_buyer_s(self, read: Read) -> None:
        """Of two columns, that counts in which rows differ; and one that is always the same is never taken by its values."""
        rows = "".join(f"shop@example.com,b{number}@example.com\n" for number in range(3))
        assert read("email,customer email\n" + rows).keys == ["b0@example.com", "b1@example.com", "b2@example.com"]
        rows = "".join(f"shop@example.com,302-{number}234567-1234567\n" for number in range(3))
        assert read("contact,Order ID\n" + rows).fields == {"contact": None, "Order ID": "order"}

    def test_orders_by_name_do_not_keep_addresses_from_being_found(self, read: Read) -> None:
        """Nobody is lost whose address stands in a column of another name."""
        rows = "".join(f"302-{number}234567-1234567,b{number}@example.com\n" for number in range(2))
        assert read("order-id,Käuferkontakt\n" + rows).fields == {"order-id": "order", "Käuferkontakt": "address"}

    def test_addresses_and_orders_in_one_column(self, read: Read) -> None:
        """As in a list that was kept by hand; also in one with a name that says otherwise."""
        assert read("Who,x\na@b.example,1\n302-1234567-1234567,2\n").fields["Who"] == "identity"
        assert read("email,x\na@b.example,1\n302-1234567-1234567,2\n").keys == ["a@b.example", "302-1234567-1234567"]

    def test_keys_are_understood(self, read: Read) -> None:
        """Digests, too."""
        digest = "digest:address:k1:" + "0a" * 16
        assert [entry.identity.key for entry in read(f"order:302-1234567-1234567\n{digest}\n").entries] == [
            "order:302-1234567-1234567",
            digest,
        ]


class TestSaid:
    """What the user says goes before every guess."""

    def test_names_and_numbers(self, read: Read) -> None:
        """As the list writes them, or nearly so; what is left out is not guessed."""
        assert read("Who;e-mail\nx@b.example;y@b.example\nz@b.example;u@b.example\n", columns={"who": Field.ADDRESS}).keys == [
            "x@b.example",
            "z@b.example",
        ]
        assert read("a@b.example,302-1234567-1234567\n", columns={"1": None}).keys == ["302-1234567-1234567"]

    def test_seller_and_verified_only_so(self, read: Read) -> None:
        """A list from elsewhere writes into no other list, least of all the shared one, and proves nothing."""
        table = "email,seller,verified\na@b.example,*,yes\nb@b.example,,no\n"
        assert {(entry.seller, entry.verified) for entry in read(table, seller="s").entries} == {("s", False)}
        done = read(table, seller="s", columns={"seller": Field.SELLER, "verified": Field.VERIFIED})
        assert [(entry.seller, entry.verified) for entry in done.entries] == [(SHARED, True), ("s", False)]

    @pytest.mark.parametrize(
        ("columns", "why"),
        [
            ({"nothing": Field.SINCE}, "there is no column 'nothing'; there is: 'email', 'x'"),
            ({"email": Field.SINCE, "x": Field.SINCE}, "two columns are said to be the since"),
            ({"email": None}, "no column has addresses"),
        ],
    )
    def test_what_cannot_be_is_told(self, read: Read, columns: dict[str, Field | None], why: str) -> None:
        """Before anything is recorded."""
        with pytest.raises(InvalidInput, match=why):
            read("email,x\na@b.example,1\n", columns=columns)

    def test_how_it_is_said(self) -> None:
        """``COLUMN=FIELD``, where the name may have a = in it."""
        assert read_mapping("a=b = since") == ("a=b", Field.SINCE)
        assert read_mapping("note=") == ("note", None)
        for bad in ("note", "=since", " =since", "note=nonsense"):
            with pytest.raises(InvalidInput):
                read_mapping(bad)


class TestRows:
    """How a row is read."""

    def test_defaults_hold_where_a_row_says_nothing(self, read: Read) -> None:
        """And not where it says something."""
        when = datetime(2026, 5, 1, tzinfo=UTC)
        table = "email,reason,since,source\na@b.example,,,\nb@b.example,Spam report,2025-01-01,x\n"
        first, second = read(table, seller="s", reason=Reason.UNSUBSCRIBE, since=when, source="list").entries
        assert (first.seller, first.reason, first.since, first.source) == ("s", Reason.UNSUBSCRIBE, when, "list")
        assert (second.reason, second.since, second.source) == (Reason.COMPLAINT, datetime(2025, 1, 1, tzinfo=UTC), "x")

    def test_without_a_word_it_was_done_by_hand_at_an_unknown_time(self, read: Read) -> None:
        """So that no such entry puts back whom the user has withdrawn."""
        (entry,) = read("a@b.example").entries
        assert (entry.reason, entry.since, entry.expires_at) == (Reason.MANUAL, None, None)

    def test_an_opt_out_is_never_later_than_now(self, read: Read) -> None:
        """A date in the future would outlive a withdrawal."""
        (entry,) = read("email,since\na@b.example,2999-01-01\n").entries
        assert entry.since is not None
        assert timedelta(0) <= datetime.now(UTC) - entry.since < timedelta(minutes=5)

    def test_a_reason_that_is_not_known_is_bad_unless_one_is_given(self, read: Read) -> None:
        """It may be a soft bounce, for which nobody is to be on the list."""
        table = "email,reason\n" + "".join(f"b{number}@example.com,bounce\n" for number in range(100)) + "a@b.example,soft bounce\n"
        assert [bad.why for bad in read(table).bad] == ["not a reason that is known: 'soft bounce'"]
        assert read(table, reason=Reason.MANUAL).entries[-1].reason is Reason.MANUAL

    def test_who_is_subscribed_has_not_opted_out(self, read: Read) -> None:
        """As the status of contacts in a newsletter tool says; a list of all contacts must not silence everybody."""
        done = read("Email Address,Status\na@b.example,Subscribed\nb@b.example,unsubscribed\n")
        assert (done.keys, done.report.passed_over) == (["b@b.example"], 1)

    def test_an_address_and_an_order_are_two_entries(self, read: Read) -> None:
        """Each holds by itself; another shop's number beside an address does no harm, alone it is bad."""
        rows = ["b1@example.com,302-1234567-1234567", "b2@example.com,10023", ",10024", "b@d@,302-7654321-1234567", ","]
        done = read("email,order\n" + "".join(f"{row}\n" for row in [*rows, "b3@example.com,302-1111111-1234567"] * 2))
        assert done.keys == ["b1@example.com", "302-1234567-1234567", "b2@example.com", "b3@example.com", "302-1111111-1234567"] * 2
        assert [bad.line for bad in done.bad] == [4, 5, 6, 10, 11, 12]
        assert done.bad[2].why == "there is neither an address nor an order in it"

    def test_rows_that_say_no(self, read: Read) -> None:
        """They are passed over; what is neither yes nor no is bad."""
        rows = ["a@b.example,yes", "b@b.example,No", "c@b.example,", *["d@b.example,x"] * 100, "e@b.example,perhaps"]
        done = read("email,opted out\n" + "\n".join(rows))
        assert {*done.keys} == {"a@b.example", "d@b.example"}
        assert (done.report.passed_over, len(done.bad)) == (2, 1)

    @pytest.mark.parametrize(("column", "value"), [("since", "soon"), ("expires_at", "soon"), ("verified", "perhaps"), ("seller", "a\0b")])
    def test_a_value_that_cannot_be_read_makes_a_bad_row(self, read: Read, column: str, value: str) -> None:
        """An opt-out is not recorded otherwise than it is told."""
        done = read(f"email,x\na@b.example,{value}\n", columns={"x": Field(column)})
        assert (done.entries, len(done.bad)) == ([], 1)

    def test_apostrophes_of_our_own_are_taken_away_from_tables_only(self, read: Read) -> None:
        """JSON has none."""
        assert read("email,source\na@b.example,'=1\n").entries[0].source == "=1"
        assert read("email,source\na@b.example,'1\n").entries[0].source == "'1"
        assert read('{"email": "a@b.example", "source": "\'=1"}\n').entries[0].source == "'=1"


class TestCells:
    """Times, and yes or no."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-11-02", (2026, 11, 2)),
            ("2026-11-02Z", (2026, 11, 2)),
            ("2026-11-02T03:04:05.123456+02:00", (2026, 11, 2, 1, 4, 5, 123456)),
            ("2026-11-02 03:04:05 -0500", (2026, 11, 2, 8, 4, 5)),
            ("2026-11-02 03:04:05 UTC", (2026, 11, 2, 3, 4, 5)),
            ("2026-11-02t03:04z", (2026, 11, 2, 3, 4)),
            ("1443651125", (2015, 9, 30, 22, 12, 5)),
            ("1443651125.5", (2015, 9, 30, 22, 12, 5, 500000)),
            ("1443651125000", (2015, 9, 30, 22, 12, 5)),
            ("Fri, 21 Oct 2022 11:02:55 GMT", (2022, 10, 21, 11, 2, 55)),
            ("21 Oct 2022 11:02:55 +0200", (2022, 10, 21, 9, 2, 55)),
            ("2.11.2026", (2026, 11, 2)),
            ("02.11.2026 14:05", (2026, 11, 2, 14, 5)),
            ("02.11.2026, 14:05:06", (2026, 11, 2, 14, 5, 6)),
        ],
    )
    def test_times(self, text: str, expected: tuple[int, ...]) -> None:
        """As tools write them; without a zone they are UTC."""
        assert read_time(f" {text} ") == datetime(*expected, tzinfo=UTC)  # type: ignore[arg-type, misc]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "soon",
            "03/04/2026",
            "31.02.2026",
            "2026-13-01",
            "2026-11-02 25:00",
            "0001-01-01T00:00:00+14:00",
            "99",
            "9" * 40,
            "2026",
            "Fri, 99 Oct 2022 11:02:55 GMT",
            "21 Xyz 2022 11:02",
        ],
    )
    def test_what_is_no_time(self, text: str) -> None:
        """Nor any that could be two."""
        with pytest.raises(InvalidInput):
            read_time(text)

    @given(st.text(max_size=70) | st.from_regex(r"[0-9]{1,4}[-./ ][0-9A-Za-z]{1,4}[-./ ][0-9]{1,5}([ T][0-9:.]{1,12})?([+-][0-9:]{1,6})?"))
    def test_no_text_raises_anything_else(self, text: str) -> None:
        """It is a time in UTC, or none."""
        with contextlib.suppress(InvalidInput):
            assert read_time(text).tzinfo is UTC

    def test_yes_and_no(self) -> None:
        """As people and programs write it."""
        assert all(map(read_flag, ["yes", "TRUE", "1", " x ", "Y"]))
        assert not any(map(read_flag, ["no", "False", "0", "", " "]))
        with pytest.raises(InvalidInput):
            read_flag("maybe")
