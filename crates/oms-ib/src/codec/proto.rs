//! The protobuf dialect: tagged fields, all optional on the wire.
//!
//! Integers, booleans and strings that are zero, false or empty are left out, as the protocol's own clients do; numbers
//! are written always, so that zero and missing differ.

use super::{Fault, Number, Size};

/// Most digits of a varint.
const MAX_VARINT: usize = 10;

/// The content of one field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// Reads the fields of one message, in whatever order they come.
pub(super) struct ProtoIn<'a>(&'a [u8]);

impl<'a> ProtoIn<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for at in 0..MAX_VARINT {
            let (byte, rest) = self.0.split_first().ok_or(Fault::Damaged)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                // The tenth byte has room for one bit.
                return if at + 1 == MAX_VARINT && *byte > 1 { Err(Fault::Damaged) } else { Ok(value) };
            }
        }
        Err(Fault::Damaged)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(length).map_err(|_| Fault::Damaged)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Fault::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next field: its number and content.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let tag = u32::try_from(key >> 3).map_err(|_| Fault::Damaged)?;
        if tag == 0 {
            return Err(Fault::Damaged);
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let bytes = self.take(8)?.try_into().map_err(|_| Fault::Damaged)?;
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            _ => return Err(Fault::Damaged),
        };
        Ok(Some((tag, value)))
    }
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        // The mask keeps seven bits.
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn put_key(tag: u32, wire: u64, out: &mut Vec<u8>) {
    put_varint(u64::from(tag) << 3 | wire, out);
}

fn put_bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    put_key(tag, 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A type of field.
pub(super) trait ProtoField: Default {
    /// Whether a message without it means nothing.
    const REQUIRED: bool = false;
    fn put(&self, tag: u32, out: &mut Vec<u8>);
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault>;
}

/// A message: of a frame or within another.
pub(super) trait ProtoMessage: Default {
    fn put_fields(&self, out: &mut Vec<u8>);
    fn read_fields(bytes: &[u8]) -> Result<Self, Fault>;
}

impl<M: ProtoMessage> ProtoField for M {
    const REQUIRED: bool = true;
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        let mut inner = Vec::new();
        self.put_fields(&mut inner);
        put_bytes(tag, &inner, out);
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Bytes(bytes) = value else { return Err(Fault::Malformed(tag)) };
        *self = M::read_fields(bytes)?;
        Ok(())
    }
}

impl ProtoField for String {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(tag, self.as_bytes(), out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Bytes(bytes) = value else { return Err(Fault::Malformed(tag)) };
        *self = Self::from_utf8_lossy(bytes).into_owned();
        Ok(())
    }
}

impl ProtoField for bool {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if *self {
            put_key(tag, 0, out);
            out.push(1);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Varint(value) = value else { return Err(Fault::Malformed(tag)) };
        *self = value != 0;
        Ok(())
    }
}

impl ProtoField for i64 {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if *self != 0 {
            put_key(tag, 0, out);
            put_varint(self.cast_unsigned(), out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Varint(value) = value else { return Err(Fault::Malformed(tag)) };
        *self = value.cast_signed();
        Ok(())
    }
}

impl ProtoField for i32 {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        i64::from(*self).put(tag, out);
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let mut wide = 0_i64;
        wide.take(tag, value)?;
        *self = Self::try_from(wide).map_err(|_| Fault::Malformed(tag))?;
        Ok(())
    }
}

impl ProtoField for Option<i32> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            put_key(tag, 0, out);
            put_varint(i64::from(*value).cast_unsigned(), out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let mut value_read = 0_i32;
        value_read.take(tag, value)?;
        *self = (value_read != i32::MAX).then_some(value_read);
        Ok(())
    }
}

impl ProtoField for Number {
    const REQUIRED: bool = true;
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        put_key(tag, 1, out);
        // The wire has doubles. The nearest one is what the other side's decimals end up as too.
        let double: f64 = self.to_string().parse().unwrap_or_default();
        out.extend_from_slice(&double.to_bits().to_le_bytes());
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let mut read = None;
        ProtoField::take(&mut read, tag, value)?;
        *self = read.ok_or(Fault::Malformed(tag))?;
        Ok(())
    }
}

impl ProtoField for Option<Number> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.put(tag, out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Fixed64(bits) = value else { return Err(Fault::Malformed(tag)) };
        let double = f64::from_bits(bits);
        // The largest double stands for unset. The shortest decimal that means the same double is what was meant.
        *self = if double.to_bits() == f64::MAX.to_bits() {
            None
        } else {
            Some(format!("{double:e}").parse().map_err(|_| Fault::Malformed(tag))?)
        };
        Ok(())
    }
}

impl ProtoField for Size {
    const REQUIRED: bool = true;
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        put_bytes(tag, self.to_string().as_bytes(), out);
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let mut read = None;
        ProtoField::take(&mut read, tag, value)?;
        *self = read.ok_or(Fault::Malformed(tag))?;
        Ok(())
    }
}

impl ProtoField for Option<Size> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.put(tag, out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Bytes(bytes) = value else { return Err(Fault::Malformed(tag)) };
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Malformed(tag))?;
        // Integer limits stand for unset in sizes, besides the largest double.
        *self = match text {
            "" | "2147483647" | "9223372036854775807" | "-9223372036854775808" => None,
            text if Number::is_unset(text) => None,
            text => Some(text.parse().map_err(|_| Fault::Malformed(tag))?),
        };
        Ok(())
    }
}

/// A map of texts: one entry after the other.
impl ProtoField for Vec<(String, String)> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        for (key, value) in self {
            let mut entry = Vec::new();
            key.put(1, &mut entry);
            value.put(2, &mut entry);
            put_bytes(tag, &entry, out);
        }
    }
    fn take(&mut self, tag: u32, value: Value<'_>) -> Result<(), Fault> {
        let Value::Bytes(bytes) = value else { return Err(Fault::Malformed(tag)) };
        let (mut key, mut text, mut fields) = (String::new(), String::new(), ProtoIn::new(bytes));
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => key.take(tag, value)?,
                2 => text.take(tag, value)?,
                _ => (),
            }
        }
        self.push((key, text));
        Ok(())
    }
}
