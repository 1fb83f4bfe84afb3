//! Numbers, flags, text and bytes.

use prost::encoding::WireType;

use super::bytes::{delimited, put_bytes, put_varint, varint};
use super::error::{DecodeError, Fault};
use super::wire::Value;

impl Value for u64 {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        0
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(*self, out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        varint(input)
    }
}

impl Value for u32 {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        0
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(u64::from(*self), out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Self::try_from(varint(input)?).map_err(|_| Fault::Range.into())
    }
}

impl Value for bool {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        false
    }
    #[inline]
    fn is_zero(&self) -> bool {
        !*self
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match varint(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::Range.into()),
        }
    }
}

/// `sint64`: small magnitudes are short, whatever their sign.
impl Value for i64 {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        0
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(((self << 1) ^ (self >> 63)).cast_unsigned(), out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bits = varint(input)?;
        Ok((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed()))
    }
}

/// `sint32`.
impl Value for i32 {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        0
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        i64::from(*self).write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Self::try_from(i64::read(input)?).map_err(|_| Fault::Range.into())
    }
}

impl<const N: usize> Value for [u8; N] {
    const WIRE: WireType = WireType::LengthDelimited;
    #[inline]
    fn zero() -> Self {
        [0; N]
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == [0; N]
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(self, out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bytes = delimited(input)?;
        Self::try_from(bytes).map_err(|_| Fault::Length { expected: N, found: bytes.len() }.into())
    }
}

/// Sixteen bytes, the highest first.
impl Value for u128 {
    const WIRE: WireType = WireType::LengthDelimited;
    #[inline]
    fn zero() -> Self {
        0
    }
    #[inline]
    fn is_zero(&self) -> bool {
        *self == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.to_be_bytes().write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        <[u8; 16]>::read(input).map(Self::from_be_bytes)
    }
}

/// Takes text with its length off the front of `input`.
#[inline]
pub(super) fn text<'a>(input: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    str::from_utf8(delimited(input)?).map_err(|_| Fault::Text.into())
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl Value for $text {
            const WIRE: WireType = WireType::LengthDelimited;
            #[inline]
            fn zero() -> Self {
                Self::default()
            }
            #[inline]
            fn is_zero(&self) -> bool {
                self.is_empty()
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                put_bytes(self.as_bytes(), out);
            }
            #[inline]
            fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
                text(input).map(Self::from)
            }
        }
    )*};
}
texts!(String, Box<str>);
