//! One message as its fields, in place.

use super::SOH;
use super::frame::Garbled;
use crate::dictionary::Dictionary;

/// A field: its tag and where its value is in the message.
///
/// A tag is signed, since a wrong one such as `-1` is named in the Reject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The tag.
    pub tag: i32,
    /// First byte of the field, its tag included.
    pub start: u32,
    /// First byte of the value.
    pub value: u32,
    /// One past the last byte of the value: where the separator is.
    pub end: u32,
}

/// A message as it came, with the places of its fields.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> View<'a> {
    /// A message with its spans, as [`scan`] found them.
    #[must_use]
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Self { bytes, spans }
    }

    /// The whole message.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The fields, in order.
    #[must_use]
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// The value of a field.
    #[must_use]
    pub fn value(&self, span: &Span) -> &'a [u8] {
        self.bytes.get(span.value as usize..span.end as usize).unwrap_or_default()
    }

    /// A field as it came, `tag=value` and the separator.
    #[must_use]
    pub fn field(&self, span: &Span) -> &'a [u8] {
        self.bytes.get(span.start as usize..=span.end as usize).unwrap_or_default()
    }

    /// The first value of a tag.
    #[must_use]
    pub fn get(&self, tag: i32) -> Option<&'a [u8]> {
        self.spans.iter().find(|span| span.tag == tag).map(|span| self.value(span))
    }

    /// The first value of a tag, unless it is empty.
    #[must_use]
    pub fn get_filled(&self, tag: i32) -> Option<&'a [u8]> {
        self.get(tag).filter(|value| !value.is_empty())
    }

    /// MsgType(35), which is the third field.
    #[must_use]
    pub fn msg_type(&self) -> &'a [u8] {
        self.spans.get(2).map(|span| self.value(span)).unwrap_or_default()
    }
}

/// Splits `message` into `out`, which is emptied first. The length of a data field is that of the
/// field right before it, if the dictionary says that this is its length field.
///
/// # Errors
/// [`Garbled`]: the message is to be ignored.
pub fn scan(message: &[u8], dictionary: &Dictionary, max_fields: usize, out: &mut Vec<Span>) -> Result<(), Garbled> {
    out.clear();
    let mut at = 0;
    // The data field that the field before declares, and its length.
    let mut declared: Option<(i32, usize)> = None;
    while at < message.len() {
        if out.len() == max_fields {
            return Err(Garbled::TooManyFields);
        }
        let (tag, value) = tag(message, at)?;
        let end = match declared.take() {
            Some((data, length)) if data == tag => value.checked_add(length).ok_or(Garbled::DataLength)?,
            _ => memchr::memchr(SOH, &message[value..]).map(|length| value + length).ok_or(Garbled::Field)?,
        };
        if message.get(end) != Some(&SOH) {
            return Err(Garbled::DataLength);
        }
        if let Some(data) = dictionary.data_of(tag) {
            declared = super::value::parse_uint(&message[value..end]).and_then(|length| Some((data, usize::try_from(length).ok()?)));
        }
        let place = |at: usize| u32::try_from(at).map_err(|_| Garbled::TooLong);
        out.push(Span { tag, start: place(at)?, value: place(value)?, end: place(end)? });
        at = end + 1;
    }
    match out.get(..3) {
        Some([a, b, c]) if (a.tag, b.tag, c.tag) == (8, 9, 35) => Ok(()),
        _ => Err(Garbled::FirstFields),
    }
}

/// The tag at `at` and where its value starts.
fn tag(message: &[u8], at: usize) -> Result<(i32, usize), Garbled> {
    let (negative, digits) = match message[at..].first() {
        Some(b'-') => (true, at + 1),
        _ => (false, at),
    };
    let (mut tag, mut end) = (0_i32, digits);
    loop {
        match message.get(end) {
            Some(byte) if byte.is_ascii_digit() => {
                tag = tag.checked_mul(10).and_then(|tag| tag.checked_add(i32::from(byte - b'0'))).ok_or(Garbled::Field)?;
                end += 1;
            }
            Some(b'=') if digits < end => return Ok((if negative { -tag } else { tag }, end + 1)),
            _ => return Err(Garbled::Field),
        }
    }
}

#[cfg(test)]
mod tests;
