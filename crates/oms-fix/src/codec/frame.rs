//! Cutting a byte stream into messages.
//!
//! The declared BodyLength(9) is checked against the limit before anything of that length is
//! buffered. A message whose length or checksum is wrong is dropped whole, up to the trailer that
//! follows, and the next one is looked for at the next `8=FIX`; its number is not consumed.

use std::ops::Range;

use memchr::memmem;

use super::{SOH, checksum};

/// How a message starts.
const START: &[u8] = b"8=FIX";
/// How its last field starts, with the separator before it.
const TRAILER: &[u8] = b"\x0110=";
/// Bytes of `10=nnn` and the separator.
const TRAILER_LEN: usize = 7;
/// Longest BeginString(8) value, in bytes.
const MAX_BEGIN_STRING: usize = 12;
/// Most digits of BodyLength(9).
const MAX_LENGTH_DIGITS: usize = 9;
/// Bytes that are read at a time, at first.
const FIRST_CHUNK: usize = 4 << 10;
/// Most bytes that are read at a time, once reads are full and messages may be as large. What is read
/// at once is stored at once, so that a busy connection makes large writes of its log.
const MAX_CHUNK: usize = 64 << 10;

/// Why bytes were not a message. They are ignored, and counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Garbled {
    /// BodyLength(9) is not the second field, or not a number.
    #[error("BodyLength(9) is missing or malformed")]
    NoBodyLength,
    /// The declared length is above the limit.
    #[error("the declared length is above the limit")]
    TooLong,
    /// The trailer is not where BodyLength(9) says.
    #[error("BodyLength(9) is wrong")]
    BodyLength,
    /// CheckSum(10) is wrong or not three digits.
    #[error("CheckSum(10) is wrong")]
    CheckSum,
    /// Something that is not `tag=value`.
    #[error("a field has no tag or no value separator")]
    Field,
    /// The first three fields are not 8, 9 and 35.
    #[error("the first three fields are not 8, 9 and 35")]
    FirstFields,
    /// A data field is not as long as its length field says.
    #[error("a data field is not as long as declared")]
    DataLength,
    /// More fields than the limit.
    #[error("more fields than the limit")]
    TooManyFields,
}

/// What was cut off the stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cut {
    /// A whole message: its place in [`Framer::bytes`], valid until more is read.
    Message(Range<usize>),
    /// Bytes that are no message.
    Garbled(Garbled),
    /// Nothing more without more bytes.
    More,
}

/// The stream of one connection. Holds at most one message of the largest size and one chunk.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    max_message: usize,
    /// Where the search for a trailer goes on, relative to `start`.
    searched: usize,
    junk: u64,
    chunk: usize,
}

impl Framer {
    /// A stream whose messages have at most `max_message` bytes, header and trailer included.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, max_message, searched: 0, junk: 0, chunk: FIRST_CHUNK }
    }

    /// Changes the largest message, as after Logon.
    pub fn set_max_message(&mut self, max_message: usize) {
        self.max_message = max_message;
    }

    /// Bytes skipped so far because no message started there.
    #[must_use]
    pub fn junk(&self) -> u64 {
        self.junk
    }

    /// Room for the next read. Whatever was cut before is gone after this call.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if 0 < self.start && self.buffer.len() - self.end < self.chunk {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let wanted = self.end + self.chunk;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        &mut self.buffer[self.end..wanted]
    }

    /// Takes in that so many bytes of [`Framer::space`] were filled.
    pub fn filled(&mut self, bytes: usize) {
        if bytes == self.chunk {
            self.chunk = (self.chunk * 2).min(MAX_CHUNK).min(self.max_message.max(FIRST_CHUNK));
        }
        self.end = (self.end + bytes).min(self.buffer.len());
    }

    /// Takes in bytes; as [`Framer::space`] and [`Framer::filled`], for tests and replays.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = self.space();
            let count = bytes.len().min(space.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.filled(count);
            bytes = &bytes[count..];
        }
    }

    /// The bytes of a message that was cut.
    #[must_use]
    pub fn bytes(&self, place: &Range<usize>) -> &[u8] {
        self.buffer.get(place.clone()).unwrap_or_default()
    }

    /// Bytes that wait for more.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.end - self.start
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Cuts off the next message.
    pub fn cut(&mut self) -> Cut {
        if !self.find_start() {
            return Cut::More;
        }
        let (body, length) = match header(&self.buffer[self.start..self.end]) {
            Header::Complete { body, length } => (body, length),
            Header::Incomplete => return Cut::More,
            Header::Bad => return self.skip(START.len(), Garbled::NoBodyLength),
        };
        let total = body.saturating_add(length).saturating_add(TRAILER_LEN);
        if self.max_message < total {
            return self.skip(body, Garbled::TooLong);
        }
        let pending = &self.buffer[self.start..self.end];
        if pending.len() < total {
            return Cut::More;
        }
        let trailer = body + length;
        if pending[trailer - 1] == SOH && pending[trailer..].starts_with(b"10=") && pending[total - 1] == SOH {
            let place = self.start..self.start + total;
            let sum = checksum(&pending[..trailer]);
            let good = pending[trailer + 3..total - 1] == digits(sum);
            self.advance(total);
            return if good { Cut::Message(place) } else { Cut::Garbled(Garbled::CheckSum) };
        }
        self.drop_to_trailer(trailer - 1)
    }

    /// Skips what is before the start of a message. False if there is none yet.
    fn find_start(&mut self) -> bool {
        let pending = &self.buffer[self.start..self.end];
        if pending.starts_with(START) {
            return true;
        }
        let (skipped, found) = match memmem::find(pending, START) {
            Some(at) => (at, true),
            // The end may be the beginning of a start.
            None => (
                (0..START.len()).rev().find(|kept| pending.ends_with(&START[..*kept])).map_or(pending.len(), |kept| pending.len() - kept),
                false,
            ),
        };
        self.junk = self.junk.saturating_add(skipped as u64);
        self.advance(skipped);
        found
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.searched = 0;
    }

    fn skip(&mut self, bytes: usize, why: Garbled) -> Cut {
        self.advance(bytes.min(self.end - self.start));
        Cut::Garbled(why)
    }

    /// The declared length is wrong: everything up to the next trailer at or after it goes. A message
    /// that declared too much takes the next one with it, as its length covers a part of that.
    fn drop_to_trailer(&mut self, declared: usize) -> Cut {
        let pending = &self.buffer[self.start..self.end];
        let from = declared.max(self.searched);
        let found = memmem::find(&pending[from.min(pending.len())..], TRAILER).map(|at| from + at + TRAILER.len());
        let end = found.and_then(|value| memchr::memchr(SOH, &pending[value..]).map(|at| value + at + 1));
        if let Some(end) = end {
            return self.skip(end, Garbled::BodyLength);
        }
        if self.max_message <= pending.len() {
            return self.skip(START.len(), Garbled::BodyLength);
        }
        // What was searched is not searched again, lest single bytes cost the square of their number.
        self.searched = found.map_or(pending.len().saturating_sub(TRAILER.len()), |value| value - TRAILER.len());
        Cut::More
    }
}

/// A checksum in three digits.
#[must_use]
pub fn digits(sum: u8) -> [u8; 3] {
    [b'0' + sum / 100, b'0' + sum / 10 % 10, b'0' + sum % 10]
}

enum Header {
    Complete { body: usize, length: usize },
    Incomplete,
    Bad,
}

/// Reads `8=...|9=...|` at the start of `bytes`: where the body starts and how long it is.
fn header(bytes: &[u8]) -> Header {
    let window = &bytes[..bytes.len().min(2 + MAX_BEGIN_STRING + 1)];
    let Some(end) = memchr::memchr(SOH, window) else {
        return if window.len() == bytes.len() && bytes.len() < 2 + MAX_BEGIN_STRING { Header::Incomplete } else { Header::Bad };
    };
    let rest = &bytes[end + 1..];
    if rest.len() < 2 {
        return if b"9=".starts_with(rest) { Header::Incomplete } else { Header::Bad };
    }
    let Some(value) = rest.strip_prefix(b"9=") else { return Header::Bad };
    let count = value.iter().take(MAX_LENGTH_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    match value.get(count) {
        None if count <= MAX_LENGTH_DIGITS => Header::Incomplete,
        Some(&SOH) if 1 <= count => {
            let length = super::value::parse_uint(&value[..count]).and_then(|length| usize::try_from(length).ok());
            length.map_or(Header::Bad, |length| Header::Complete { body: end + 1 + 2 + count + 1, length })
        }
        _ => Header::Bad,
    }
}

#[cfg(test)]
mod tests;
