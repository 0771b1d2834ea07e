from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import Period

BOUNDED = [Period.DAY, Period.WEEK, Period.MONTH]
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))
# With days that have no midnight, two of them, or are not there at all, and offsets of all kinds.
ZONES = st.sampled_from([
    ZoneInfo(name)
    for name in (
        "UTC", "Europe/Brussels", "America/New_York", "America/Havana", "America/Sao_Paulo", "America/Santiago",
        "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Kathmandu", "Asia/Shanghai", "Asia/Tehran",
        "Atlantic/Azores", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati",
    )
])  # fmt: skip
BRUSSELS, APIA, CAIRO = ZoneInfo("Europe/Brussels"), ZoneInfo("Pacific/Apia"), ZoneInfo("Africa/Cairo")


def bounds(period: Period, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end as moments: wall clocks of one zone would be compared without their offsets."""
    start, end = period.bounds(now, zone)
    assert start is not None
    assert end is not None
    return start.astimezone(UTC), end.astimezone(UTC)


@example(Period.DAY, datetime(2026, 3, 29, 0, 30, tzinfo=UTC), BRUSSELS)
@example(Period.DAY, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BRUSSELS)
@example(Period.DAY, datetime(2011, 12, 30, 9, 59, tzinfo=UTC), APIA)
@example(Period.MONTH, datetime(2011, 12, 30, 10, 0, tzinfo=UTC), APIA)
@example(Period.DAY, datetime(2026, 4, 23, 22, 0, tzinfo=UTC), CAIRO)
@given(st.sampled_from(BOUNDED), MOMENTS, ZONES)
def test_periods_hold_their_moment_and_follow_each_other_without_a_gap(
    period: Period, now: datetime, zone: ZoneInfo
) -> None:
    start, end = bounds(period, now, zone)
    instant = timedelta(microseconds=1)
    assert start <= now < end
    assert bounds(period, start, zone) == (start, end)
    assert bounds(period, end - instant, zone) == (start, end)
    assert bounds(period, end, zone)[0] == end
    assert bounds(period, start - instant, zone)[1] == start


@given(MOMENTS, ZONES)
def test_weeks_begin_on_monday_and_months_on_the_first(now: datetime, zone: ZoneInfo) -> None:
    today = now.astimezone(zone).date()
    day, week, month = (first_day(period, now, zone) for period in BOUNDED)
    assert day == today
    assert week.weekday() == 0
    assert timedelta(0) <= today - week < timedelta(days=7)
    assert (month.year, month.month, month.day) == (today.year, today.month, 1)


def first_day(period: Period, now: datetime, zone: ZoneInfo) -> date:
    start, _ = period.bounds(now, zone)
    assert start is not None
    return start.date()


@given(MOMENTS, ZONES)
def test_a_short_period_lies_within_no_more_than_two_longer_ones(now: datetime, zone: ZoneInfo) -> None:
    day, week, month = (bounds(period, now, zone) for period in BOUNDED)
    assert week[0] <= day[0] < day[1] <= week[1]
    assert month[0] <= day[0] < day[1] <= month[1]


@pytest.mark.parametrize(
    ("moment", "hours"), [("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25), ("2026-06-01T12:00", 24)]
)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(moment: str, hours: int) -> None:
    start, end = bounds(Period.DAY, datetime.fromisoformat(moment).replace(tzinfo=UTC), BRUSSELS)
    assert end - start == timedelta(hours=hours)


def test_the_month_turns_on_the_teams_clock() -> None:
    now = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    start, end = bounds(Period.MONTH, now, ZoneInfo("Asia/Shanghai"))
    assert start == now
    assert end == datetime(2027, 1, 31, 16, 0, tzinfo=UTC)


def test_none_has_no_bounds() -> None:
    assert Period.NONE.bounds(datetime.now(UTC), BRUSSELS) == (None, None)
