use super::*;
use crate::codec::value::parse_timestamp;
use jiff::civil::{date, time};

const WEEK: [Weekday; 5] = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn utc(text: &str) -> i64 {
    parse_timestamp(text.as_bytes()).unwrap()
}

fn window(start: &str, end: &str) -> Option<Window> {
    Some(Window { start_ns: utc(start), end_ns: utc(end) })
}

fn daily(start: Time, end: Time, days: &[Weekday]) -> Schedule {
    Schedule::new("America/New_York", Pattern::Daily { start, end, days: days.to_vec() }, []).unwrap()
}

#[test]
fn a_daily_session_follows_daylight_saving() {
    let schedule = daily(time(7, 0, 0, 0), time(17, 0, 0, 0), &WEEK);
    assert_eq!(schedule.window(utc("20260306-15:00:00")), window("20260306-12:00:00", "20260306-22:00:00"), "winter, UTC-5");
    assert_eq!(schedule.window(utc("20260309-11:00:00")), window("20260309-11:00:00", "20260309-21:00:00"), "summer, UTC-4");
    assert_eq!(schedule.window(utc("20260309-10:59:59")), None);
    assert_eq!(schedule.window(utc("20260309-21:00:00")), None, "the end is outside");
    assert_eq!(schedule.window(utc("20260307-15:00:00")), None, "Saturday");
    assert_eq!(
        schedule.next(utc("20260306-22:00:00")),
        window("20260309-11:00:00", "20260309-21:00:00"),
        "over the weekend and the clock change"
    );
}

#[test]
fn a_session_over_midnight_and_a_clock_change_has_its_hours() {
    // From Sunday 17:00 to Monday 16:00; the clock of 2026-11-01 went back an hour on that Sunday morning.
    let schedule = daily(time(17, 0, 0, 0), time(16, 0, 0, 0), &[Weekday::Saturday, Weekday::Sunday]);
    let saturday = schedule.window(utc("20261101-05:30:00"));
    assert_eq!(saturday, window("20261031-21:00:00", "20261101-21:00:00"), "23 hours on the wall, 24 in truth");
    assert_eq!(schedule.window(utc("20261102-04:00:00")), window("20261101-22:00:00", "20261102-21:00:00"));
}

#[test]
fn a_start_that_the_clock_skips_is_after_the_change() {
    let schedule = daily(time(2, 30, 0, 0), time(17, 0, 0, 0), &[Weekday::Sunday]);
    assert_eq!(schedule.window(utc("20260308-12:00:00")), window("20260308-07:30:00", "20260308-21:00:00"));
    let twice = daily(time(1, 30, 0, 0), time(17, 0, 0, 0), &[Weekday::Sunday]);
    assert_eq!(twice.window(utc("20261101-12:00:00")), window("20261101-05:30:00", "20261101-22:00:00"), "the first of the two");
}

#[test]
fn a_weekly_session_spans_the_week() {
    let week = Pattern::Weekly { start: (Weekday::Sunday, time(17, 0, 0, 0)), end: (Weekday::Friday, time(17, 0, 0, 0)) };
    let schedule = Schedule::new("America/Chicago", week, []).unwrap();
    assert_eq!(schedule.window(utc("20261127-12:00:00")), window("20261122-23:00:00", "20261127-23:00:00"));
    assert_eq!(schedule.window(utc("20261128-12:00:00")), None);
    assert_eq!(schedule.next(utc("20261128-12:00:00")), window("20261129-23:00:00", "20261204-23:00:00"));
    let whole = Pattern::Weekly { start: (Weekday::Sunday, time(17, 0, 0, 0)), end: (Weekday::Sunday, time(16, 0, 0, 0)) };
    let schedule = Schedule::new("UTC", whole, []).unwrap();
    assert_eq!(schedule.window(utc("20261128-12:00:00")), window("20261122-17:00:00", "20261129-16:00:00"));
}

#[test]
fn holidays_and_mistakes() {
    let pattern = Pattern::Daily { start: time(7, 0, 0, 0), end: time(17, 0, 0, 0), days: WEEK.to_vec() };
    let schedule = Schedule::new("America/New_York", pattern.clone(), [date(2026, 11, 26)]).unwrap();
    assert_eq!(schedule.window(utc("20261126-15:00:00")), None);
    assert_eq!(schedule.next(utc("20261126-01:00:00")), window("20261127-12:00:00", "20261127-22:00:00"));
    assert_eq!(Schedule::new("Nowhere/City", pattern, []).unwrap_err(), ScheduleError::Zone("Nowhere/City".to_owned()));
    let never = Pattern::Daily { start: time(7, 0, 0, 0), end: time(17, 0, 0, 0), days: Vec::new() };
    assert_eq!(Schedule::new("UTC", never, []).unwrap_err(), ScheduleError::NoDay);
}

#[test]
fn schedules_are_read_from_settings() {
    let read = |opens: &str, closes: &str, days: &[&str]| {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        Schedule::read("America/New_York", opens, closes, &days, &["2026-12-25".to_owned()])
    };
    let week = read("07:00", "17:00:30", &["MON", "tue", "WED", "THU", "FRI"]).unwrap();
    assert_eq!(week.window(utc("20260306-15:00:00")), window("20260306-12:00:00", "20260306-22:00:30"));
    assert_eq!(week.next(utc("20261224-23:00:00")), window("20261228-12:00:00", "20261228-22:00:30"), "not on the holiday");
    let weekly = read("SUN 17:00", "FRI 16:00", &[]).unwrap();
    assert_eq!(weekly.window(utc("20260107-12:00:00")), window("20260104-22:00:00", "20260109-21:00:00"));
    let rolling = read("17:00", "17:00", &[]).unwrap();
    assert_eq!(rolling.window(utc("20260107-12:00:00")), window("20260106-22:00:00", "20260107-22:00:00"));
    for (opens, closes, days) in [
        ("8", "17:00", &[][..]),
        ("08:00", "", &[]),
        ("08:00", "FRI 17:00", &[]),
        ("SUN 08:00", "FRI 17:00", &["MON"]),
        ("08:00", "17:00", &["X"]),
    ] {
        assert!(read(opens, closes, days).is_err(), "{opens} {closes} {days:?}");
    }
}
