"""Dates of header fields, and of forwards in every language."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from optoutkit.notices.dates import arrival, forwarded_date, offset_of, parse_date

NOW = datetime(2026, 9, 20, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "line",
    [
        "Tue, Sep 8, 2026 at 10:12 AM",
        "Tue, Sep 8, 2026 at 10:12\u202fAM",
        "Tuesday, September 8, 2026 10:12 AM",
        "8 September 2026 at 10:12:00",
        "Dienstag, 8. September 2026 10:12",
        "Di., 8. Sept. 2026 um 10:12 Uhr",
        "mardi 8 septembre 2026 10:12",
        "mar. 8 sept. 2026 à 10:12",
        "mar 8 set 2026 alle ore 10:12",
        "martedì 8 settembre 2026 10:12",
        "martes, 8 de septiembre de 2026 10:12",
        "El mar, 8 sept 2026 a las 10:12",
        "terça-feira, 8 de setembro de 2026 10:12",
        "dinsdag 8 september 2026 10:12",
        "wtorek, 8 września 2026 10:12",
        "den 8 sep. 2026 10:12",
        "8 Eylül 2026 Salı 10:12",
        "الثلاثاء، 8 سبتمبر 2026 10:12 ص",
        "8 सितंबर 2026 को 10:12",
        "2026年9月8日(火) 10:12",
        "2026年9月8日 午前10:12",
        "2026/09/08 10:12",
        "2026-09-08 10:12",
        "08.09.2026 10:12",
        "08/09/26 10:12",
        "9/8/2026 10:12 AM",
        "10:12, 8 Sep 2026",
        "Tue, 08 Sep 2026 10:12:00 +0200",
        "Tue, 8 Sep 2026 08:12 GMT",
        "September 8, 2026 at 10:12:00 AM GMT+2",
        "8 September 2026 at 08:12:00 UTC",
        "8 September 2026, 03:12 -05:00",
        "٨ سبتمبر ٢٠٢٦ ١٠:١٢",
    ],
)
def test_dates_of_forwards(line: str) -> None:
    """Whatever the language and the order of day and month; in the forwarder's zone unless the line names one."""
    assert forwarded_date(line, BERLIN, NOW) == datetime(2026, 9, 8, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026年9月8日 午後3:12", datetime(2026, 9, 8, 15, 12, tzinfo=UTC)),
        ("9/8/2026 3:12 pm", datetime(2026, 9, 8, 15, 12, tzinfo=UTC)),
        ("9/8/2026 12:30 am", datetime(2026, 9, 8, 0, 30, tzinfo=UTC)),
        ("9/8/2026 12:30 p.m.", datetime(2026, 9, 8, 12, 30, tzinfo=UTC)),
        ("8 September 2026", datetime(2026, 9, 8, tzinfo=UTC)),
        ("03/04/2026 10:00", datetime(2026, 4, 3, 10, tzinfo=UTC)),
        ("10/09/2026 10:00", datetime(2026, 9, 10, 10, tzinfo=UTC)),
        ("11/12/2026 10:00", datetime(2026, 11, 12, 10, tzinfo=UTC)),
        ("13/09/2026 10:00", datetime(2026, 9, 13, 10, tzinfo=UTC)),
        ("8 Septober 2026 and 9 September 2026", datetime(2026, 9, 9, tzinfo=UTC)),
    ],
)
def test_readings_that_could_be_others(line: str, expected: datetime) -> None:
    """Halves of the day; of two readings the later one that is not after the forward, else the earlier."""
    assert forwarded_date(line, UTC, NOW) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "yesterday",
        "30/02/2026",
        "99.99.2026",
        "8 September 0000",
        "9999年12月31日 23:59 -10:00",
        "8 September 2026 25:61",
        "Tue, 99 Sep 2026 08:12 GMT",
    ],
)
def test_what_is_no_date(line: str) -> None:
    """None, and no exception."""
    assert forwarded_date(line, UTC, NOW) is None


@pytest.mark.parametrize(
    ("field", "hours"), [("Thu, 10 Sep 2026 10:15:00 +0200", 2), ("Thu, 10 Sep 2026 10:15:00 -0530", -5.5), ("10 Sep", 0), ("x +9999", 0)]
)
def test_the_zone_of_a_field(field: str, hours: float) -> None:
    """The forwarder's zone is that of the forward's own Date; UTC where it says none, or nonsense."""
    assert offset_of(field).utcoffset(None) == timedelta(hours=hours)


def test_header_dates() -> None:
    """Without a zone they are UTC; what cannot be read is None."""
    assert (
        parse_date("Thu, 10 Sep 2026 08:15:00") == parse_date("Thu, 10 Sep 2026 10:15:00 +0200") == datetime(2026, 9, 10, 8, 15, tzinfo=UTC)
    )
    assert parse_date("Thu, 10 Sep 99999 08:15:00") is None
    assert parse_date("x") is None


def test_arrival() -> None:
    """What the receiving server says, the topmost; never the future, and now where nothing is said."""
    assert arrival(("by a; Thu, 10 Sep 2026 08:15:00 +0000", "by b; Thu, 10 Sep 2026 07:15:00 +0000"), NOW) == datetime(
        2026, 9, 10, 8, 15, tzinfo=UTC
    )
    assert arrival(("by a; Thu, 10 Sep 2099 08:15:00 +0000",), NOW) == NOW
    assert arrival(("by a",), NOW) == NOW
    assert arrival((), NOW) == NOW
