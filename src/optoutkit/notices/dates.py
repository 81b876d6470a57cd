"""When a notice was sent: the Date field, or the date line of a forward in whatever language."""

import email.utils
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from optoutkit.notices.surroundings import surroundings
from optoutkit.text.folding import fold

__all__ = ["arrival", "forwarded_date", "offset_of", "parse_date"]

_LONGEST = 200
_RFC_5322 = re.compile(r"\d{1,2} [a-z]{3} \d{4} \d{1,2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|gmt|utc?)\b")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d)")
_MONTH = r"([^\W\d_][^\d\s,]{0,15}?)"
_DAY_MONTH = re.compile(rf"(?<!\d)(\d{{1,2}})(?:º|\.|er|o|st|nd|rd|th)?\s(?:de\s|d')?{_MONTH}\.?,?\s(?:de\s|del\s)?(\d{{4}})(?!\d)")
_MONTH_DAY = re.compile(rf"(?<![^\W\d_]){_MONTH}\.?\s(\d{{1,2}})(?:st|nd|rd|th)?,?\s(\d{{4}})(?!\d)")
_TIME = re.compile(
    r"(?<![\d/.-])(午後|午前|下午|上午)?\s?(\d{1,2})[:.h時时](\d{2})(?:[:.](\d{2}))?(?![\d/.-])\s?(a\.?\s?m\b|p\.?\s?m\b|am\b|pm\b|öö|ös|م|ص)?"
)
_OFFSET = re.compile(r"(?:gmt|utc)\s?([+-])(\d{1,2})(?::?(\d{2}))?\b|([+-])(\d{2}):?(\d{2})\b|\b(?:gmt|utc|z)\b")
_NUMERIC_ZONE = re.compile(r"([+-])(\d{2})(\d{2})\b")
_AFTERNOON = ("午後", "下午", "p", "ös", "م")
_MORNING = ("午前", "上午", "a", "öö", "ص")
_NOON = 12


def parse_date(value: str) -> datetime | None:
    """Read the date of a header field; None if it cannot be read. Without a zone it is taken for UTC."""
    try:
        moment = email.utils.parsedate_to_datetime(value[:_LONGEST])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def arrival(received: tuple[str, ...], now: datetime) -> datetime:
    """When a mail arrived: as its topmost Received field says, unless that lies in the future."""
    stamp = parse_date(received[0].rpartition(";")[2].strip()) if received else None
    return min(stamp, now) if stamp else now


def offset_of(date_field: str) -> tzinfo:
    """The zone of a Date field: mail programs write the date of a forward in their user's own time, without saying so."""
    match = _NUMERIC_ZONE.search(date_field[:_LONGEST])
    return _zone(match[1], match[2], match[3]) if match else UTC


def forwarded_date(line: str, zone: tzinfo, latest: datetime) -> datetime | None:
    """Read the date line of a forward.

    Args:
        line: Such as ``"Tue, Sep 8, 2026 at 10:12 AM"`` or ``"2026年9月8日(火) 10:12"``.
        zone: The user's zone, for where the line names none.
        latest: The forward itself was sent then. Of the two readings of 03/04/2026 the later one that is not after it is taken.

    Returns:
        The time (UTC); None if the line cannot be read.
    """
    text = fold(line[:_LONGEST]).text
    if rfc := _RFC_5322.search(text):
        return parse_date(rfc[0])
    days, end = _days(text)
    moments = sorted(moment for day in days if (moment := _at_time(day, text, end, zone)))
    return max((moment for moment in moments if moment <= latest), default=moments[0] if moments else None)


def _days(text: str) -> tuple[list[datetime], int]:
    """The days that a text may name, and where in it the time may follow."""
    if match := _YEAR_FIRST.search(text):
        return list(_valid((match[1], match[2], match[3]))), match.end()
    for pattern, day, month in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for match in pattern.finditer(text):
            if number := surroundings().months.get(match[month].rstrip(".")):
                return list(_valid((match[3], str(number), match[day]))), match.end()
    if match := _YEAR_LAST.search(text):
        return list(_valid((match[4], match[3], match[1]), (match[4], match[1], match[3]))), match.end()
    return [], 0


def _valid(*dates: tuple[str, str, str]) -> Iterator[datetime]:
    for year, month, day in dict.fromkeys(dates):
        full_year = int(year) + (2000 if len(year) == 2 else 0)  # noqa: PLR2004 - digits
        try:
            yield datetime(full_year, int(month), int(day), tzinfo=UTC)
        except ValueError:
            continue


def _at_time(day: datetime, text: str, end: int, zone: tzinfo) -> datetime | None:
    time = _TIME.search(text, end) or _TIME.search(text[:end])
    hour, minute, second = (int(time[2]), int(time[3]), int(time[4] or 0)) if time else (0, 0, 0)
    half = (time[1] or time[5] or "") if time else ""
    if half.startswith(_AFTERNOON) and hour < _NOON:
        hour += _NOON
    elif half.startswith(_MORNING) and hour == _NOON:
        hour = 0
    if time and (named := _OFFSET.search(text, time.end())):
        zone = _zone(named[1] or named[4] or "+", named[2] or named[5] or "0", named[3] or named[6] or "0")
    try:
        return day.replace(hour=hour, minute=minute, second=second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(sign: str, hours: str, minutes: str) -> tzinfo:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset) if offset < timedelta(hours=24) else UTC
