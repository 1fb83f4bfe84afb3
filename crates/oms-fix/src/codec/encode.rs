//! Writing messages.

use std::ops::Range;

use super::frame::digits;
use super::value::{Precision, put_timestamp, put_uint};
use super::{SOH, checksum};

/// Digits that are left free for BodyLength(9); most messages have three.
const GUESSED_DIGITS: usize = 3;

/// Fields in the order in which they are written: the body of a message, or its own header fields.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields(Vec<u8>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fields that are encoded already, each with its separator.
    #[must_use]
    pub fn from_encoded(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The encoded fields.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all, keeping the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a field. A separator in the value ends it there: it would otherwise make a field of its
    /// own. Data fields are added by [`Fields::data`].
    pub fn put(&mut self, tag: i32, value: &[u8]) -> &mut Self {
        let end = memchr::memchr(SOH, value).unwrap_or(value.len());
        put_field(&mut self.0, tag, &value[..end]);
        self
    }

    /// Adds a text field.
    pub fn text(&mut self, tag: i32, value: &str) -> &mut Self {
        self.put(tag, value.as_bytes())
    }

    /// Adds a number.
    pub fn uint(&mut self, tag: i32, value: u64) -> &mut Self {
        put_uint_field(&mut self.0, tag, value);
        self
    }

    /// Adds an exact amount, by how it is displayed.
    pub fn amount(&mut self, tag: i32, value: impl std::fmt::Display) -> &mut Self {
        self.text(tag, &value.to_string())
    }

    /// Adds a Boolean.
    pub fn flag(&mut self, tag: i32, value: bool) -> &mut Self {
        self.put(tag, if value { b"Y" } else { b"N" })
    }

    /// Adds a UTCTimestamp.
    pub fn time(&mut self, tag: i32, time_ns: i64, precision: Precision) -> &mut Self {
        put_time_field(&mut self.0, tag, time_ns, precision);
        self
    }

    /// Adds a data field behind its length field; the bytes may contain the separator.
    pub fn data(&mut self, length_tag: i32, tag: i32, value: &[u8]) -> &mut Self {
        self.uint(length_tag, value.len() as u64);
        put_field(&mut self.0, tag, value);
        self
    }

    /// Adds a field as it came, its separator included.
    pub fn raw(&mut self, field: &[u8]) -> &mut Self {
        self.0.extend_from_slice(field);
        self
    }
}

pub(crate) fn put_field(out: &mut Vec<u8>, tag: i32, value: &[u8]) {
    put_uint(out, tag.unsigned_abs().into());
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(SOH);
}

pub(crate) fn put_uint_field(out: &mut Vec<u8>, tag: i32, value: u64) {
    put_uint(out, tag.unsigned_abs().into());
    out.push(b'=');
    put_uint(out, value);
    out.push(SOH);
}

pub(crate) fn put_time_field(out: &mut Vec<u8>, tag: i32, time_ns: i64, precision: Precision) {
    put_uint(out, tag.unsigned_abs().into());
    out.push(b'=');
    put_timestamp(out, time_ns, precision);
    out.push(SOH);
}

/// A message that is being appended to a buffer.
#[derive(Debug)]
pub struct Writer {
    start: usize,
    body: usize,
}

impl Writer {
    /// Starts a message at the end of `out`: BeginString(8) and room for BodyLength(9). Its fields
    /// are then appended to `out`, MsgType(35) first.
    pub fn begin(out: &mut Vec<u8>, begin_string: &[u8]) -> Self {
        let start = out.len();
        put_field(out, 8, begin_string);
        out.extend_from_slice(b"9=000\x01");
        Self { start, body: out.len() }
    }

    /// Ends the message: sets BodyLength(9), appends CheckSum(10). Returns its place in `out`.
    pub fn end(self, out: &mut Vec<u8>) -> Range<usize> {
        let mut length = Vec::with_capacity(GUESSED_DIGITS);
        put_uint(&mut length, (out.len() - self.body) as u64);
        let place = self.body - 1 - GUESSED_DIGITS..self.body - 1;
        if length.len() == GUESSED_DIGITS {
            out[place].copy_from_slice(&length);
        } else {
            out.splice(place, length);
        }
        let sum = checksum(&out[self.start..]);
        put_field(out, 10, &digits(sum));
        self.start..out.len()
    }
}

#[cfg(test)]
mod tests;
