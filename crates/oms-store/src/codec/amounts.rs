//! Amounts. Whole units and the fraction stand apart, so that common figures are short and every
//! reader can hold them; what is beyond 64 bits of whole units stands as the raw 128 bits.

use oms_model::{Decimal, Notional, Price, Qty};
use prost::encoding::WireType;

use super::bytes::{delimited, put_delimited};
use super::error::{DecodeError, Fault};
use super::wire::{Message, Value};

/// Fractions per unit of [`Qty`] and [`Decimal`].
const NANOS: i64 = 1_000_000_000;
/// Fractions per unit of [`Notional`].
const ATTOS: i64 = 1_000_000_000_000_000_000;

impl Value for Price {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        Self::ZERO
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.raw() == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.raw().write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        i64::read(input).map(Self::from_raw)
    }
}

/// The message `Decimal` of the schema.
struct DecimalParts {
    units: i64,
    nanos: i32,
    wide: Option<[u8; 16]>,
}

/// The message `Notional` of the schema.
struct NotionalParts {
    units: i64,
    attos: i64,
    wide: Option<[u8; 16]>,
}

message! {
    DecimalParts { 1 units, 2 nanos, 3 wide }
    NotionalParts { 1 units, 2 attos, 3 wide }
}

/// Whole units and the fraction, of one sign; `None` where the units do not fit.
#[inline]
fn split(raw: i128, per_unit: i64) -> Option<(i64, i64)> {
    // Dividing 128 bits is slow, and almost no figure needs it.
    if let Ok(raw) = i64::try_from(raw) {
        return Some((raw / per_unit, raw % per_unit));
    }
    let wide = i128::from(per_unit);
    Some((i64::try_from(raw / wide).ok()?, i64::try_from(raw % wide).ok()?))
}

/// The amount that `split` or, where that has no answer, the raw bytes came from.
#[inline]
fn join(units: i64, fraction: i64, wide: Option<[u8; 16]>, per_unit: i64) -> Result<i128, DecodeError> {
    if let Some(bytes) = wide {
        let raw = i128::from_be_bytes(bytes);
        let alone = units == 0 && fraction == 0 && split(raw, per_unit).is_none();
        return if alone { Ok(raw) } else { Err(Fault::NotCanonical.into()) };
    }
    if fraction <= -per_unit || fraction >= per_unit {
        return Err(Fault::Range.into());
    }
    if units != 0 && fraction != 0 && (units < 0) != (fraction < 0) {
        return Err(Fault::NotCanonical.into());
    }
    Ok(i128::from(units) * i128::from(per_unit) + i128::from(fraction))
}

fn decimal_parts(raw: i128) -> DecimalParts {
    match split(raw, NANOS) {
        // The remainder of a division by 10^9 fits.
        Some((units, nanos)) => DecimalParts { units, nanos: nanos as i32, wide: None },
        None => DecimalParts { units: 0, nanos: 0, wide: Some(raw.to_be_bytes()) },
    }
}

fn read_decimal(input: &mut &[u8]) -> Result<i128, DecodeError> {
    let parts = DecimalParts::decode(delimited(input)?)?;
    join(parts.units, i64::from(parts.nanos), parts.wide, NANOS)
}

fn notional_parts(raw: i128) -> NotionalParts {
    match split(raw, ATTOS) {
        Some((units, attos)) => NotionalParts { units, attos, wide: None },
        None => NotionalParts { units: 0, attos: 0, wide: Some(raw.to_be_bytes()) },
    }
}

fn read_notional(input: &mut &[u8]) -> Result<i128, DecodeError> {
    let parts = NotionalParts::decode(delimited(input)?)?;
    join(parts.units, parts.attos, parts.wide, ATTOS)
}

macro_rules! amounts {
    ($($name:ident $parts:ident $read:ident),*) => {$(
        impl Value for $name {
            const WIRE: WireType = WireType::LengthDelimited;
            #[inline]
            fn zero() -> Self {
                Self::ZERO
            }
            #[inline]
            fn is_zero(&self) -> bool {
                self.raw() == 0
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                put_delimited(out, |out| $parts(self.raw()).encode(out));
            }
            #[inline]
            fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
                $read(input).map(Self::from_raw)
            }
        }
    )*};
}
amounts!(Qty decimal_parts read_decimal, Decimal decimal_parts read_decimal, Notional notional_parts read_notional);
