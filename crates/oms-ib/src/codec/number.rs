//! Exact decimals of any precision that the wire carries.
//!
//! The product's amounts hold nine fractional digits; the wire has averages and profits with seventeen. A [`Number`]
//! keeps what was sent, and whoever books it says what it must fit into.

use std::fmt;
use std::str::FromStr;

use oms_model::{Decimal, Price, Qty};

/// Most significant digits that are kept.
const MAX_DIGITS: u32 = 36;
/// Most fractional digits that are kept.
const MAX_SCALE: i32 = 60;
/// Longest text that is read.
const MAX_TEXT: usize = 80;
/// What the wire says in place of a number that is not set.
const UNSET: &str = "1.7976931348623157";
/// Fractional digits of the model's amounts.
const MODEL_SCALE: u8 = 9;

/// Why a text is no number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum NumberError {
    /// Not a decimal number.
    #[error("is not a decimal number")]
    Malformed,
    /// More digits than are kept. Nothing is rounded.
    #[error("has too many digits")]
    OutOfRange,
}

/// A decimal: a mantissa and how many of its digits are fractional, without trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Number {
    mantissa: i128,
    scale: u8,
}

impl Number {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// A whole number.
    #[must_use]
    pub const fn whole(value: i64) -> Self {
        Self { mantissa: value as i128, scale: 0 }
    }

    /// `mantissa` times ten to the power of `-scale`.
    ///
    /// # Errors
    /// More digits than are kept.
    pub fn scaled(mantissa: i128, scale: u8) -> Result<Self, NumberError> {
        Self::from_parts(mantissa, i32::from(scale))
    }

    fn from_parts(mut mantissa: i128, mut scale: i32) -> Result<Self, NumberError> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        while scale < 0 {
            mantissa = mantissa.checked_mul(10).ok_or(NumberError::OutOfRange)?;
            scale += 1;
        }
        if scale > MAX_SCALE || mantissa.unsigned_abs() >= 10_u128.pow(MAX_DIGITS) {
            return Err(NumberError::OutOfRange);
        }
        Ok(Self { mantissa, scale: u8::try_from(scale).map_err(|_| NumberError::OutOfRange)? })
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// Whether a text is the wire's word for a number that is not set.
    pub(crate) fn is_unset(text: &str) -> bool {
        text.strip_prefix(UNSET).is_some_and(|rest| matches!(rest, "E308" | "e308" | "E+308" | "e+308"))
    }

    /// The count of 10^-9, where it has no finer digits.
    fn nano(self) -> Option<i128> {
        let up = MODEL_SCALE.checked_sub(self.scale)?;
        self.mantissa.checked_mul(10_i128.pow(u32::from(up)))
    }

    /// As a price; `None` where it does not fit exactly.
    #[must_use]
    pub fn price(self) -> Option<Price> {
        i64::try_from(self.nano()?).ok().map(Price::from_raw)
    }

    /// As a quantity; `None` where it does not fit exactly.
    #[must_use]
    pub fn qty(self) -> Option<Qty> {
        self.nano().map(Qty::from_raw)
    }

    /// As a figure; `None` where it does not fit exactly.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        self.nano().map(Decimal::from_raw)
    }
}

impl From<Price> for Number {
    fn from(price: Price) -> Self {
        // An i64 has at most 19 digits, nine of them fractional: always in range.
        Self::from_parts(i128::from(price.raw()), i32::from(MODEL_SCALE)).unwrap_or_default()
    }
}

impl TryFrom<Qty> for Number {
    type Error = NumberError;
    fn try_from(qty: Qty) -> Result<Self, NumberError> {
        Self::from_parts(qty.raw(), i32::from(MODEL_SCALE))
    }
}

impl TryFrom<Decimal> for Number {
    type Error = NumberError;
    fn try_from(decimal: Decimal) -> Result<Self, NumberError> {
        Self::from_parts(decimal.raw(), i32::from(MODEL_SCALE))
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads `[+-]digits[.digits][(e|E)[+-]digits]`; either side of the point may be empty, not both.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        if text.len() > MAX_TEXT {
            return Err(NumberError::OutOfRange);
        }
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i16>().map_err(|_| NumberError::Malformed)?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(NumberError::Malformed);
        }
        let fraction = fraction.trim_end_matches(|c: char| c == '0' && exponent == 0);
        let mut mantissa = 0_i128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(NumberError::Malformed);
            }
            let digit = i128::from(byte - b'0');
            mantissa = mantissa.checked_mul(10).and_then(|m| m.checked_add(digit)).ok_or(NumberError::OutOfRange)?;
        }
        let places = i32::try_from(fraction.len()).map_err(|_| NumberError::OutOfRange)?;
        Self::from_parts(if negative { -mantissa } else { mantissa }, places - i32::from(exponent))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return f.write_str(&digits);
        }
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            write!(f, "{whole}.{fraction}")
        } else {
            write!(f, "0.{digits:0>scale$}")
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number that the protobuf dialect carries as decimal text: quantities and sizes. (Other numbers are doubles there.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size(pub Number);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Size {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests;
