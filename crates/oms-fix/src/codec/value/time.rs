//! UTC times and dates, as FIX writes them. Days are counted in the proleptic Gregorian calendar.

const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Fractional digits of the times that a session writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// Whole seconds.
    Seconds,
    /// Three digits.
    #[default]
    Millis,
    /// Six digits.
    Micros,
    /// Nine digits.
    Nanos,
}

impl Precision {
    fn digits(self) -> u32 {
        match self {
            Self::Seconds => 0,
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Days from 1970-01-01 to a date; the arithmetic of eras of 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date so many days after 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A UTCDateOnly or LocalMktDate, `YYYYMMDD`, in days since 1970-01-01.
#[must_use]
pub fn parse_date(bytes: &[u8]) -> Option<i64> {
    let (year, rest) = bytes.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    if day.len() != 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let days = (1..=12).contains(&month).then(|| days_from_civil(year, month, day))?;
    // A day that is not in its month comes back as another date.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// A UTCTimeOnly, `HH:MM:SS` with up to nine fractional digits, in nanoseconds of the day. A leap
/// second counts as the last one of its minute.
#[must_use]
pub fn parse_time_only(bytes: &[u8]) -> Option<i64> {
    let (clock, fraction) = bytes.split_at_checked(8)?;
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) if (1..=9).contains(&digits.len()) => {
            let missing = 9 - u32::try_from(digits.len()).ok()?;
            number(digits)? * 10_i64.pow(missing)
        }
        Some(_) => return None,
    };
    Some((hour * 3600 + minute * 60 + second.min(59)) * SECOND + nanos)
}

/// A UTCTimestamp, `YYYYMMDD-HH:MM:SS` with up to nine fractional digits, in nanoseconds since 1970.
/// Years that do not fit (before 1678, after 2261) are refused.
#[must_use]
pub fn parse_timestamp(bytes: &[u8]) -> Option<i64> {
    let (date, rest) = bytes.split_at_checked(8)?;
    let (b'-', clock) = rest.split_first()? else { return None };
    let days = parse_date(date)?;
    days.checked_mul(DAY_SECONDS)?.checked_mul(SECOND)?.checked_add(parse_time_only(clock)?)
}

fn put_digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or_default());
    }
}

/// Appends a UTCTimestamp.
pub fn put_timestamp(out: &mut Vec<u8>, time_ns: i64, precision: Precision) {
    let seconds = time_ns.div_euclid(SECOND);
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    put_digits(out, year, 4);
    put_digits(out, month, 2);
    put_digits(out, day, 2);
    out.push(b'-');
    put_digits(out, of_day / 3600, 2);
    out.push(b':');
    put_digits(out, of_day / 60 % 60, 2);
    out.push(b':');
    put_digits(out, of_day % 60, 2);
    let digits = precision.digits();
    if 0 < digits {
        out.push(b'.');
        put_digits(out, time_ns.rem_euclid(SECOND) / 10_i64.pow(9 - digits), digits);
    }
}
