//! Exact fixed-point amounts.
//!
//! [`Price`] counts 10^-9 units of currency in an `i64`, [`Qty`] and [`Decimal`] count 10^-9 in an
//! `i128`, and [`Notional`] counts 10^-18 in an `i128`, so that price times quantity is exact.
//! There is no conversion from a float. Arithmetic that can overflow answers `None`.

mod ratio;

use core::fmt;
use core::str::FromStr;
pub use ratio::mul_div;

/// Fractional digits of [`Price`], [`Qty`] and [`Decimal`].
pub const SCALE_DIGITS: u32 = 9;
/// One whole unit of [`Price`], [`Qty`] and [`Decimal`].
pub const ONE: i64 = 1_000_000_000;
/// Fractional digits of [`Notional`].
pub const NOTIONAL_DIGITS: u32 = 18;

/// Why a decimal text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not of the form `[-]digits[.digits]`.
    Malformed,
    /// More fractional digits than the type holds; nothing is ever rounded silently.
    TooPrecise {
        /// The most fractional digits that the type holds.
        digits: u32,
    },
    /// Outside the range of the type.
    OutOfRange,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("is not a decimal number"),
            Self::TooPrecise { digits } => write!(f, "has more than {digits} fractional digits"),
            Self::OutOfRange => f.write_str("is out of range"),
        }
    }
}

fn parse_scaled(text: &str, digits: u32) -> Result<i128, AmountError> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match body.split_once('.') {
        Some((_, "")) => return Err(AmountError::Malformed),
        Some(parts) => parts,
        None => (body, ""),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(AmountError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).map_err(|_| AmountError::Malformed)?;
    if places > digits {
        return Err(AmountError::TooPrecise { digits });
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10).and_then(|v| v.checked_add(i128::from(byte - b'0'))).ok_or(AmountError::OutOfRange)?;
    }
    let value = value.checked_mul(10_i128.pow(digits - places)).ok_or(AmountError::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

fn write_scaled(f: &mut fmt::Formatter<'_>, value: i128, digits: u32) -> fmt::Result {
    let unit = 10_u128.pow(digits);
    let magnitude = value.unsigned_abs();
    let (whole, mut fraction) = (magnitude / unit, magnitude % unit);
    if value < 0 {
        f.write_str("-")?;
    }
    write!(f, "{whole}")?;
    if fraction == 0 {
        return Ok(());
    }
    let mut width = digits as usize;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    write!(f, ".{fraction:0width$}")
}

macro_rules! decimal_type {
    ($(#[$doc:meta])* $name:ident($raw:ty), $digits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Packed, because an `i128` would be aligned to 16 bytes and make every order larger.
        #[repr(Rust, packed(8))]
        pub struct $name($raw);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(<$raw>::MAX);

            /// From a count of the smallest unit.
            #[must_use]
            pub const fn from_raw(raw: $raw) -> Self { Self(raw) }
            /// The count of the smallest unit.
            #[must_use]
            pub const fn raw(self) -> $raw { self.0 }
            /// From whole units; `None` on overflow.
            #[must_use]
            pub fn from_units(units: i64) -> Option<Self> {
                let raw = i128::from(units).checked_mul(10_i128.pow($digits))?;
                <$raw>::try_from(raw).ok().map(Self)
            }
            /// The sum; `None` on overflow.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> { self.0.checked_add(other.0).map(Self) }
            /// The difference; `None` on overflow.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> { self.0.checked_sub(other.0).map(Self) }
            /// The magnitude; saturates at the largest value.
            #[must_use]
            pub fn abs(self) -> Self { Self(self.0.saturating_abs()) }
            /// The sum, held at the bounds of the type. For figures that are shown or compared, not booked.
            #[must_use]
            pub fn saturating_add(self, other: Self) -> Self { Self(self.0.saturating_add(other.0)) }
            /// The difference, held at the bounds of the type. For figures that are shown or compared, not booked.
            #[must_use]
            pub fn saturating_sub(self, other: Self) -> Self { Self(self.0.saturating_sub(other.0)) }
            /// Whether it is zero.
            #[must_use]
            pub fn is_zero(self) -> bool { self.0 == 0 }
            /// Whether it is above zero.
            #[must_use]
            pub fn is_positive(self) -> bool { self.0 > 0 }
            /// Whether it is below zero.
            #[must_use]
            pub fn is_negative(self) -> bool { self.0 < 0 }
        }

        impl FromStr for $name {
            type Err = AmountError;
            fn from_str(text: &str) -> Result<Self, AmountError> {
                let raw = parse_scaled(text, $digits)?;
                <$raw>::try_from(raw).map(Self).map_err(|_| AmountError::OutOfRange)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_scaled(f, self.0.into(), $digits) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
    };
}

decimal_type!(
    /// A price per unit, in the instrument's currency, at 10^-9.
    Price(i64), SCALE_DIGITS
);
decimal_type!(
    /// A quantity (shares, contracts, units) at 10^-9. Signed, because positions are.
    Qty(i128), SCALE_DIGITS
);
decimal_type!(
    /// A figure without a unit of its own at 10^-9: limits, rates, percentages, counts in the "why".
    Decimal(i128), SCALE_DIGITS
);
decimal_type!(
    /// Money: price times quantity, exact, at 10^-18.
    Notional(i128), NOTIONAL_DIGITS
);

impl Price {
    /// Price times quantity, exact; `None` on overflow.
    ///
    /// ```
    /// use oms_model::{Price, Qty};
    /// let (px, qty): (Price, Qty) = ("177.25".parse().unwrap(), "100".parse().unwrap());
    /// assert_eq!(px.notional(qty).unwrap().to_string(), "17725");
    /// ```
    #[must_use]
    pub fn notional(self, qty: Qty) -> Option<Notional> {
        i128::from(self.0).checked_mul(qty.0).map(Notional)
    }
}

impl Qty {
    /// This quantity with the sign turned; held at the bounds of the type.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(0).saturating_sub(self)
    }
    /// The largest multiple of `lot` that is not above it; itself where `lot` is not above zero.
    #[must_use]
    pub fn round_down_to(self, lot: Self) -> Self {
        if lot.0 <= 0 { self } else { Self(self.0 - self.0.rem_euclid(lot.0)) }
    }
    /// Whether it is a whole multiple of `lot`.
    #[must_use]
    pub fn is_multiple_of(self, lot: Self) -> bool {
        lot.0 <= 0 || self.0 % lot.0 == 0
    }
}

impl Notional {
    /// The average price of `qty` units that cost this much, rounded half to even at 10^-9;
    /// `None` for no quantity or a result outside [`Price`].
    #[must_use]
    pub fn avg_px(self, qty: Qty) -> Option<Price> {
        let (n, d) = (self.0, qty.0);
        if d == 0 {
            return None;
        }
        let (quotient, remainder) = (n.checked_div(d)?, n.checked_rem(d)?);
        let twice = remainder.unsigned_abs().checked_mul(2)?;
        let away = match twice.cmp(&d.unsigned_abs()) {
            core::cmp::Ordering::Greater => true,
            core::cmp::Ordering::Equal => quotient % 2 != 0,
            core::cmp::Ordering::Less => false,
        };
        let step = if (n < 0) == (d < 0) { 1 } else { -1 };
        let rounded = if away { quotient.checked_add(step)? } else { quotient };
        i64::try_from(rounded).ok().map(Price)
    }

    /// The part `of / whole` of this amount, rounded towards zero at 10^-18; `None` where `whole` is zero or the
    /// result is out of range.
    #[must_use]
    pub fn part(self, of: Qty, whole: Qty) -> Option<Self> {
        let (share, _) = mul_div(self.0.unsigned_abs(), of.0.unsigned_abs(), whole.0.unsigned_abs())?;
        let share = i128::try_from(share).ok()?;
        let negative = (self.0 < 0) ^ (of.0 < 0) ^ (whole.0 < 0);
        Some(Self(if negative { -share } else { share }))
    }

    /// This amount in another currency of which one unit of this one buys `rate`, rounded towards zero at 10^-18;
    /// `None` where it is out of range.
    #[must_use]
    pub fn at_rate(self, rate: Decimal) -> Option<Self> {
        self.part(Qty(rate.0), Qty(ONE.into()))
    }

    /// This amount with the sign turned; held at the bounds of the type.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(0).saturating_sub(self)
    }

    /// This amount at 10^-9, rounded away from zero, so that a shown figure never hides a breach.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        let one = i128::from(ONE);
        let extra = i128::from(self.0 % one != 0) * self.0.signum();
        Decimal(self.0 / one + extra)
    }
}

impl Decimal {
    /// This figure as money; `None` on overflow.
    #[must_use]
    pub fn to_notional(self) -> Option<Notional> {
        self.0.checked_mul(i128::from(ONE)).map(Notional)
    }
    /// A count as a figure.
    #[must_use]
    pub fn from_count(count: u64) -> Self {
        Self(i128::from(count) * i128::from(ONE))
    }
}

impl From<Qty> for Decimal {
    fn from(qty: Qty) -> Self {
        Self(qty.0)
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        Self(price.0.into())
    }
}

impl From<Decimal> for Qty {
    fn from(value: Decimal) -> Self {
        Self(value.0)
    }
}

#[cfg(test)]
mod tests;
