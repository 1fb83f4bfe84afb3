//! Times as gateways write them: in UTC, in a named zone, or in none.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use oms_model::Time;

use crate::stamp;

/// Reads `YYYYMMDD HH:MM:SS [ZONE]`; without a zone it is in `own`, that of the gateway.
pub(super) fn read(text: &str, own: Option<&TimeZone>) -> Option<Time> {
    let mut words = text.split_whitespace();
    let (date, clock, zone) = match (words.next()?, words.next(), words.next()) {
        // `YYYYMMDD-HH:MM:SS` is in UTC by definition.
        (word, None, _) => return stamp::read(word),
        (date, Some(clock), zone) => (date, clock, zone),
    };
    let utc = stamp::read(&format!("{date} {clock}"))?;
    let zone = match zone {
        Some("UTC" | "GMT" | "Z") => return Some(utc),
        Some(name) => TimeZone::get(name).ok(),
        None => own.cloned(),
    };
    let Some(zone) = zone else { return Some(utc) };
    // Its civil time, as if it were UTC, is what stands in that zone.
    let civil: DateTime = TimeZone::UTC.to_datetime(jiff::Timestamp::from_nanosecond(i128::from(utc.0)).ok()?);
    let at = zone.to_timestamp(civil).ok()?;
    i64::try_from(at.as_nanosecond()).ok().map(Time)
}

/// The zone that a gateway names behind its time in the handshake.
pub(super) fn zone_of(agreement: &str) -> Option<TimeZone> {
    agreement.split_whitespace().nth(2).and_then(|name| TimeZone::get(name).ok())
}

/// The day that a time is on at a gateway, as a number of days.
pub(super) fn day(at: Time, zone: Option<&TimeZone>) -> i64 {
    const DAY_S: i64 = 86_400;
    let offset = zone.and_then(|zone| {
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()?;
        Some(i64::from(zone.to_offset(stamp).seconds()))
    });
    (at.0.div_euclid(1_000_000_000) + offset.unwrap_or(0)).div_euclid(DAY_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_zone_that_they_name() {
        let utc = stamp::read("20261113 14:30:00").unwrap();
        let eastern = TimeZone::get("US/Eastern").unwrap();
        assert_eq!(read("20261113 14:30:00 UTC", None), Some(utc));
        assert_eq!(read("20261113-14:30:00", Some(&eastern)), Some(utc));
        assert_eq!(read("20261113 09:30:00 US/Eastern", None), Some(utc));
        assert_eq!(read("20261113  09:30:00", Some(&eastern)), Some(utc));
        assert_eq!(read("20261113 14:30:00", None), Some(utc));
        assert_eq!(read("soon", None), None);
    }

    #[test]
    fn a_day_ends_at_the_gateways_midnight() {
        let late = stamp::read("20261114 03:00:00").unwrap();
        let eastern = zone_of("20261113 22:00:00 US/Eastern").unwrap();
        assert_eq!(day(late, None) - day(late, Some(&eastern)), 1);
    }
}
