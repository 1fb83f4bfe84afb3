//! The data types of FIX 4.4, from bytes and to bytes.

mod time;

pub use time::{Precision, parse_date, parse_time_only, parse_timestamp, put_timestamp};

use oms_model::amount::SCALE_DIGITS;
use oms_model::{Decimal, Price, Qty};

/// Longest number that is read, in bytes; nothing exact is longer.
const MAX_NUMBER: usize = 40;

/// Why a decimal was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecimalError {
    /// Not a FIX float: an optional minus, digits, an optional point.
    #[error("is not a decimal number")]
    Malformed,
    /// More fractional digits than amounts hold. Nothing is ever rounded silently.
    #[error("has more than {SCALE_DIGITS} fractional digits")]
    TooPrecise,
    /// Outside the range of the amount.
    #[error("is out of range")]
    OutOfRange,
}

/// An int: an optional minus and digits; leading zeros are allowed, a plus is not.
#[must_use]
pub fn parse_int(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    let magnitude = i64::try_from(parse_uint(digits)?).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Digits only, as lengths, counts and sequence numbers are.
#[must_use]
pub fn parse_uint(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || MAX_NUMBER < bytes.len() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if 9 < digit {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A Boolean: `Y` or `N`.
#[must_use]
pub fn parse_bool(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"Y" => Some(true),
        b"N" => Some(false),
        _ => None,
    }
}

/// Whether the bytes have the form of a float: an optional minus, digits with at most one point.
#[must_use]
pub fn is_float(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    let count = digits.iter().filter(|byte| byte.is_ascii_digit()).count();
    1 <= count && points <= 1 && count + points == digits.len() && digits.len() <= MAX_NUMBER
}

/// A float as a count of 10^-9, exactly.
///
/// # Errors
/// [`DecimalError`].
pub fn parse_scaled(bytes: &[u8]) -> Result<i128, DecimalError> {
    if !is_float(bytes) {
        return Err(DecimalError::Malformed);
    }
    let (negative, digits) = match bytes.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let (mut value, mut places, mut after) = (0_i128, 0, false);
    for byte in digits {
        if *byte == b'.' {
            after = true;
            continue;
        }
        if after && places == SCALE_DIGITS {
            if *byte == b'0' {
                continue;
            }
            return Err(DecimalError::TooPrecise);
        }
        places += u32::from(after);
        value = value.checked_mul(10).and_then(|v| v.checked_add(i128::from(byte - b'0'))).ok_or(DecimalError::OutOfRange)?;
    }
    let value = value.checked_mul(10_i128.pow(SCALE_DIGITS - places)).ok_or(DecimalError::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// A Price, exactly.
///
/// # Errors
/// [`DecimalError`].
pub fn parse_price(bytes: &[u8]) -> Result<Price, DecimalError> {
    i64::try_from(parse_scaled(bytes)?).map(Price::from_raw).map_err(|_| DecimalError::OutOfRange)
}

/// A Qty, exactly.
///
/// # Errors
/// [`DecimalError`].
pub fn parse_qty(bytes: &[u8]) -> Result<Qty, DecimalError> {
    parse_scaled(bytes).map(Qty::from_raw)
}

/// Any other float (Amt, Percentage, PriceOffset), exactly.
///
/// # Errors
/// [`DecimalError`].
pub fn parse_decimal(bytes: &[u8]) -> Result<Decimal, DecimalError> {
    parse_scaled(bytes).map(Decimal::from_raw)
}

/// Appends an unsigned number in decimal digits.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        // The remainder of ten is one digit.
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests;
