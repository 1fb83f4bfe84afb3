//! Times in filters: RFC 3339, a date (its first instant, UTC), or nanoseconds since 1970.

use oms_model::Time;

const SECONDS_PER_DAY: i64 = 86_400;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// The time that `text` names. Leap seconds are refused; so is what an `i64` of nanoseconds does not hold.
pub(super) fn parse(text: &str) -> Option<Time> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Time);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let days = days_from_civil(date)?;
    let seconds = days.checked_mul(SECONDS_PER_DAY)?;
    let (seconds, fraction) = match rest.strip_prefix(['T', 't', ' ']) {
        None if rest.is_empty() => (seconds, 0),
        None => return None,
        Some(clock) => {
            let (of_day, fraction) = clock_and_offset(clock)?;
            (seconds.checked_add(of_day)?, fraction)
        }
    };
    seconds.checked_mul(NS_PER_SECOND)?.checked_add(fraction).map(Time)
}

fn number(text: &str, width: usize) -> Option<i64> {
    if text.len() == width && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 to `YYYY-MM-DD` in the proleptic Gregorian calendar.
fn days_from_civil(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=last).contains(&day) {
        return None;
    }
    // Counted from 1 March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_month = (153 * month + 2) / 5;
    Some(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days_before_month + day - 1 - 719_468)
}

/// Seconds of `HH:MM:SS[.fraction](Z|+HH:MM|-HH:MM)` in UTC, and the nanoseconds of its fraction.
fn clock_and_offset(text: &str) -> Option<(i64, i64)> {
    let (clock, rest) = text.split_at_checked(8)?;
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at_checked(zone_at)?;
    let fraction = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => {
            let scale = 10_i64.pow(9 - u32::try_from(digits.len()).ok()?);
            number(digits, digits.len())? * scale
        }
        _ => return None,
    };
    Some((hour * 3600 + minute * 60 + second - offset(zone)?, fraction))
}

/// Seconds that the zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 { None } else { Some(sign * (hours * 3600 + minutes * 60)) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read_exactly() {
        for (text, ns) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("1700000000123456789", Some(1_700_000_000_123_456_789)),
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59.999999999Z", Some(-1)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000_000_000)),
            ("2026-03-01T00:00:00+01:00", Some(1_772_319_600_000_000_000)),
            ("2026-02-28T18:00:00.5-05:00", Some(1_772_319_600_500_000_000)),
            ("2026-02-28 23:00:00Z", Some(1_772_319_600_000_000_000)),
            ("2262-04-11T23:47:16.854775807Z", Some(i64::MAX)),
            ("2262-04-11T23:47:16.854775808Z", None),
            ("9223372036854775808", None),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-00-10", None),
            ("2026-04-31", None),
            ("2026-04-30T24:00:00Z", None),
            ("2026-04-30T23:59:60Z", None),
            ("2026-04-30T10:00:00", None),
            ("2026-04-30T10:00Z", None),
            ("2026-04-30T10:00:00.Z", None),
            ("2026-04-30T10:00:00.1234567890Z", None),
            ("2026-04-30T10:00:00+0100", None),
            ("2026-04-30T10:00:00+1:00", None),
            ("2026-4-30", None),
            ("+026-04-30", None),
            ("", None),
            ("-", None),
            ("yesterday", None),
            ("2026-04-3é", None),
        ] {
            assert_eq!(parse(text).map(|time| time.0), ns, "{text:?}");
        }
    }
}
