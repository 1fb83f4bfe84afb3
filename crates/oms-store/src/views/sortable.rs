//! How values of the model stand in columns: exact, and sorting as the values do.

use oms_model::limit::LimitKey;
use oms_model::{Notional, OrdStatus, Price, Qty, Seq, Time};

/// 128 bits big-endian with the sign bit flipped: bytes compare as the numbers do.
pub(super) const fn wide(value: i128) -> [u8; 16] {
    (value.cast_unsigned() ^ (1 << 127)).to_be_bytes()
}

/// The number that [`wide`] made.
pub(super) const fn from_wide(bytes: [u8; 16]) -> i128 {
    (u128::from_be_bytes(bytes) ^ (1 << 127)).cast_signed()
}

pub(super) const fn qty(value: Qty) -> [u8; 16] {
    wide(value.raw())
}

pub(super) const fn money(value: Notional) -> [u8; 16] {
    wide(value.raw())
}

pub(super) fn price(value: Option<Price>) -> Option<i64> {
    value.map(Price::raw)
}

/// SQLite's integers are signed; a log of 2^63 events is out of reach.
pub(super) fn seq(value: Seq) -> i64 {
    i64::try_from(value.0).unwrap_or(i64::MAX)
}

pub(super) fn to_seq(value: i64) -> Seq {
    Seq(u64::try_from(value).unwrap_or(0))
}

pub(super) fn status(value: OrdStatus) -> i64 {
    i64::from(value.code())
}

/// A limit as one text, the same for its usual period said or not.
pub(super) fn limit_key(key: LimitKey) -> String {
    let LimitKey { limit_type, scope, period, soft } = key.normal();
    let (period, kind) = (period.map_or("-", oms_model::limit::Period::as_str), if soft { "SOFT" } else { "HARD" });
    format!("{limit_type}|{scope}|{period}|{kind}")
}

/// The day that a time lies in (UTC), counted from 1970-01-01.
pub(super) const fn day(time: Time) -> i64 {
    time.0.div_euclid(86_400_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::{from_wide, wide};

    #[test]
    fn bytes_sort_as_the_numbers_do() {
        let numbers = [i128::MIN, i128::MIN + 1, -(1 << 64), -256, -255, -1, 0, 1, 255, 256, 1 << 64, i128::MAX - 1, i128::MAX];
        for pair in numbers.windows(2) {
            assert!(wide(pair[0]) < wide(pair[1]), "{} sorts before {}", pair[0], pair[1]);
        }
        for number in numbers {
            assert_eq!(from_wide(wide(number)), number);
        }
    }
}
