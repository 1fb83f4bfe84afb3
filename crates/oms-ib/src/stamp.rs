//! Times as the protocol writes them, in UTC.

use oms_model::Time;

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// `YYYYMMDD HH:MM:SS UTC`.
pub(crate) fn stamp(at: Time) -> String {
    format!("{} {} UTC", at.day(), clock(at))
}

/// `HH:MM:SS`.
pub(crate) fn clock(at: Time) -> String {
    let second = seconds(at).rem_euclid(DAY_S);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Seconds since 1970.
pub(crate) const fn seconds(at: Time) -> i64 {
    at.0 / SECOND_NS
}

/// Reads `YYYYMMDD HH:MM:SS [ZONE]` and `YYYYMMDD-HH:MM:SS`. The simulator knows one zone, its own: UTC.
pub(crate) fn read(text: &str) -> Option<Time> {
    let (date, rest) = text.split_at_checked(8)?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
    let (year, month, day) = (number(date.get(..4)?)?, number(date.get(4..6)?)?, number(date.get(6..)?)?);
    let mut parts = rest.strip_prefix([' ', '-'])?.split(' ').next()?.splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if !(1970..=2261).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from the civil calendar, with years that begin in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(Time((days * DAY_S + hour * 3600 + minute * 60 + second) * SECOND_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for seconds in [0, 951_782_400, 1_381_238_999, 1_795_791_599, 4_102_444_800] {
            let at = Time(seconds * SECOND_NS);
            assert_eq!(read(&stamp(at)), Some(at), "{}", stamp(at));
        }
        assert_eq!(stamp(Time(1_381_238_999 * SECOND_NS)), "20131008 13:29:59 UTC");
        assert_eq!(read("20131008-13:29:59"), Some(Time(1_381_238_999 * SECOND_NS)));
        for junk in ["", "20131008", "20131308 00:00:00", "2013100a 00:00:00", "20131008 24:00:00", "äöü20131 00:00:00"] {
            assert_eq!(read(junk), None, "{junk}");
        }
    }
}
